# SPDX-License-Identifier: Apache-2.0
"""Stopping is graceful and complete, whatever the container and the moment;
and systemctl does all of it without geard."""

import contextlib
import threading
import time

import pytest

from lib.gear import (JSON, at_boot, container_of, create, delete, inspect, log_lines, made, status, traces, turn,
                      unit_is, wait_running)
from lib.host import SOCKET
from lib.wait import wait_until

# Accepts and never answers: a registry that hangs in the middle of a pull.
TARPIT = "import socket,time; s=socket.create_server(('127.0.0.1', 5999)); " \
         "held=[]\nwhile True: held.append(s.accept())"


def gone(host, gear="1"):
    return host.docker("ps", "-aq", "--filter", f"name=^/gear-{gear}$") == ""


def is_stopped(host, gear="1"):
    shown = host.show(f"gear-{gear}")
    assert (shown["ActiveState"], shown["Result"]) == ("inactive", "success"), shown
    assert gone(host, gear)
    assert status(host, gear)["state"] == "stopped"


def is_stopped_and_geard_hears_of_it(host):
    """The same where geard did not stop it: then it is told afterwards."""
    wait_until(lambda: status(host)["state"] == "stopped", 5, "geard knows")
    is_stopped(host)


@contextlib.contextmanager
def meanwhile(function, *args, **kwargs):
    """Runs it in a thread; the block gets a list that holds its result afterwards."""
    result = []
    thread = threading.Thread(target=lambda: result.append(function(*args, **kwargs)))
    thread.start()
    try:
        yield result
    finally:
        thread.join(timeout=120)


@pytest.fixture
def tarpit(host):
    host.run("systemd-run", "--quiet", "--unit=tarpit", "python3", "-c", TARPIT)
    wait_until(lambda: ":5999" in host.sh("ss -ltn"), 5, "the tarpit listens")
    yield "localhost:5999/x"
    host.systemctl("stop", "tarpit")


# --- how it ends -------------------------------------------------------------

def test_a_stop_lets_the_container_say_goodbye(host):
    made(host, command=["sh", "-c", "trap 'echo goodbye; exit 0' TERM; echo up; while :; do sleep 0.1; done"])
    turn(host, "1", "stopped")
    is_stopped(host)
    wait_until(lambda: "goodbye" in log_lines(host), 5, "its last words are in the journal")


def test_a_stop_signal_of_its_own_is_used(host):
    made(host, stop_signal="USR1", stop_timeout="30s",
         command=["sh", "-c", "trap 'exit 0' USR1; while :; do sleep 0.1; done"])
    began = time.monotonic()
    turn(host, "1", "stopped")
    assert time.monotonic() - began < 25
    is_stopped(host)


def test_one_that_ignores_sigterm_is_inactive_not_failed(host):
    made(host, image="test/stubborn", stop_timeout="1s")
    began = time.monotonic()
    turn(host, "1", "stopped")
    assert 1 <= time.monotonic() - began < 9
    is_stopped(host)
    assert at_boot(host) == "linked"


@pytest.mark.parametrize("policy", ["always", "on-failure", "no"])
def test_a_stubborn_one_is_inactive_under_every_restart_policy(host, policy):
    made(host, image="test/stubborn", stop_timeout="1s", restart=policy)
    host.systemctl("stop", "gear-1")
    is_stopped_and_geard_hears_of_it(host)
    time.sleep(1.5)   # RestartSec
    is_stopped(host)


def test_stopped_already_is_fine(host):
    made(host)
    turn(host, "1", "stopped")
    assert "already" in host.peer("PUT", "/container/1/stopped").text
    is_stopped(host)


def test_two_stops_at_once_are_one(host):
    made(host, image="test/stubborn", stop_timeout="2s")
    with meanwhile(turn, host, "1", "stopped") as first:
        turn(host, "1", "stopped")
    assert len(first) == 1
    is_stopped(host)


# --- at the wrong moment -----------------------------------------------------------

