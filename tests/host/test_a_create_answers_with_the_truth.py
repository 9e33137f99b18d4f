# SPDX-License-Identifier: Apache-2.0
"""PUT /container answers when the container really runs, or says why it does
not and leaves nothing."""

import json
import shlex
import time

import pytest

from lib.gear import (HOLD, JSON, at_boot, container_of, create, inspect, made, status, traces, turn, wait_running)
from lib.host import URL
from lib.wait import wait_until


def shell(script):
    return ["sh", "-c", script]


def problem(answer, code=500):
    assert answer.status == code, answer
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.json["detail"]


# --- what ready means --------------------------------------------------------

def test_running_means_that_the_process_is_there(host):
    gear = made(host)
    pid = inspect(host)["State"]["Pid"]
    assert host.sh(f"tr '\\0' ' ' < /proc/{pid}/cmdline").startswith("/bin/sh /bin/hold")
    assert gear["state"] == "running" and gear["unit"]["active"] == "active"
    assert container_of(host).startswith(gear["container"])


def test_healthy_means_that_the_check_of_the_image_passed(host):
    answer = create(host, image="test/health", ready="healthy",
                    command=shell("sleep 2; touch /tmp/healthy; exec hold"))
    assert answer.status == 201, answer
    assert answer.json["health"] == "healthy"
    assert inspect(host)["State"]["Health"]["Status"] == "healthy"


def test_healthy_means_that_the_check_of_the_spec_passed(host):
    health = {"command": ["test", "-e", "/tmp/there"], "interval": "1s", "retries": 9}
    answer = create(host, ready="healthy", health=health, command=shell("sleep 1; touch /tmp/there; exec hold"))
    assert answer.status == 201, answer
    assert inspect(host)["State"]["Health"]["Status"] == "healthy"


@pytest.mark.parametrize("ready", [{"tcp": 8080}, {"http": {"port": 8080, "path": "/index.html"}}])
def test_a_port_is_ready_when_it_answers(host, ready):
    began = time.monotonic()
    answer = create(host, image="test/port", ready=ready, ports=[{"internal": 8080, "external": 4400}],
                    command=shell("sleep 2; exec serve 8080"))
    assert answer.status == 201, answer
    assert time.monotonic() - began > 2
    assert "It runs." in host.sh("curl -s --fail http://127.0.0.1:4400/")


def test_a_log_line_makes_it_ready(host):
    began = time.monotonic()
    answer = create(host, ready={"log": "^ready [0-9]+$"}, command=shell("sleep 2; echo ready 42; exec hold"))
    assert answer.status == 201, answer
    assert time.monotonic() - began > 2


def test_a_command_that_ends_well_and_shall_not_restart_is_done(host):
    answer = create(host, restart="no", command=["true"])
    assert answer.status in (200, 201), answer
    assert host.show("gear-1")["ActiveState"] == "inactive"
    assert status(host)["state"] == "stopped"


# --- what fails --------------------------------------------------------------

FAILURES = {
    "exit-3": ({"image": "test/crash"}, 500, ["status 3", "about to fail"]),
    "not-found": ({"command": ["no-such-program"]}, 404, ["command", "no-such-program", "not found"]),
    "not-executable": ({"command": ["/etc/passwd"]}, 400, ["command", "/etc/passwd", "cannot be executed"]),
    "not-found-inside": ({"command": shell("no-such-program")}, 500, ["127", "not found"]),
    "crash-after-exec": ({"command": shell("echo last words; kill -SEGV $$")}, 500, ["last words"]),
    "ends-though-it-shall-run": ({"command": ["true"]}, 500, ["status 0"]),
    "unhealthy": ({"image": "test/health", "ready": {"healthy": True, "timeout": "4s"}}, 504, ["healthy"]),
    "never-ready": ({"ready": {"tcp": 8080, "timeout": "2s"}}, 504, ["not ready in time"]),
    "dies-before-ready": ({"ready": {"tcp": 8080}, "command": shell("sleep 1; echo gave up; exit 9")}, 500,
                          ["status 9", "gave up"]),
}


@pytest.mark.parametrize("case", FAILURES)
def test_what_does_not_start_is_told_and_undone(host, case):
    spec, code, words = FAILURES[case]
    answer = create(host, "bad", **spec, ports=[{"internal": 8080, "external": 4400}], env={"A": "b"})
    detail = problem(answer, code)
    for word in words:
        assert word in detail, detail
    assert traces(host, "bad") == []
    assert "bad" not in host.systemctl("list-units", "--all", "--plain", "--no-legend", "--failed")
    assert host.peer("GET", "/container/bad/status").status == 404
    # the port is free again
    made(host, "good", ports=[{"internal": 8080, "external": 4400}])


def test_a_missing_image_is_named_and_nothing_is_written(host):
    answer = create(host, image="localhost:1/no/such:image")
    assert answer.status == 404, answer
    assert "localhost:1/no/such:image" in answer.json["detail"] and answer.json["field"] == "image"
    assert traces(host, "1") == []


# --- plans -------------------------------------------------------------------

