# SPDX-License-Identifier: Apache-2.0
"""A job is a container that runs once, in job-<id>.service: what became of it is
told, remembered, and found again whoever died meanwhile."""

import json
import time

import pytest

from lib.gear import JSON, create, knows_all, made, turn
from lib.killing import MOST, killed_at
from lib.tokens import get
from lib.tokens import put as put_as
from lib.wait import wait_until

IMAGE = "test/busybox"


@pytest.fixture
def jobs(host):
    """A host that forgets units of jobs soon."""
    host.configure("60-jobs", "[Daemon]\nJobKeep=1s\n")
    host.systemctl("reload", "geard")
    yield host
    for job in host.peer("GET", "/jobs", headers=JSON).json["jobs"]:
        if job["state"] in ("waiting", "running"):
            host.peer("DELETE", f"/jobs/{job['id']}")
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend 'job-*'"), 20, "units are collected")
    host.sh("rm -f /etc/geard/geard.conf.d/6?-jobs.conf; systemctl reload geard")


def put(host, job="j1", command=("true",), query="", headers=JSON, **spec):
    target = f"/jobs/{job}{query}" if job else f"/jobs{query}"
    return host.peer("PUT", target, {"image": IMAGE, "command": list(command), **spec}, headers)


def shell(script):
    return ("sh", "-c", script)


def told(host, job="j1"):
    return host.peer("GET", f"/jobs/{job}", headers=JSON).json


def state(host, job="j1"):
    return told(host, job).get("state")


def wait_for(host, what, job="j1", seconds=30):
    wait_until(lambda: state(host, job) == what, seconds, f"job {job} is {what}")


def started(host, job="j1", command=("sleep", "600"), **spec):
    """It runs, and nobody waits for it."""
    answer = put(host, job, command, "?wait=0", **spec)
    assert answer.status == 202, answer
    wait_until(lambda: host.docker("ps", "-q", "-f", f"name=^job-{job}$"), 30, f"the container of job {job} runs")
    return answer


def containers(host):
    return host.docker("ps", "-a", "--format", "{{.Names}}").split()


# --- it runs ------------------------------------------------------------------------------------------


def test_it_runs_and_what_it_came_to_is_told(jobs):
    host = jobs
    answer = put(host, command=shell("echo out; echo err >&2; exit 0"))
    assert answer.status == 201, answer
    assert answer.headers["location"] == "/jobs/j1"
    job = told(host)
    assert job["state"] == "succeeded" and job["exit_status"] == 0 and job["reason"] is None, job
    assert sorted(job["output"].split()) == ["err", "out"]
    assert job["created"] <= job["started"] <= job["ended"], job
    assert job["attempts"] == 1 and job["retries"] == 0 and job["unit"] == "job-j1.service"
    assert job["spec"]["image"] == IMAGE and job["spec"]["command"][0] == "sh"
    assert 1 << 18 < job["peak_memory"] < 1 << 30, job
    assert containers(host) == []


def test_its_unit_is_in_sight_and_then_collected(jobs):
    host = jobs
    started(host, command=("sleep", "2"))
    unit = host.show("job-j1")
    assert unit["ActiveState"] == "activating" and unit["Slice"] == "gear-jobs.slice", unit
    assert "attempt 1 of 1" in unit["StatusText"]
    wait_for(host, "succeeded")
    wait_until(lambda: host.show("job-j1")["LoadState"] == "not-found", 20, "its unit is collected")
    assert state(host) == "succeeded"
    assert "job-j1" not in host.sh("ls /run/systemd/units"), "with what systemd keeps of it there"


def test_one_that_fails_is_told_with_its_status_and_its_last_lines(jobs):
    host = jobs
    answer = put(host, command=shell("echo one; echo two; exit 3"))
    assert answer.status == 500 and "status 3" in answer.json["detail"], answer
    assert "one\ntwo" in answer.json["detail"]
    job = told(host)
    assert job["state"] == "failed" and job["exit_status"] == 3 and job["output"] == "one\ntwo\n", job