def test_while_it_is_pulled(host, tarpit):
    with meanwhile(create, host, "1", tarpit) as created:
        wait_until(lambda: host.sh("ss -tn state established '( dport = :5999 )' | tail -n +2") != "", 10,
                   "the engine hangs in the pull")
        began = time.monotonic()
        answer = host.peer("PUT", "/container/1/stopped", headers=JSON)
        assert answer.status == 200 and time.monotonic() - began < 30, answer
    assert created[0].status == 409 and "stopped" in created[0].text, created[0]
    assert traces(host, "1") == []
    made(host)   # and the id is free


def test_a_delete_while_it_is_pulled(host, tarpit):
    with meanwhile(create, host, "1", tarpit) as created:
        wait_until(lambda: host.sh("ss -tn state established '( dport = :5999 )' | tail -n +2") != "", 10,
                   "the engine hangs in the pull")
        delete(host, "1")
    assert created[0].status == 409, created[0]
    assert traces(host, "1") == []


def test_while_its_readiness_is_awaited(host):
    with meanwhile(create, host, ready={"log": "never"}, stop_timeout="1s") as created:
        wait_until(lambda: container_of(host), 10, "its container runs")
        answer = host.peer("PUT", "/container/1/stopped", headers=JSON)
        assert answer.status == 200, answer
    assert created[0].status == 409, created[0]
    assert traces(host, "1") == []


# A stop behind a start, by one program, so that the start is asked for first.
START_AND_STOP = r"""
import socket, sys, time
def ask(state):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    s.sendall(b"PUT /container/1/%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % state)
    return s
start = ask(b"started")
time.sleep(float(sys.argv[2]))
stop = ask(b"stopped")
print(*(s.makefile("rb").read()[9:12].decode() for s in (start, stop)))
"""


@pytest.mark.parametrize("delay", [0.03, 0.06, 0.1, 0.15, 0.25, 0.4])
def test_at_any_moment_of_a_start(host, delay):
    made(host, started=False, stop_timeout="1s")
    codes = host.run("python3", "-", SOCKET, delay, stdin=START_AND_STOP).stdout.decode().split()
    assert len(codes) == 2 and "200" in codes and set(codes) <= {"200", "409"}, codes
    is_stopped(host)
    assert at_boot(host) == "linked"


@pytest.mark.parametrize("delay", [0, 0.03, 0.08, 0.15, 0.3])
def test_systemctl_stop_at_any_moment_of_a_start(host, delay):
    made(host, started=False, stop_timeout="1s")
    host.sh(f"systemctl start --no-block gear-1; sleep {delay}; systemctl stop gear-1")
    is_stopped_and_geard_hears_of_it(host)
    time.sleep(0.7)   # a create that was under way in the engine would show by now
    assert gone(host)


def test_while_it_slows_down_after_crashes(host):
    made(host, command=["sh", "-c", "sleep 3; exit 1"])
    wait_until(lambda: unit_is(host, "1", "activating", "start"), 60, "gear-unit waits before the next attempt",
               every=0.03)
    turn(host, "1", "stopped")
    is_stopped(host)


def test_a_stop_and_a_start_at_once_end_in_the_later(host):
    made(host, stop_timeout="60s", command=[
        "sh", "-c", "trap 'until [ -e /tmp/go ]; do sleep 0.1; done; exit 0' TERM; while :; do sleep 0.1; done"])
    let_go = ("exec", "gear-1", "touch", "/tmp/go")
    with meanwhile(host.peer, "PUT", "/container/1/stopped") as stopped:
        wait_until(lambda: unit_is(host, "1", "deactivating"), 20, "the stop is under way")
        with meanwhile(host.peer, "PUT", "/container/1/started", None, {"X-Request-Id": "1a7e4"}) as started:
            wait_until(lambda: host.peer("GET", "/requests/1a7e4").status == 200, 20, "the start is asked for")
            host.docker(*let_go)
    assert stopped[0].status == 200 and started[0].status == 200
    assert container_of(host) and at_boot(host) == "enabled"
    host.docker(*let_go)


# --- by itself -----------------------------------------------------------------------

def test_exit_0_without_restart_is_inactive(host):
    made(host, restart="no", command=["sh", "-c", "sleep 3; exit 0"])
    wait_until(lambda: unit_is(host, "1", "inactive"), 40, "it ended")
    is_stopped_and_geard_hears_of_it(host)