def test_a_plan_writes_nothing_and_its_argv_is_what_runs(host):
    spec = {"command": HOLD, "env": {"SECRET": "s3cret"}, "memory": "64M", "labels": {"a": "x y%$\"'\\"},
            "ports": [{"internal": 8080, "external": 4400}]}
    plan = create(host, query="?plan=yes", **spec)
    assert plan.status == 200 and plan.json["plan"] == "create", plan
    assert "s3cret" not in plan.text
    assert traces(host, "1") == []
    made(host, **spec)
    # gear-unit has become docker: its command line is the argv that was told
    cmdline = host.run("cat", f"/proc/{host.show('gear-1')['MainPID']}/cmdline").stdout
    drop = ("RequestId=", "Created=", "LogExtraFields=GEARD_CREATED=", "--label=io.geard.request=") # a plan is no request
    assert [word for word in cmdline.decode().split("\0")[:-1] if not word.startswith(drop)] == \
        [word for word in plan.json["argv"] if not word.startswith(drop)]
    installed = host.sh("cat /var/lib/gears/units/gear-1.service")
    assert [line for line in plan.json["unit"].splitlines() if not line.strip().startswith(drop)] == \
        [line for line in installed.splitlines() if not line.strip().startswith(drop)]


def test_a_plan_of_a_change_shows_the_difference(host):
    made(host, memory="64M")
    pid = host.show("gear-1")["MainPID"]
    same = create(host, query="?plan=yes", memory="64M")
    assert same.json["plan"] == "nothing" and not same.json["restarts"]
    assert create(host, query="?plan=yes", memory="32M").json["plan"] == "conflict"
    plan = create(host, query="?plan=yes", memory="32M", replace=True).json
    assert plan["plan"] == "replace" and plan["restarts"]
    assert any(line.startswith("-") and str(64 << 20) in line for line in plan["diff"].splitlines())
    assert any(line.startswith("+") and str(32 << 20) in line for line in plan["diff"].splitlines())
    assert host.show("gear-1")["MainPID"] == pid


# --- again, otherwise, in its place ----------------------------------------------

@pytest.mark.parametrize("method, call, body, verdict, restarts", [
    ("PUT", "/started", None, "nothing", False),
    ("PUT", "/stopped", None, "stop", False),
    ("PUT", "/restarted", None, "restart", True),
    ("POST", "/restart", None, "restart", True),
    ("PUT", "/env", {"A": "2"}, "environment", False),
    ("PATCH", "/env", {"A": None}, "environment", False),
])
def test_a_plan_of_any_other_change_does_nothing_either(host, method, call, body, verdict, restarts):
    made(host, env={"A": "1"})
    unit = host.root / "var/lib/gears/units/gear-1.service"
    text, before = unit.read_text(encoding="utf-8"), status(host)
    plan = host.peer(method, f"/container/1{call}?plan=yes", body, JSON)
    assert plan.status == 200 and plan.json["plan"] == verdict and plan.json["restarts"] == restarts, plan
    assert plan.json["unit"] == text and plan.json["diff"] == "" and plan.json["argv"][-1] == "test/busybox"
    after = status(host)
    assert all(after[name] == before[name] for name in ("state", "container", "pid"))
    assert unit.read_text(encoding="utf-8") == text
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1"}


def test_a_gear_may_be_created_stopped(host):
    gear = made(host, started=False)
    assert gear["state"] == "stopped"
    shown = host.show("gear-1")
    assert (shown["LoadState"], shown["ActiveState"], at_boot(host)) == ("loaded", "inactive", "linked")
    assert container_of(host) == ""
    turn(host, "1", "started")
    assert container_of(host) != "" and at_boot(host) == "enabled"


def test_the_same_again_changes_nothing(host):
    made(host, memory="64M", env={"A": "1"})
    container = container_of(host)
    answer = create(host, memory=64 << 20, env={"A": "1"})
    assert answer.status == 200, answer
    assert container_of(host) == container


def test_the_same_again_of_one_that_only_systemctl_started_is_for_the_next_boot_too(host):
    made(host, started=False)
    host.systemctl("start", "gear-1")
    wait_running(host)
    container = container_of(host)
    assert at_boot(host) == "linked"
    again = create(host)
    assert again.status == 200 and container_of(host) == container, again
    assert at_boot(host) == "enabled" and (host.root / "var/lib/gears/wanted/1").read_text().strip() == "started"


@pytest.mark.parametrize("other", [{"memory": "32M"}, {"env": {"A": "2"}}, {"command": ["hold", "1"]}])
def test_another_definition_is_a_conflict(host, other):
    made(host, memory="64M", env={"A": "1"})
    container = container_of(host)
    answer = create(host, **{"memory": "64M", "env": {"A": "1"}, **other})
    assert answer.status == 409 and answer.json["field"] == "replace", answer
    assert container_of(host) == container