@pytest.mark.parametrize("command, status, says", [
    (("/nowhere",), 127, "not found"),
    (("/etc/passwd",), 126, "cannot be executed"),
    (shell("exit 137"), 137, "killed"), # the first process of a container is deaf to signals from inside
    (shell("exit 143"), 143, "signal"),
])
def test_what_a_status_means_is_said(jobs, command, status, says):
    host = jobs
    answer = put(host, command=command)
    assert answer.status == 500 and says in answer.json["detail"], answer
    assert told(host)["exit_status"] == status


def test_for_people_it_is_text(jobs):
    host = jobs
    answer = put(host, command=("echo", "hello"), headers={})
    assert answer.status == 201 and answer.text.startswith("Job j1 succeeded after "), answer
    assert answer.text.endswith("\nhello\n"), answer
    text = host.peer("GET", "/jobs/j1").text
    assert text.startswith("Job j1 succeeded") and "Status: 0" in text and text.endswith("\nhello\n"), text
    assert "j1 " in host.peer("GET", "/jobs").text


def test_without_an_id_it_has_that_of_its_request(jobs):
    host = jobs
    answer = put(host, None, headers={**JSON, "X-Request-Id": "abc1"})
    assert answer.status == 201 and answer.json["id"] == "abc1".rjust(32, "0"), answer
    answer = put(host, None)
    assert answer.status == 201 and len(answer.json["id"]) == 32, answer
    assert put(host, None, id="named").json["id"] == "named"
    assert put(host, "path", id="other").status == 403
    assert len(host.peer("GET", "/jobs", headers=JSON).json["jobs"]) == 3


def test_it_has_the_fields_of_gears(jobs):
    host = jobs
    answer = put(host, command=shell('echo "$A-$(id -u)-$(pwd)-$(hostname)"; cat /sys/fs/cgroup/memory/memory.limit_in_bytes '
                                     '/sys/fs/cgroup/memory.max 2>/dev/null; touch /x 2>&1; touch /v/x && ls /v'),
                 env={"A": "b=c d"}, user="12", workdir="/tmp", hostname="h1", memory="64m", read_only=True,
                 volumes=[{"name": "data", "target": "/v"}], pids=50, cpus=0.5, labels={"a": "b"})
    lines = answer.json["output"].splitlines() if answer.status == 201 else []
    if answer.status != 201: # the volume belongs to root
        lines = told(host)["output"].splitlines()
    # two streams, each in its order
    assert lines[0] == "b=c d-12-/tmp-h1" and str(64 << 20) in lines, answer
    assert [line for line in lines if "Read-only" in line] == ["touch: /x: Read-only file system"]
    assert host.docker("volume", "ls", "-q", "-f", "label=io.geard.job=j1").strip() == "job-j1-data"
    host.docker("volume", "rm", "job-j1-data")


def test_its_environment_is_nowhere_but_in_the_container(jobs):
    host = jobs
    started(host, command=("sleep", "3"), env={"SECRET": "hidden-4711"})
    assert host.sh("stat -c %a /var/lib/gears/jobs/j1.env") == "600"
    assert "hidden-4711" not in host.sh("systemctl cat job-j1; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; "
                                        "strings /var/lib/geard/geard.db*; curl -s --unix-socket /run/geard/geard.sock "
                                        "http://localhost/jobs/j1 -H 'Accept: application/json'", check=False)
    wait_for(host, "succeeded")
    assert host.sh("ls /var/lib/gears/jobs") == ""


def test_the_next_one_of_its_id_takes_its_place(jobs):
    host = jobs
    assert put(host, command=shell("echo first; exit 1")).status == 500
    assert put(host, command=("echo", "second")).status == 201
    assert told(host)["output"] == "second\n"


def test_what_it_says_is_streamed(jobs):
    host = jobs
    answer = put(host, command=shell("for i in 1 2 3; do echo line $i; sleep 0.3; done"),
                 headers={"Accept": "text/plain;stream=true"})
    lines = answer.text.splitlines()
    assert [line for line in lines if line.startswith("line")][:3] == ["line 1", "line 2", "line 3"], answer
    assert any("Job j1 succeeded" in line for line in lines), answer


def test_its_log_is_its_own(jobs):
    host = jobs
    assert put(host, command=("echo", "of the first")).status == 201
    assert put(host, command=("echo", "of the second")).status == 201
    log = host.peer("GET", "/jobs/j1/log?follow=no")
    assert log.status == 200 and log.text.splitlines() == ["of the second", "-- job-j1 ended --"], log
    assert host.peer("GET", "/jobs/none/log?follow=no").status == 404


