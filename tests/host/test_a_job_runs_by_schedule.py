# SPDX-License-Identifier: Apache-2.0
"""A job with a schedule is a timer and a service, which run it with geard or without."""

import json
import time

import pytest

from lib.gear import JSON, knows_all
from lib.killing import MOST, killed_at
from lib.wait import wait_until

IMAGE = "test/busybox"
ID = "s1"
SERVICE, TIMER = f"job-{ID}.service", f"job-{ID}.timer"
UNITS = "/var/lib/gears/units"
OFTEN = "*:*:0/2"  # every other second
RARELY = "yearly"


def put(host, schedule=RARELY, command=("true",), job=ID, headers=JSON, **spec):
    body = {"image": IMAGE, "command": list(command), "schedule": schedule, **spec}
    return host.peer("PUT", f"/jobs/{job}", body, headers)


def shell(script):
    return ("sh", "-c", script)


def told(host, job=ID):
    return host.peer("GET", f"/jobs/{job}", headers=JSON).json


def delete(host, job=ID):
    answer = host.peer("DELETE", f"/jobs/{job}")
    assert answer.status == 204, answer


def run_now(host, job=ID):
    """Runs it, and waits until that is told."""
    before = told(host, job)["ended"]
    host.sh(f"systemctl start job-{job}.service", check=False)
    wait_until(lambda: told(host, job)["ended"] not in (None, before), 20, "the run is told")
    return told(host, job)


def prop(host, unit, name):
    return host.sh(f"systemctl show -P {name} {unit}")


def runs(host, what, seconds=30):
    """Waits until its last run came to this."""
    wait_until(lambda: told(host)["result"] == what, seconds, f"a run of it has {what}")
    return told(host)


# --- it comes about -------------------------------------------------------------------------------------


def test_it_is_a_timer_and_a_service(host):
    answer = put(host, command=shell("echo $WHO"), env={"WHO": "secret-value"}, timeout="90s", retries=2)
    assert answer.status == 201, answer
    assert answer.headers["location"] == f"/jobs/{ID}"
    job = answer.json
    assert job["state"] == "scheduled" and job["schedule"] == RARELY, job
    assert job["next"].endswith("-01-01T00:00:00.000Z"), job
    assert job["started"] is None and job["ended"] is None and job["result"] is None
    assert prop(host, TIMER, "ActiveState") == "active"
    assert host.sh(f"systemctl is-enabled {TIMER}") == "enabled"
    assert host.sh(f"systemctl is-enabled {SERVICE}", check=False) == "linked"
    assert prop(host, SERVICE, "ActiveState") == "inactive"
    assert host.docker("ps", "-aq") == ""
    assert host.sh(f"systemd-analyze --man=no verify {UNITS}/{TIMER} {UNITS}/{SERVICE} 2>&1 | grep job-", check=False) == ""
    assert host.sh(f"grep -l secret-value {UNITS}/*", check=False) == ""
    assert host.sh("stat -c %a /var/lib/gears/jobs/*") == "600"


def test_it_runs_when_it_is_due_and_each_run_is_told(host):
    assert put(host, OFTEN, shell("echo it is $WHO"), env={"WHO": "me"}).status == 201
    first = runs(host, "succeeded")
    assert first["exit_status"] == 0 and first["output"] == "it is me\n", first
    assert first["started"] <= first["ended"] and first["attempts"] == 1 and first["peak_memory"] > 1 << 18
    wait_until(lambda: (told(host)["ended"] or "") > first["ended"], 20, "it runs again")
    second = told(host)
    assert second["next"] is None or second["next"] > second["started"], second
    assert second["created"] == first["created"]
    lines = host.peer("GET", f"/jobs/{ID}/log?follow=0").text.splitlines()
    assert lines.count("it is me") >= 2, lines
    created = host.journal_entries("_SYSTEMD_INVOCATION_ID=" + prop(host, SERVICE, "InvocationID"), f"SYSLOG_IDENTIFIER=job-{ID}")
    assert created and all("GEARD_CREATED" in entry for entry in created), "also those of a later run"


def test_what_fails_is_told_and_runs_again(host):
    assert put(host, OFTEN, shell("echo no >&2; exit 3")).status == 201
    job = runs(host, "failed")
    assert job["exit_status"] == 3 and "3" in job["reason"] and job["output"] == "no\n", job
    assert job["state"] in ("scheduled", "running")
    ended = job["ended"]
    wait_until(lambda: (told(host)["ended"] or "") > ended, 20, "it runs again")