def test_replace_puts_another_in_its_place(host):
    made(host, env={"A": "1"}, labels={"v": "1"})
    container = container_of(host)
    answer = create(host, labels={"v": "2"}, replace=True)
    assert answer.status in (200, 201), answer
    new = inspect(host)
    assert new["Id"] != container and new["Config"]["Labels"]["v"] == "2"
    assert "A=1" in new["Config"]["Env"], "a body without an environment says nothing about it"
    assert host.docker("ps", "-aq").count("\n") == 0


def test_the_old_one_comes_back_when_the_new_one_does_not_start(host):
    made(host, env={"A": "1"}, labels={"v": "1"})
    unit = host.sh("cat /var/lib/gears/units/gear-1.service")
    answer = create(host, image="test/crash", replace=True, env={"A": "2"})
    assert "status 3" in problem(answer)
    wait_running(host)
    old = inspect(host)
    assert old["Config"]["Labels"]["v"] == "1" and "A=1" in old["Config"]["Env"]
    assert host.sh("cat /var/lib/gears/units/gear-1.service") == unit
    assert host.sh("ls -A /var/lib/gears/previous 2>/dev/null", check=False) == ""
    assert host.show("gear-1")["NeedDaemonReload"] == "no"


def test_a_stopped_one_that_could_not_be_replaced_stays_stopped(host):
    made(host, started=False, labels={"v": "1"})
    problem(create(host, image="test/crash", replace=True))
    assert status(host)["state"] == "stopped" and container_of(host) == ""
    assert at_boot(host) == "linked"


def test_a_running_one_may_be_replaced_by_a_stopped_one(host):
    made(host, labels={"v": "1"})
    answer = create(host, started=False, labels={"v": "2"}, replace=True)
    assert answer.status in (200, 201), answer
    assert answer.json["state"] == "stopped" and answer.json["labels"]["v"] == "2"
    assert container_of(host) == ""
    assert at_boot(host) == "linked"
    turn(host, "1", "started")
    assert inspect(host)["Config"]["Labels"]["v"] == "2"


# --- clients ---------------------------------------------------------------------

def test_a_client_that_leaves_does_not_stop_a_create(host):
    body = json.dumps({"image": "test/busybox", "ready": {"log": "now"}, "stop_timeout": "1s",
                       "command": shell("sleep 2; echo now; exec hold")})
    left = host.run("curl", "-s", "-X", "PUT", "--max-time", "0.5", "--unix-socket", "/run/geard/geard.sock",
                    "http://localhost/container/1", "-d", body, check=False)
    assert left.returncode == 28
    wait_until(lambda: host.peer("GET", "/container/1/status", headers=JSON).status == 200, 10, "it is under way")
    wait_running(host)


def test_a_create_that_takes_longer_than_the_client_waits_is_told_later(host):
    answer = create(host, query="?wait=0", command=shell("sleep 1; echo now; exec hold"), ready={"log": "now"},
                    stop_timeout="1s")
    assert answer.status == 202, answer
    location = answer.headers["location"]
    wait_running(host)
    later = host.peer("GET", location, headers=JSON).json
    assert later["state"] in ("done", "running")


def test_a_streaming_client_sees_it_happen(host):
    answer = host.peer("PUT", "/container/1", {"image": "test/busybox"}, {"Accept": "text/plain;stream=true"})
    lines = answer.text.splitlines()
    assert answer.status == 200 and len(lines) > 2, answer
    assert lines[-1].startswith("done 201"), answer


# --- the same request ------------------------------------------------------------

def test_ids_are_numbers_however_they_are_written(host):
    first = host.token("PUT", "container", {}, r="1", i="91", t="test/busybox")
    assert first.status == 201, first
    again = host.token("PUT", "container", {}, r="1", i="0000091", t="test/busybox")
    assert again.headers["geard-replayed"] == "yes"
    for i in ("92", "93", "9a"):
        assert "geard-replayed" not in host.token("PUT", "container/started", r="1", i=i).headers


def test_one_id_for_two_requests_is_a_conflict(host):
    assert host.token("PUT", "container", {}, r="1", i="abc1", t="test/busybox").status == 201
    other = host.token("PUT", "container/stopped", r="1", i="abc1")
    assert other.status == 409, other
    assert container_of(host) != ""


def test_two_clients_with_one_request_get_one_answer(host):
    body = json.dumps({"ready": {"log": "now"}, "stop_timeout": "1s", "command": shell("sleep 1; echo now; exec hold")})
    call = f"curl -s -w ' %{{http_code}}\n' -X PUT -d {shlex.quote(body)} '" + URL + \
        "/token/__test__/container?u=0&d=1&r=1&i=abc3&t=test/busybox'"
    for when in ("while it runs", "when it is done"):
        both = host.sh(f"{call} & {call}; wait")
        assert both.count(" 201") == 2, (when, both)
        assert len(host.docker("ps", "-aq").splitlines()) == 1


def test_an_id_that_failed_is_free_again(host):
    assert host.token("PUT", "container", {}, r="1", i="abc2", t="test/crash").status == 500
    again = host.token("PUT", "container", {}, r="1", i="abc2", t="test/crash")
    assert again.status == 500 and "geard-replayed" not in again.headers