def test_much_output_keeps_its_end(jobs):
    host = jobs
    answer = put(host, command=shell("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"))
    assert answer.status == 201, answer
    lines = told(host)["output"].splitlines()
    assert lines[-1] == "line 4999" and lines[0].startswith("line ") and len("\n".join(lines)) <= 16384
    first = int(lines[0].split()[1])
    assert lines == [f"line {n}" for n in range(first, 5000)]


def test_its_container_has_limits_labels_and_ports(jobs):
    host = jobs
    started(host, command=("sleep", "60"), pids=17, cpus=0.5, labels={"who": "job"}, stop_timeout="1s",
            ports=[{"internal": 80, "external": 4321, "address": "127.0.0.1"}])
    wait_until(lambda: containers(host), 30, "it is there")
    found = json.loads(host.docker("inspect", "job-j1"))[0]
    assert found["HostConfig"]["PidsLimit"] == 17 and found["HostConfig"]["NanoCpus"] == 500_000_000
    assert found["Config"]["Labels"]["who"] == "job" and found["Config"]["Labels"]["io.geard.job"] == "j1"
    wait_until(lambda: "127.0.0.1:4321" in host.sh("ss -ltn"), 20, "the port is open")
    assert create(host, ports=[{"internal": 80, "external": 4321, "address": "127.0.0.1"}]).status == 409
    assert put(host, "j2", ports=[{"internal": 80, "external": 4321, "address": "127.0.0.1"}]).status == 409
    assert host.peer("DELETE", "/jobs/j1").status == 204


def test_it_takes_no_port_that_a_gear_holds(jobs):
    """… were it only one that is stopped: it would not start again."""
    host = jobs
    made(host, ports=[{"internal": 80, "external": 4321}])
    turn(host, "1", "stopped")
    answer = put(host, ports=[{"internal": 80, "external": 4321}])
    assert answer.status == 409 and "held by gear 1" in answer.json["detail"] and answer.json["field"] == "ports[0].external", answer
    assert state(host) == "failed" and containers(host) == []
    rarely = put(host, "j3", schedule="*-01-01", ports=[{"internal": 80, "external": 4321}])
    assert rarely.status == 409 and "held by gear 1" in rarely.json["detail"], rarely
    turn(host, "1", "started")
    assert put(host, "j2", ports=[{"internal": 80, "external": 4322}]).status == 201


# --- attempts, time, memory ------------------------------------------------------------------------------


def test_it_is_tried_again(jobs):
    host = jobs
    again = "n=$(cat /v/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /v/n; echo try $n; [ $n -ge 3 ]"
    answer = put(host, command=shell(again), retries=4, volumes=[{"name": "count", "target": "/v"}])
    assert answer.status == 201, answer
    job = told(host)
    assert job["attempts"] == 3 and job["retries"] == 4 and job["output"] == "try 1\ntry 2\ntry 3\n", job
    host.docker("volume", "rm", "job-j1-count")


def test_there_is_an_end_to_being_tried(jobs):
    host = jobs
    answer = put(host, command=shell("echo no; exit 7"), retries=1)
    assert answer.status == 500 and "attempt 2 of 2" in answer.json["detail"] and "status 7" in answer.json["detail"]
    assert told(host)["output"] == "no\nno\n"


def test_it_may_not_take_longer(jobs):
    host = jobs
    before = time.monotonic()
    answer = put(host, command=shell("trap 'echo told; exit 5' TERM; echo begun; sleep 600 & wait"), retries=5,
                 timeout="2s")
    assert answer.status == 504 and "longer than 2 s" in answer.json["detail"], answer
    assert time.monotonic() - before < 20
    job = told(host)
    assert job["state"] == "failed" and job["output"] == "begun\ntold\n", job
    assert containers(host) == []


def test_its_memory_is_what_it_took(jobs):
    host = jobs
    answer = put(host, command=shell("dd if=/dev/zero of=/dev/null bs=48M count=1"))
    assert answer.status == 201, answer
    assert 48 << 20 <= told(host)["peak_memory"] < 80 << 20
    assert put(host, command=("true",)).status == 201
    assert told(host)["peak_memory"] < 24 << 20, "not that of the one before"