def test_it_is_listed_with_its_next_and_its_last_run(host):
    assert put(host).status == 201
    job = run_now(host)
    listed = host.peer("GET", "/jobs?state=scheduled", headers=JSON).json["jobs"]
    assert [(j["id"], j["next"], j["started"], j["result"]) for j in listed] == \
        [(ID, job["next"], job["started"], "succeeded")]
    head, row = host.peer("GET", "/jobs").text.splitlines()
    assert head.split() == ["ID", "STATE", "STATUS", "STARTED", "NEXT", "IMAGE"]
    assert row.split()[:3] == [ID, "scheduled", "0"] and row.split()[4] == job["next"].replace(".000", ""), row
    text = host.peer("GET", f"/jobs/{ID}").text
    assert "its last run succeeded" in text and "Schedule: yearly" in text and "Next: " in text, text


def test_while_it_runs_it_says_so(host):
    assert put(host, command=("sleep", "600")).status == 201
    host.sh(f"systemctl start --no-block {SERVICE}")
    wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
    job = told(host)
    assert job["started"] and not job["ended"] and job["result"] is None and job["next"], job
    delete(host)
    assert host.peer("GET", f"/jobs/{ID}").status == 404


def test_it_takes_too_long(host):
    assert put(host, command=("sleep", "600"), timeout="2s", stop_timeout="1s").status == 201
    job = run_now(host)
    assert job["result"] == "failed"
    assert job["reason"] == "it took longer than 2 s (timeout)", job


def test_it_is_tried_again(host):
    assert put(host, command=shell("echo try; exit 1"), retries=1).status == 201
    job = run_now(host)
    assert job["result"] == "failed"
    assert job["attempts"] == 2 and job["output"] == "try\ntry\n", job


# --- it changes, and goes ---------------------------------------------------------------------------------


def test_the_same_again_changes_nothing(host):
    first = put(host, env={"A": "1"})
    again = put(host, env={"A": "1"})
    assert (first.status, again.status) == (201, 200), again
    assert put(host).status == 200, "a body without an environment says nothing about it"
    for other in ({"schedule": "daily"}, {"env": {"A": "2"}}, {"retries": 1}, {"timeout": "5s"}, {"command": ("false",)}):
        answer = put(host, **{"env": {"A": "1"}, **other})
        assert answer.status == 409 and answer.json["field"] == "replace", (other, answer)
    assert told(host)["schedule"] == RARELY


def test_it_is_replaced(host):
    assert put(host, command=shell("echo $A $B"), env={"A": "1", "B": "2"}).status == 201
    before = run_now(host)
    assert before["result"] == "succeeded" and before["output"] == "1 2\n"
    answer = put(host, "daily", shell("echo now $A $B"), replace=True)
    assert answer.status == 201, answer
    assert answer.json["schedule"] == "daily" and answer.json["created"] == before["created"]
    year, month, day = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400)).split("-")
    assert answer.json["next"] == f"{year}-{month}-{day}T00:00:00.000Z"
    after = told(host)
    assert {k: after[k] for k in ("started", "ended", "result", "output")} == \
        {k: before[k] for k in ("started", "ended", "result", "output")}, "the last run is what it was"
    assert after["spec"]["command"][2] == "echo now $A $B"
    assert "OnCalendar=daily" in host.sh(f"systemctl cat {TIMER}")
    assert run_now(host)["output"] == "now 1 2\n", "the environment stays"
    assert put(host, "daily", shell("echo $A"), env={"A": "3"}, replace=True).status == 201
    assert run_now(host)["output"] == "3\n"
    assert len(host.sh("ls /var/lib/gears/jobs").split()) == 1


