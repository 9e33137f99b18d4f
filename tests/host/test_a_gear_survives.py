# SPDX-License-Identifier: Apache-2.0
"""What runs goes on running, and comes back, whatever ends around it; and
GET status is at most a second behind."""

import time

import pytest

from lib.gear import (container_of, create, inspect, knows_all, made, runs, status, truth_is_told, turn, unit_is,
                      wait_running)
from lib.wait import wait_until


def geard_pid(host):
    return host.show("geard.service")["MainPID"]


# --- geard comes and goes ------------------------------------------------------

@pytest.mark.parametrize("end", ["kill -9 $(systemctl show -P MainPID geard)", "systemctl stop geard",
                                 "systemctl restart geard"])
def test_geards_end_touches_no_gear(host, end):
    made(host, "runs")
    made(host, "rests", started=False)
    container, restarts = container_of(host, "runs"), host.show("gear-runs")["NRestarts"]
    before = geard_pid(host)
    host.sh(end)
    wait_until(lambda: geard_pid(host) not in ("0", before) or "stop" in end, 30, "systemd starts another geard")
    assert container_of(host, "runs") == container
    # a stopped one is started by the next connection
    wait_until(lambda: knows_all(host), 30, "geard answers")
    assert geard_pid(host) != before
    assert status(host, "runs")["container"] == container[:12] and status(host, "runs")["state"] == "running"
    assert status(host, "rests")["state"] == "stopped"
    assert container_of(host, "runs") == container and host.show("gear-runs")["NRestarts"] == restarts


def test_what_happened_while_geard_was_away_is_seen(host):
    for gear in ("a", "b", "c"):
        made(host, gear)
    turn(host, "c", "stopped")
    host.systemctl("stop", "geard.socket", "geard.service")
    host.systemctl("stop", "gear-a")
    killed = container_of(host, "b")
    host.docker("kill", "gear-b")
    host.systemctl("start", "gear-c")
    wait_until(lambda: container_of(host, "b") not in ("", killed) and container_of(host, "c"), 60,
               "systemd has brought them up")
    host.systemctl("start", "geard.socket", "geard.service")
    wait_until(lambda: knows_all(host), 30, "geard is back")
    assert [status(host, gear)["state"] for gear in "abc"] == ["stopped", "running", "running"]
    for gear in "bc":
        assert status(host, gear)["container"] == container_of(host, gear)[:12]


# --- the container and its client --------------------------------------------------

ENDS = {
    "docker-client-killed": "kill -9 $(systemctl show -P MainPID gear-1)",
    "docker-rm-f": "docker rm -f gear-1 >/dev/null",
    "docker-kill": "docker kill gear-1 >/dev/null",
    "docker-stop": "docker stop -t 1 gear-1 >/dev/null",
    "process-killed": "kill -9 $(docker inspect -f '{{.State.Pid}}' gear-1)",
    "unit-killed": "systemctl kill --signal=KILL gear-1",
}


@pytest.mark.parametrize("end", ENDS)
def test_it_comes_back_and_the_truth_is_told(host, end):
    made(host)
    before = container_of(host)
    host.sh(ENDS[end])
    truth_is_told(host, seconds=3)
    wait_until(lambda: container_of(host) not in ("", before), 60, "another container runs")
    wait_running(host)
    assert host.docker("ps", "-aq").count("\n") == 0, "one container, not two"


@pytest.mark.parametrize("end", ["docker-rm-f", "process-killed", "docker-client-killed"])
def test_one_that_shall_not_restart_does_not(host, end):
    made(host, restart="no")
    host.sh(ENDS[end])
    truth_is_told(host, seconds=3)
    wait_until(lambda: status(host)["state"] in ("failed", "stopped"), 5, "it ended")
    assert host.docker("ps", "-aq") == "", "and left no container"


def test_a_paused_container_is_told_and_can_be_stopped(host):
    made(host)
    host.docker("pause", "gear-1")
    wait_until(lambda: inspect(host)["State"]["Status"] == "paused", 5, "it is paused")
    assert status(host)["unit"]["active"] == "active"
    host.docker("unpause", "gear-1")
    truth_is_told(host, seconds=2)
    turn(host, "1", "stopped")