def test_out_of_memory_is_said(jobs):
    host = jobs
    answer = put(host, command=shell("dd if=/dev/zero of=/dev/null bs=64M count=1; exit $?"), memory="16m")
    assert answer.status == 500 and "ran out of memory" in answer.json["detail"], (answer, told(host))


# --- its name ---------------------------------------------------------------------------------------------


def test_one_that_runs_has_its_name(jobs):
    host = jobs
    started(host)
    for answer in (put(host), host.peer("PUT", "/repository/j1", None, JSON)):
        assert answer.status == 409 and "j1" in answer.json["detail"] and "job" in answer.json["detail"], answer
    assert host.peer("DELETE", "/jobs/j1").status == 204


def test_repositories_and_jobs_share_their_names(jobs):
    host = jobs
    assert host.peer("PUT", "/repository/r1").status == 201
    answer = put(host, "r1")
    assert answer.status == 409 and "repository r1" in answer.json["detail"], answer
    assert host.peer("GET", "/jobs/r1").status == 404
    assert host.peer("DELETE", "/repository/r1").status == 204
    assert put(host, "r1").status == 201
    answer = host.peer("PUT", "/repository/r1", None, JSON)
    assert answer.status == 409 and "job r1" in answer.json["detail"] and "DELETE" in answer.json["detail"], answer
    assert host.peer("DELETE", "/jobs/r1").status == 204
    assert host.peer("PUT", "/repository/r1").status == 201
    assert host.peer("DELETE", "/repository/r1").status == 204


def test_a_unit_of_its_name_that_is_not_ours_stays(jobs):
    host = jobs
    host.sh("systemd-run --quiet --unit=job-j1 sleep 600")
    answer = put(host)
    assert answer.status == 409 and "job-j1.service" in answer.json["detail"], answer
    assert host.show("job-j1")["SubState"] == "running"
    host.systemctl("stop", "job-j1")


# --- its end by others --------------------------------------------------------------------------------------


def test_it_is_canceled(jobs):
    host = jobs
    started(host, command=shell("trap 'echo told; exit 0' TERM; sleep 600 & wait"))
    assert host.peer("DELETE", "/jobs/j1").status == 204
    assert containers(host) == []
    job = told(host)
    assert job["state"] == "canceled" and job["output"] == "told\n", job
    assert host.peer("DELETE", "/jobs/j1").status == 204, "forgotten"
    assert host.peer("GET", "/jobs/j1").status == 404
    assert host.peer("DELETE", "/jobs/j1").status == 204


def test_who_waited_for_a_canceled_one_is_told(jobs):
    host = jobs
    client = host.start("curl", "-s", "--unix-socket", "/run/geard/geard.sock", "-X", "PUT", "-w", "%{http_code}", "-d",
                        json.dumps({"image": IMAGE, "command": ["sleep", "600"]}), "http://localhost/jobs/j1")
    wait_until(lambda: "job-j1" in containers(host), 30, "it runs")
    assert host.peer("DELETE", "/jobs/j1").status == 204
    said = client.communicate(timeout=30)[0].decode()
    assert "job j1 canceled" in said and said.endswith("409"), said


def test_systemd_reads_its_units_anew_meanwhile(jobs):
    host = jobs
    started(host, command=shell("trap 'exit 0' TERM; sleep 3 & wait; echo '$A' \"$A\" $$ '%n' '${A}'"), env={"A": "b"})
    host.systemctl("daemon-reload")
    unit = host.show("job-j1")
    assert unit["LoadState"] == "loaded" and "clean-job" in unit["ExecStopPost"], unit
    wait_for(host, "succeeded")
    assert told(host)["output"] == "$A b 1 %n ${A}\n"
    started(host)
    host.systemctl("daemon-reload")
    host.sh("kill -9 $(systemctl show -P MainPID job-j1)")
    wait_for(host, "failed")
    assert containers(host) == []


def test_it_is_stopped_by_hand(jobs):
    host = jobs
    answer = started(host)
    host.systemctl("stop", "job-j1")
    wait_for(host, "canceled")
    assert containers(host) == []
    assert host.peer("GET", answer.headers["location"], headers=JSON).json["status"] == 409