def test_it_is_replaced_while_it_runs(host):
    assert put(host, command=shell("sleep 3; echo former"), env={"A": "1"}).status == 201
    host.sh(f"systemctl start --no-block {SERVICE}")
    wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
    assert put(host, "daily", command=shell("sleep 3; echo former"), env={"A": "x"}, replace=True).status == 201
    runs(host, "succeeded")
    for n in range(3):
        host.sh(f"systemctl start --no-block {SERVICE}")
        wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
        assert put(host, "daily", shell(f"sleep 3; echo former {n}"), env={"A": f"{n}"}, replace=True).status == 201
        assert told(host)["state"] == "running" and told(host)["result"] is None
        host.systemctl("daemon-reload")
        assert told(host)["state"] == "running"
        job = runs(host, "succeeded")
        assert job["output"] == ("former\n" if n == 0 else f"former {n - 1}\n")
    assert host.sh("cat /var/lib/gears/jobs/*") == "A=2"
    host.configure("60-jobs", "[Daemon]\nJobsMax=1\nJobKeep=1s\n")
    host.systemctl("reload", "geard")
    once = host.peer("PUT", "/jobs/once", {"image": IMAGE, "command": ["true"]}, JSON, timeout=20)
    assert once.status == 201, "no slot is lost"
    assert host.peer("DELETE", "/jobs/once").status == 204
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend job-once.service"), 20, "it is collected")
    host.systemctl("stop", "geard.socket", "geard.service")
    assert prop(host, "geard.service", "Result") == "success" and prop(host, "geard.service", "ExecMainStatus") == "0"
    host.sh("rm /etc/geard/geard.conf.d/60-jobs.conf; systemctl start geard.socket geard.service")


def test_it_is_removed(host):
    assert put(host, OFTEN).status == 201
    runs(host, "succeeded")
    delete(host)
    assert host.peer("GET", f"/jobs/{ID}").status == 404
    assert host.peer("GET", "/jobs", headers=JSON).json["jobs"] == []
    assert host.sh(f"systemctl is-enabled {TIMER} {SERVICE}; ls {UNITS} /var/lib/gears/jobs; find /etc/systemd -name 'job-*'",
                   check=False).replace(f"{UNITS}:", "").replace("/var/lib/gears/jobs:", "").split() == []
    delete(host)  # there is nothing, and so it is


def test_names_are_held(host):
    assert put(host).status == 201
    once = host.peer("PUT", f"/jobs/{ID}", {"image": IMAGE}, JSON)
    assert once.status == 409 and "has a schedule" in once.json["detail"], once
    repository = host.peer("PUT", f"/repository/{ID}", None, JSON)
    assert repository.status == 409 and "has a schedule" in repository.json["detail"], repository
    delete(host)
    once = host.peer("PUT", f"/jobs/{ID}", {"image": IMAGE, "command": ["true"]}, JSON)
    assert once.status == 201, once
    assert put(host).status == 201, "one that has ended makes room"
    assert told(host)["output"] == "" and told(host)["result"] is None
    assert run_now(host)["result"] == "succeeded"


@pytest.mark.parametrize("schedule", ["", "sometimes", "25:00", "daily\nOnBootSec=1", "%H", "a" * 300, 5, "*-*-* 12:00 Mars/Base"])
def test_what_is_no_calendar_event(host, schedule):
    answer = put(host, schedule)
    assert answer.status == 400 and answer.json["field"] == "schedule", answer
    assert "schedule: " in answer.json["detail"]
    assert host.peer("GET", f"/jobs/{ID}").status == 404
    assert host.sh(f"ls {UNITS}") == ""


@pytest.mark.parametrize("schedule", ["Mon..Fri *-*-* 09:00:00 Europe/Berlin", "*-*~01", "2099-12-31 23:59:59 UTC",
                                      "Sat,Sun 20..22:0/15"])
def test_what_is_one(host, schedule):
    answer = put(host, schedule)
    assert answer.status == 201 and answer.json["next"], answer


def test_one_that_lies_in_the_past_is_never_due(host):
    answer = put(host, "2020-01-01", headers={})
    assert answer.status == 201 and "never due" in answer.text, answer
    assert told(host)["next"] is None


def test_no_image_no_schedule(host):
    answer = host.peer("PUT", f"/jobs/{ID}", {"image": "test/absent", "pull": "never", "schedule": RARELY}, JSON)
    assert answer.status == 404, answer
    assert host.sh(f"ls {UNITS}") == ""


# --- with geard or without ------------------------------------------------------------------------------------


def test_it_runs_while_geard_is_away(host):
    assert put(host, command=shell("echo alone")).status == 201
    host.systemctl("stop", "geard.socket", "geard.service")
    host.systemctl("start", SERVICE)
    host.systemctl("start", "geard.socket", "geard.service")
    job = runs(host, "succeeded")
    assert job["output"] == "alone\n" and job["next"], job
    host.systemctl("restart", "geard.service")
    after = told(host)
    assert {k: after[k] for k in job} == job


def test_one_that_runs_is_found_again(host):
    assert put(host, command=shell("sleep 3; echo done")).status == 201
    host.sh(f"systemctl start --no-block {SERVICE}")
    wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
    host.systemctl("restart", "geard.service")
    wait_until(lambda: told(host)["state"] == "running", 2, "it runs still")
    assert runs(host, "succeeded")["output"] == "done\n"