def test_exit_3_without_restart_is_failed_and_says_so(host):
    made(host, restart="no", command=["sh", "-c", "sleep 3; exit 3"])
    wait_until(lambda: unit_is(host, "1", "failed"), 40, "it failed")
    told = wait_until(lambda: (told := status(host))["state"] == "failed" and told, 10, "geard knows")
    assert told["exit"]["status"] == 3, told
    assert gone(host)


@pytest.mark.parametrize("policy", ["always", "on-failure"])
def test_a_crash_is_restarted(host, policy):
    made(host, restart=policy, command=["sh", "-c", "trap 'exit 0' TERM; sleep 3; exit 3"])
    wait_until(lambda: int(host.show("gear-1")["NRestarts"]) >= 1, 60, "it was restarted")
    wait_until(lambda: status(host)["restarts"] == int(host.show("gear-1")["NRestarts"]), 20, "and status knows")


def test_exit_0_is_restarted_only_under_always(host):
    made(host, "a", restart="always", command=["sh", "-c", "sleep 3; exit 0"])
    made(host, "b", restart="on-failure", command=["sh", "-c", "sleep 3; exit 0"])
    wait_until(lambda: int(host.show("gear-a")["NRestarts"]) >= 1, 60, "always restarts it")
    wait_until(lambda: unit_is(host, "b", "inactive"), 40, "on-failure lets it rest")
    assert host.show("gear-b")["NRestarts"] == "0"


EATER = ["sh", "-c", "sleep 3; exec tail /dev/zero"]   # tail keeps all of its endless line


def test_an_oom_kill_is_restarted(host):
    made(host, restart="on-failure", memory="16M", command=EATER)
    wait_until(lambda: int(host.show("gear-1")["NRestarts"]) >= 1, 60, "it was restarted")


def test_an_oom_kill_without_restart_is_failed(host):
    made(host, restart="no", memory="16M", command=EATER)
    wait_until(lambda: unit_is(host, "1", "failed"), 60, "it failed")
    told = wait_until(lambda: (told := status(host))["state"] == "failed" and told, 10, "geard knows")
    assert told["exit"]["status"] == 137, told
    assert "memory" in told["exit"]["meaning"], told
    assert gone(host)


# --- systemctl alone ---------------------------------------------------------------------

def test_systemctl_and_journalctl_are_enough(host):
    made(host, command=["sh", "-c", "trap 'echo bye; exit 0' TERM; echo hello; while :; do sleep 0.1; done"])
    host.systemctl("stop", "geard.service", "geard.socket")
    try:
        first = container_of(host)
        host.systemctl("restart", "gear-1")
        wait_until(lambda: container_of(host) not in ("", first), 10, "a new container")
        host.systemctl("stop", "gear-1")
        assert gone(host) and unit_is(host, "1", "inactive", "dead")
        host.systemctl("start", "gear-1")
        wait_until(lambda: container_of(host), 10, "it runs")
        assert host.show("gear-1")["ActiveState"] == "active"
        lines = host.journal("gear-1").splitlines()
        assert lines.count("bye") == 2 and lines.count("hello") >= 2
        assert "Active: active (running)" in host.systemctl("status", "gear-1")
    finally:
        host.systemctl("start", "geard.socket", "geard.service")
    wait_running(host)


def test_what_systemctl_does_geard_sees(host):
    made(host)
    host.systemctl("stop", "gear-1")
    wait_until(lambda: status(host)["state"] == "stopped", 5, "status says stopped")
    host.systemctl("start", "gear-1")
    wait_running(host)
    assert status(host)["container"] == inspect(host)["Id"][:12]


def test_wanted_state_is_what_was_asked_of_geard(host):
    made(host)
    turn(host, "1", "stopped")
    assert "gear-1.service" not in host.sh("ls /etc/systemd/system/multi-user.target.wants")
    turn(host, "1", "started")
    assert "gear-1.service" in host.sh("ls /etc/systemd/system/multi-user.target.wants")