CRASHES = ["sh", "-c", "sleep 3; test -e /data/well && exec sleep 1000; exit 3"]
LIMIT = "/run/systemd/system/gear-1.service.d/limit.conf"


def test_a_crash_loop_ends_and_says_so_and_the_gear_can_be_started_again(host):
    host.sh(f"mkdir -p $(dirname {LIMIT}) && printf '[Unit]\\nStartLimitBurst=3\\n' > {LIMIT}")
    try:
        made(host, command=CRASHES, stop_timeout="1s", volumes=[{"name": "data", "target": "/data"}])
        wait_until(lambda: status(host)["state"] == "failed", 180, "systemd has given up")
        shown = status(host)
        assert shown["unit"]["active"] == "failed" and shown["unit"]["result"] in ("exit-code", "start-limit-hit"), shown
        assert shown["exit"]["status"] == 3, shown
        assert host.show("gear-1")["NRestarts"] == "3", "three runs, and a fourth that was refused"
        for _ in range(20):
            assert container_of(host) == "" and status(host)["state"] == "failed"
            time.sleep(0.2)

        # the limit has no say where somebody asks for a start
        volume = host.docker("volume", "inspect", "-f", "{{.Mountpoint}}", host.docker("volume", "ls", "-q"))
        host.sh(f"touch {volume}/well")
        turn(host, "1", "started")
        wait_running(host)
        for _ in range(3 + 1):
            turn(host, "1", "restarted")
        for v in range(3 + 1):
            assert create(host, labels={"v": str(v)}, stop_timeout="1s", replace=True).status == 201
        assert runs(host)
    finally:
        host.sh(f"rm -rf $(dirname {LIMIT}) && systemctl daemon-reload")


# --- the host -------------------------------------------------------------------------

def test_a_reboot_brings_back_what_was_wanted(fresh_host):
    host = fresh_host
    made(host, "runs", ports=[{"internal": 8080}], env={"A": "b"})
    made(host, "rests")
    turn(host, "rests", "stopped")
    made(host, "woken", started=False)
    turn(host, "woken", "started")
    made(host, "never", started=False)
    port = status(host, "runs")["ports"]
    for reboot in (host.reboot, host.crash):
        before = container_of(host, "runs")
        reboot()
        for gear in ("runs", "woken"):
            wait_running(host, gear)
        assert container_of(host, "runs") != before and "A=b" in inspect(host, "runs")["Config"]["Env"]
        assert status(host, "runs")["ports"] == port
        for gear in ("rests", "never"):
            assert status(host, gear)["state"] == "stopped"
            assert unit_is(host, gear, "inactive") and host.show(f"gear-{gear}")["LoadState"] == "loaded"
        assert host.docker("ps", "-aq").count("\n") == 1, "two containers, those of the crashed boot are gone"
        assert host.systemctl("list-units", "--failed", "--plain", "--no-legend") == ""


def test_stopped_with_systemctl_alone_still_comes_back_at_boot(fresh_host):
    host = fresh_host
    made(host)
    host.systemctl("stop", "gear-1")
    host.reboot()
    wait_running(host)


# --- the engine is restarted ------------------------------------------------------------

def seconds_of_a_restart(host):
    began = time.monotonic()
    turn(host, "1", "restarted")
    return time.monotonic() - began


@pytest.mark.parametrize("how", ["systemctl restart docker",
                                 "kill -9 $(systemctl show -P MainPID docker)",
                                 "systemctl kill --signal=KILL containerd"])
def test_a_restart_of_the_engine_brings_them_back(fresh_host, how):
    host = fresh_host
    made(host, stop_timeout="2s")
    made(host, "rests", started=False)
    usual = seconds_of_a_restart(host)
    host.sh(how)
    truth_is_told(host, seconds=5)
    wait_until(lambda: runs(host), 60, "it runs again")
    truth_is_told(host, seconds=2)
    assert status(host, "rests")["state"] == "stopped"
    assert host.docker("ps", "-aq").count("\n") == 0
    assert seconds_of_a_restart(host) < 2 * usual + 10