def test_it_comes_back_with_the_host(fresh_host):
    host = fresh_host
    assert put(host, OFTEN, shell("echo up")).status == 201
    before = runs(host, "succeeded")["ended"]
    host.reboot()
    assert prop(host, TIMER, "ActiveState") == "active"
    booted = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    wait_until(lambda: (told(host)["ended"] or "") > max(booted, before), 60, "it runs again")


def test_an_administrator_may_pause_it(host):
    assert put(host).status == 201
    host.systemctl("stop", TIMER)
    wait_until(lambda: told(host)["next"] is None, 10, "it is not due any more")
    host.systemctl("restart", "geard.service")
    assert told(host)["next"] is None and prop(host, TIMER, "ActiveState") == "inactive"
    host.systemctl("start", TIMER)
    wait_until(lambda: told(host)["next"], 10, "it is due again")


def test_what_was_disabled_is_due_again_when_it_is_asked_for(host):
    assert put(host, env={"A": "1"}).status == 201
    host.systemctl("stop", TIMER)
    answer = put(host, headers={})
    assert answer.status == 200 and "its timer is stopped" in answer.text, "a pause stays one"
    host.systemctl("disable", "--quiet", TIMER, SERVICE)
    host.systemctl("restart", "geard")
    assert told(host)["next"] is None
    answer = put(host)
    assert answer.status == 201 and answer.json["next"], answer
    assert is_whole(host, RARELY) and host.sh("cat /var/lib/gears/jobs/*") == "A=1"


def test_what_is_half_put_back_is_made_whole(host):
    """The service tells what there is; a timer is written anew, and one without a service goes."""
    assert put(host).status == 201
    host.systemctl("stop", "geard.socket", "geard.service")
    host.sh(f"cd {UNITS} && sed 's/yearly/daily/' {TIMER} > other && cat other > {TIMER} && mv other job-s2.timer")
    host.systemctl("start", "geard.socket", "geard.service")
    wait_until(lambda: prop(host, TIMER, "NeedDaemonReload") == "no", 10, "systemd has read it anew")
    assert is_whole(host, RARELY)
    assert host.sh(f"ls {UNITS}").split() == [SERVICE, TIMER]


def test_nothing_keeps_geard_awake(host):
    """One that is made as geard starts is known, too, so that what is left behind is swept."""
    host.sh("touch /var/lib/gears/jobs/gone.env")
    host.systemctl("restart", "geard")
    assert put(host).status == 201
    wait_until(lambda: "gone" not in host.sh("ls /var/lib/gears/jobs"), 10, "it is swept")


def test_a_paused_one_can_be_run_by_hand(host):
    """systemd forgets its unit as soon as it has ended."""
    assert put(host, command=shell("echo by hand; exit $A"), env={"A": "0"}).status == 201
    host.systemctl("stop", TIMER)
    job = run_now(host)
    assert job["result"] == "succeeded" and job["output"] == "by hand\n" and job["exit_status"] == 0, job
    assert job["attempts"] == 1 and job["peak_memory"] > 1 << 18, job
    assert put(host, command=shell("echo by hand; exit $A"), env={"A": "4"}, replace=True).status == 201
    host.systemctl("stop", TIMER)
    job = run_now(host)
    assert job["result"] == "failed" and job["exit_status"] == 4, job


def test_a_run_that_ends_while_the_bus_is_away(host):
    assert put(host, command=shell("sleep 4; echo ended")).status == 201
    host.sh(f"systemctl start --no-block {SERVICE}")
    wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
    host.sh("systemctl stop dbus.socket dbus.service; sleep 5; systemctl start dbus.socket dbus.service")
    assert runs(host, "succeeded")["output"] == "ended\n"
    # … and one of which systemd knows nothing any more
    host.sh(f"systemctl start --no-block {SERVICE}; systemctl stop {TIMER}")
    wait_until(lambda: told(host)["state"] == "running" and told(host)["next"] is None, 20, "it runs")
    host.sh("systemctl stop dbus.socket dbus.service; sleep 5")
    now = told(host)["state"]
    host.sh("systemctl start dbus.socket dbus.service")
    assert now == "running", "nobody can know yet"
    wait_until(lambda: told(host)["state"] == "scheduled" and knows_all(host), 20, "it does not run any more")
    assert told(host)["ended"] and (told(host)["result"] == "succeeded" or "not known" in told(host)["reason"])