def test_its_container_is_killed_by_hand(jobs):
    host = jobs
    started(host)
    host.docker("kill", "job-j1")
    wait_for(host, "failed")
    assert told(host)["exit_status"] == 137


def test_its_helper_is_killed_by_hand(jobs):
    host = jobs
    started(host)
    host.sh("kill -9 $(systemctl show -P MainPID job-j1)")
    wait_for(host, "failed")
    assert containers(host) == []
    assert "signal 9" in told(host)["reason"]


def test_the_engine_goes_away_under_it(jobs):
    host = jobs
    started(host)
    host.systemctl("stop", "docker.socket", "docker")
    wait_for(host, "failed", seconds=60)
    host.systemctl("start", "docker")
    wait_until(lambda: put(host, "j2").status == 201, 60, "the next one runs")
    assert containers(host) == []


# --- geard's end -----------------------------------------------------------------------------------------------


def test_one_that_runs_when_geard_dies_is_found_again(jobs):
    host = jobs
    answer = started(host, command=shell("sleep 4; echo done"), headers={**JSON, "X-Request-Id": "70bd1"})
    host.sh("kill -9 $(systemctl show -P MainPID geard); sleep 0.3; systemctl reset-failed geard; systemctl start geard")
    assert state(host) == "running"
    again = put(host, command=shell("sleep 4; echo done"), headers={**JSON, "X-Request-Id": "70bd1"})
    assert again.status == 201 and again.headers.get("geard-replayed") == "yes", again
    job = told(host)
    assert job["state"] == "succeeded" and job["output"] == "done\n" and job["attempts"] == 1, job
    assert host.peer("GET", answer.headers["location"], headers=JSON).json["status"] == 201


def test_one_that_ends_while_geard_is_away_is_told_later(jobs):
    host = jobs
    started(host, command=shell("sleep 3; echo done; exit 4"), headers={**JSON, "X-Request-Id": "70bd2"})
    before = time.monotonic()
    host.systemctl("stop", "geard.service", "geard.socket")
    assert time.monotonic() - before < 10, "no stop waits for a job"
    time.sleep(4)
    host.systemctl("start", "geard.service")
    wait_for(host, "failed")
    job = told(host)
    assert job["exit_status"] == 4 and job["output"] == "done\n", job
    wait_until(lambda: host.show("job-j1")["LoadState"] == "not-found", 20, "its unit is collected")


def test_one_that_waits_when_geard_dies_has_its_turn_later(jobs):
    host = jobs
    host.configure("61-jobs", "[Daemon]\nJobsMax=1\n")
    host.systemctl("reload", "geard")
    started(host, "first", ("sleep", "3"))
    answer = put(host, "second", shell("echo $A"), "?wait=0", env={"A": "kept"})
    assert answer.status == 202 and state(host, "second") == "waiting", answer
    host.sh("kill -9 $(systemctl show -P MainPID geard); sleep 0.3; systemctl reset-failed geard; systemctl start geard")
    wait_for(host, "succeeded", "second")
    assert told(host, "second")["output"] == "kept\n"
    assert told(host, "first")["ended"] <= told(host, "second")["started"]


def test_what_became_of_them_outlives_geard(jobs):
    host = jobs
    assert put(host, command=shell("echo kept; exit 2")).status == 500
    before = told(host)
    host.systemctl("restart", "geard")
    assert told(host) == before


LOG = "/var/lib/docker/volumes/job-j1-runs/_data/log"
KILL = "kill -9 $(systemctl show -P MainPID geard); sleep 0.3; systemctl reset-failed geard; systemctl start geard"


@pytest.mark.parametrize("end", [KILL, "systemctl restart geard"])
def test_one_that_is_being_canceled_when_geard_ends_runs_no_second_time(jobs, end):
    host = jobs
    started(host, command=shell("trap 'sleep 4; exit 0' TERM; echo run >> /v/log; sleep 600 & wait"),
            volumes=[{"name": "runs", "target": "/v"}])
    assert host.peer("DELETE", "/jobs/j1?wait=0").status == 202
    host.sh(end)
    wait_for(host, "canceled")
    time.sleep(2)
    assert host.sh(f"cat {LOG}") == "run" and containers(host) == []
    host.docker("volume", "rm", "job-j1-runs")