def test_it_runs_as_often_as_it_is_due(host):
    assert put(host, "*:*:*", shell("echo $(date +%s) >> /v/log"), volumes=[{"name": "runs", "target": "/v"}]).status == 201
    log = "/var/lib/docker/volumes/job-s1-runs/_data/log"
    wait_until(lambda: len(host.sh(f"cat {log}", check=False).split()) > 12, 90, "it ran a dozen times")
    job = runs(host, "succeeded")
    assert "start-limit" not in host.sh(f"systemctl status {SERVICE}", check=False)
    delete(host)
    assert job["reason"] is None
    host.docker("volume", "rm", "job-s1-runs")


def test_a_drop_in_counts(host):
    assert put(host, "daily").status == 201
    before = told(host)["next"]
    host.sh(f"mkdir -p /etc/systemd/system/{TIMER}.d; "
            f"printf '[Timer]\\nOnCalendar=\\nOnCalendar=yearly\\n' > /etc/systemd/system/{TIMER}.d/mine.conf; "
            "systemctl daemon-reload")
    wait_until(lambda: told(host)["next"] != before, 10, "it is due at another time")
    assert told(host)["next"].endswith("-01-01T00:00:00.000Z")
    delete(host)
    assert host.sh(f"ls /etc/systemd/system/{TIMER}.d") == "mine.conf"
    host.sh(f"rm -r /etc/systemd/system/{TIMER}.d; systemctl daemon-reload")


def test_a_unit_that_cannot_be_read_is_shown(host):
    assert put(host).status == 201
    host.systemctl("stop", "geard.socket", "geard.service")
    host.sh(f"sed -i 's/^Job=.*/Job=?/' {UNITS}/{SERVICE}")
    host.systemctl("start", "geard.socket", "geard.service")
    job = told(host)
    assert job["state"] == "scheduled" and "cannot be read" in job["reason"], job
    assert run_now(host)["result"] == "succeeded" and "cannot be read" in told(host)["reason"]
    assert host.sh("ls /var/lib/gears/jobs") != ""
    assert put(host, replace=True).status == 201
    assert told(host)["reason"] is None


def test_a_database_that_is_lost_takes_no_schedule_with_it(host):
    assert put(host, command=shell("echo still here")).status == 201
    host.systemctl("stop", "geard.socket", "geard.service")
    host.sh("rm -rf /var/lib/geard/*")
    host.systemctl("start", "geard.socket", "geard.service")
    job = told(host)
    assert job["state"] == "scheduled" and job["next"] and job["spec"]["command"][0] == "sh", job
    assert run_now(host)["output"] == "still here\n"


def test_systemd_reads_its_files_anew(host):
    assert put(host, command=("sleep", "2")).status == 201
    host.sh(f"systemctl start --no-block {SERVICE}; systemctl daemon-reload")
    assert runs(host, "succeeded")["next"]


def test_the_request_is_answered_once(host):
    headers = {**JSON, "X-Request-Id": "ab" * 16}
    first, again = put(host, headers=headers), put(host, headers=headers)
    assert first.status == again.status == 201 and again.headers.get("geard-replayed"), again


# --- what stands in its way -----------------------------------------------------------------------------------

STRANGER = "/etc/systemd/system/job-s1."


@pytest.mark.parametrize("kind, linked", [("service", False), ("timer", False), ("timer", True)])
def test_a_unit_of_somebody_else(host, kind, linked):
    text = "[Timer]\nOnCalendar=daily\n" if kind == "timer" else "[Service]\nType=oneshot\nExecStart=true\n"
    if kind == "timer":
        text += "Unit=fstrim.service\n[Install]\nWantedBy=timers.target\n"
    where = "/opt/job-s1." + kind if linked else STRANGER + kind
    host.sh(f"cat > {where}; systemctl daemon-reload", stdin=text)
    if linked:
        host.systemctl("link", "--quiet", where)
    if kind == "timer":
        host.systemctl("enable", "--quiet", "--now", TIMER)
    answer = put(host)
    now, is_active = host.sh(f"cat {STRANGER}{kind}"), prop(host, f"job-s1.{kind}", "ActiveState")
    wanted = host.sh("ls /etc/systemd/system/timers.target.wants", check=False)
    host.sh(f"systemctl stop job-s1.{kind}; systemctl disable --quiet job-s1.{kind}; rm -f {STRANGER}{kind} {where}; systemctl daemon-reload")
    assert answer.status == 409 and f"job-s1.{kind}" in answer.json["detail"], answer
    assert now == text.rstrip("\n")
    assert kind == "service" or (is_active == "active" and TIMER in wanted)
    assert is_gone(host)
    assert put(host).status == 201


@pytest.mark.parametrize("meanwhile", ["idle", "running", "paused"])
def test_what_cannot_be_replaced_stays_as_it_was(host, meanwhile):
    assert put(host, env={"A": "1"}, command=shell("sleep 2; echo $A"), retries=1).status == 201
    if meanwhile == "running":
        host.sh(f"systemctl start --no-block {SERVICE}")
        wait_until(lambda: told(host)["state"] == "running", 20, "it runs")
    if meanwhile == "paused":
        host.systemctl("stop", TIMER)
    host.sh(f"rm {STRANGER}timer; cp {UNITS}/{TIMER} {STRANGER}timer; systemctl daemon-reload")
    answer = put(host, "daily", env={"A": "2"}, replace=True)
    assert answer.status >= 400, answer
    host.sh(f"rm {STRANGER}timer; ln -s {UNITS}/{TIMER} {STRANGER}timer; systemctl daemon-reload")
    if meanwhile == "running":
        assert runs(host, "succeeded")["output"] == "1\n"
    if meanwhile == "paused":
        assert told(host)["next"] is None and prop(host, TIMER, "ActiveState") == "inactive"
        host.systemctl("start", TIMER)
        wait_until(lambda: told(host)["next"], 10, "it is due again")
    host.sh(f"ln -sf {UNITS}/{TIMER} /etc/systemd/system/timers.target.wants/{TIMER}")
    assert is_whole(host, RARELY)
    assert run_now(host)["output"] == "1\n"


# --- whoever dies ---------------------------------------------------------------------------------------------


def is_whole(host, schedule):
    """Everything that a job with this schedule is made of, and nothing else."""
    assert told(host)["schedule"] == schedule and told(host)["next"] and not told(host)["reason"], told(host)
    assert prop(host, TIMER, "ActiveState") == "active" and prop(host, TIMER, "NeedDaemonReload") == "no"
    assert host.sh(f"systemctl is-enabled {TIMER}") == "enabled"
    assert f"OnCalendar={schedule}\n" in host.sh(f"cat {UNITS}/{TIMER}")
    assert host.sh(f"systemctl cat {TIMER} | tail -n +2") == host.sh(f"cat {UNITS}/{TIMER}")
    env = host.sh("ls /var/lib/gears/jobs").split()
    assert len(env) == 1 and f"/{env[0]}" in host.sh(f"cat {UNITS}/{SERVICE}"), env
    return True


def is_gone(host):
    assert host.peer("GET", f"/jobs/{ID}").status == 404
    assert host.sh(f"ls {UNITS} /var/lib/gears/jobs | grep {ID}; find /etc/systemd -name 'job-*'", check=False) == ""
    assert prop(host, TIMER, "ActiveState") == "inactive"
    return True


def settled(host):
    """What an earlier life left is looked through, and swept."""
    return (knows_all(host) and "\ngeard_changes_running 0\n" in host.peer("GET", "/metrics").text
            and len(host.sh("ls /var/lib/gears/jobs").split()) <= 1)


@pytest.mark.takes(10)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("what, call", [("create", "fdatasync"), ("create", "renameat"), ("create", "sendmsg"),
                                        ("replace", "renameat"), ("replace", "unlinkat"), ("replace", "sendmsg"),
                                        ("delete", "unlinkat"), ("delete", "sendmsg")])
def test_geard_is_killed_at(host, what, call):
    body = {"image": IMAGE, "command": ["true"], "env": {"A": what}}
    before, after = {"create": (None, RARELY), "replace": (RARELY, "daily"), "delete": (RARELY, None)}[what]
    for n in range(1, MOST):
        if before:
            assert host.peer("PUT", f"/jobs/{ID}", {**body, "schedule": before}, JSON).status == 201
        order = json.dumps({**body, "schedule": after, "replace": True}) if after else ""
        verdict = killed_at(host, call, n, "PUT" if after else "DELETE", f"/jobs/{ID}", order)
        wait_until(lambda: settled(host), 60, f"geard is back, after {call} number {n}")
        now = told(host).get("schedule")
        print(f"{call} number {n}: {verdict}, {now}")
        assert now in ((after,) if verdict == "survived" else (before, after)), n
        assert is_whole(host, now) if now else is_gone(host)
        if now:
            delete(host)
        assert is_gone(host)
        if verdict == "survived":
            break
    assert 1 < n < MOST, "it was never killed"