def test_one_that_is_found_again_is_canceled(jobs):
    host = jobs
    started(host)
    host.sh(KILL)
    assert host.peer("DELETE", "/jobs/j1").status == 204
    assert state(host) == "canceled" and containers(host) == []


def test_the_bus_goes_away_under_it(jobs):
    host = jobs
    started(host, command=shell("sleep 4; echo done"))
    host.sh("systemctl restart dbus")
    wait_for(host, "succeeded")
    assert told(host)["output"] == "done\n"


def test_it_is_canceled_while_the_bus_is_away(jobs):
    host = jobs
    started(host)
    host.sh("systemctl stop dbus.socket dbus.service; curl -s -X DELETE --unix-socket /run/geard/geard.sock "
            "'http://localhost/jobs/j1?wait=0'; sleep 2; systemctl start dbus.socket dbus.service")
    wait_for(host, "canceled")
    assert containers(host) == []


def test_its_helper_is_told_to_end_between_attempts(jobs):
    host = jobs
    answer = put(host, command=shell("exit 5"), retries=9, query="?wait=0")
    assert answer.status == 202
    wait_until(lambda: "attempt 3 of" in host.show("job-j1").get("StatusText", ""), 30, "it pauses longer")
    host.sh("sleep 1.5; kill $(systemctl show -P MainPID job-j1)")
    wait_for(host, "failed")
    assert told(host)["exit_status"] == 143 and told(host)["attempts"] >= 3


def test_those_that_wait_keep_their_order(jobs):
    host = jobs
    host.configure("61-jobs", "[Daemon]\nJobsMax=1\n")
    host.systemctl("reload", "geard")
    started(host, "z", ("sleep", "4"))
    for job in "cab":
        assert put(host, job, ("true",), "?wait=0").status == 202
    host.configure("61-jobs", "[Daemon]\nJobsMax=1\nJobsWaiting=0\n") # they were let in before
    host.sh(KILL)
    for job in "cab":
        wait_for(host, "succeeded", job)
    began = [told(host, job)["started"] for job in "zcab"]
    assert began == sorted(began)


def settled(host):
    return knows_all(host) and state(host) not in ("waiting", "running")


@pytest.mark.takes(10)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("call", ["fdatasync", "renameat", "unlinkat", "sendmsg"])
@pytest.mark.parametrize("what", ["run", "delete"])
def test_geard_is_killed_at(jobs, what, call):
    host = jobs
    script = shell("echo run >> /v/log" if what == "run" else "echo run >> /v/log; trap 'exit 143' TERM; sleep 600 & wait")
    body = {"image": IMAGE, "command": list(script), "volumes": [{"name": "runs", "target": "/v"}]}
    for n in range(1, MOST):
        host.sh(f"rm -f {LOG}")
        if what == "delete":
            assert host.peer("PUT", "/jobs/j1?wait=0", body, JSON).status == 202
            wait_until(lambda: host.sh(f"cat {LOG}", check=False) == "run", 30, "it runs")
        verdict = killed_at(host, call, n, "PUT" if what == "run" else "DELETE", "/jobs/j1", json.dumps(body) if what == "run" else "")
        wait_until(lambda: knows_all(host), 60, "geard is back")
        if what == "delete":
            assert host.peer("DELETE", "/jobs/j1").status == 204
        wait_until(lambda: settled(host), 60, f"it has ended, after {call} number {n}", every=0.2)
        runs, now = host.sh(f"cat {LOG}", check=False).split(), state(host)
        assert runs in ([], ["run"]), f"{now}, after {call} number {n}"
        assert now in (("failed", None) if not runs else ("succeeded", "failed") if what == "run" else ("canceled", None)), (n, runs)
        assert containers(host) == [] and host.sh("ls /var/lib/gears/jobs") == ""
        if what == "run":
            assert host.peer("PUT", "/jobs/j1", body, JSON).status == 201
        while state(host):
            assert host.peer("DELETE", "/jobs/j1").status == 204
        if verdict == "survived":
            break
    print(f"killed at {n - 1} calls of {call}")
    host.docker("volume", "rm", "job-j1-runs")
    assert 1 <= n < MOST
    assert n > 1 or (what, call) == ("delete", "renameat"), "it was never killed"


# --- many -------------------------------------------------------------------------------------------------------


def test_so_many_at_once_and_no_more(jobs):
    host = jobs
    host.configure("61-jobs", "[Daemon]\nJobsMax=2\nJobsWaiting=1\n")
    host.systemctl("reload", "geard")
    started(host, "a")
    started(host, "b")
    assert put(host, "c", ("true",), "?wait=0").status == 202
    answer = put(host, "d")
    assert answer.status == 503 and "JobsMax=" in answer.json["detail"] and int(answer.headers["retry-after"]) > 0
    assert host.peer("GET", "/jobs/d").status == 404
    states = {job["id"]: job["state"] for job in host.peer("GET", "/jobs", headers=JSON).json["jobs"]}
    assert states == {"a": "running", "b": "running", "c": "waiting"}
    assert [job["id"] for job in host.peer("GET", "/jobs?state=running&limit=1", headers=JSON).json["jobs"]] == ["a"]
    assert host.peer("DELETE", "/jobs/c").status == 204 and state(host, "c") == "canceled"
    assert put(host, "c", ("true",), "?wait=0").status == 202
    assert host.peer("DELETE", "/jobs/a").status == 204
    wait_for(host, "succeeded", "c")


def test_so_many_are_remembered_and_no_more(jobs):
    host = jobs
    host.configure("61-jobs", "[Daemon]\nJobsKept=2\n")
    host.systemctl("reload", "geard")
    for job in ("a", "b", "c"):
        assert put(host, job).status == 201
    assert [job["id"] for job in host.peer("GET", "/jobs", headers=JSON).json["jobs"]] == ["b", "c"]
    host.systemctl("restart", "geard")
    assert [job["id"] for job in host.peer("GET", "/jobs", headers=JSON).json["jobs"]] == ["b", "c"]


# --- once, and by whom --------------------------------------------------------------------------------------------


def test_the_same_request_is_one_run(jobs):
    host = jobs
    headers = {**JSON, "X-Request-Id": "51"}
    answers = [put(host, command=shell("date +%s%N"), headers=headers) for _ in range(2)]
    assert [answer.status for answer in answers] == [201, 201], answers
    assert answers[1].headers.get("geard-replayed") == "yes"
    assert put(host, command=("echo", "other"), headers=headers).status == 409


def test_who_may_run_jobs(jobs, issuer):
    host = jobs
    body = json.dumps({"image": IMAGE, "command": ["true"]})
    allowed = issuer.token(r="batch-*", a=["job.run"])
    assert put_as(host, allowed, "/jobs/batch-1", body).status == 201
    assert put_as(host, allowed, "/jobs/other", body).status == 403
    assert put_as(host, allowed, "/jobs", body).status == 403, "its request's id is none of theirs"
    assert put_as(host, issuer.token(r="batch-*", a=["gear.*"]), "/jobs/batch-2", body).status == 403
    assert put(host, "other").status == 201
    assert [job["id"] for job in json.loads(get(host, allowed, "/jobs", JSON).text)["jobs"]] == ["batch-1"]
    assert get(host, allowed, "/jobs/other").status == 403
    host_path = json.dumps({"image": IMAGE, "volumes": [{"source": "/etc", "target": "/x"}]})
    assert put_as(host, allowed, "/jobs/batch-3", host_path).status == 403


@pytest.mark.parametrize("field, value", [
    ("restart", "always"), ("ready", "tcp"), ("health", {"tcp": 80}), ("started", True), ("timeout", "0s"),
    ("timeout", "31d"), ("retries", -1), ("retries", 101), ("id", "../x"), ("schedule_", "daily"), ("command", 5),
    ("ports", [{"internal": 80}]),
])
def test_bad_fields_are_named(jobs, field, value):
    host = jobs
    answer = host.peer("PUT", "/jobs/j1", {"image": IMAGE, field: value}, JSON)
    assert answer.status == 400 and field in answer.json["detail"], answer
    assert host.peer("GET", "/jobs/j1").status == 404


def test_an_image_that_is_not_to_be_had(jobs):
    host = jobs
    answer = put(host, image="127.0.0.1:1/none", command=("true",))
    assert answer.status == 404 and "image" in answer.json["detail"], answer
    assert told(host)["state"] == "failed" and "image" in told(host)["reason"]
    assert put(host, image="test/none", pull="never").status == 404
