# SPDX-License-Identifier: Apache-2.0
"""Bad days: no space, no descriptors, files edited by hand, two daemons, crowds."""

import collections
import json
import re
import time

import pytest

from lib.gear import HOLD, JSON, container_of, create, delete, made, runs, status, traces, turn, wait_running
from lib.host import SOCKET
from lib.wait import wait_until

STATE = "/var/lib/gears"
PAGE = 4096


def healthy(host):
    return host.peer("GET", "/healthz", headers=JSON, timeout=5).status == 200


def answers(host):
    """It runs, and knows systemd and the engine."""
    return host.peer("GET", "/healthz", headers=JSON, timeout=5).json | {"gears": 0} == {
        "status": "ok", "systemd": True, "engine": True, "gears": 0,
        "version": host.peer("GET", "/version", headers=JSON).json["version"]}


def pid_of(host):
    return host.show("geard.service")["MainPID"]


# --- no space --------------------------------------------------------------------


@pytest.fixture
def small_state(host):
    """The state directory on 256 KiB."""
    host.systemctl("stop", "geard")
    host.sh(f"mount -t tmpfs -o size=256k,mode=755 tmpfs {STATE}")
    host.systemctl("start", "geard")
    yield host
    host.sh(f"rm -f {STATE}/filler")
    for gear in host.peer("GET", "/containers", headers=JSON).json["containers"]:
        delete(host, gear["id"])
    host.sh(f"systemctl stop geard; umount {STATE}; systemctl start geard")


def leave_free(host, pages):
    """Fills the disk up to so many pages."""
    host.sh(f"cd {STATE} && rm -f filler && sync && free=$(stat -f -c %a .) && "
            f"head -c $(( (free - {pages}) * {PAGE} )) /dev/zero > filler && stat -f -c %a .")


def no_space(answer):
    assert answer.status == 507, answer
    assert answer.json["status"] == 507 and "No space" in answer.json["detail"], answer


def test_a_create_on_a_full_disk(small_state):
    """With each page more, one file more can be written: it fails at every one of them."""
    host, refused = small_state, 0
    pid = pid_of(host)
    for pages in range(8):
        leave_free(host, pages)
        answer = create(host, env={"A": "x" * 5000}, labels={"a": "x" * 5000})
        if answer.status == 201:
            delete(host, "1")
            continue
        no_space(answer)
        refused += 1
        assert traces(host, "1") == []
        assert host.peer("GET", "/container/1/status").status == 404
    assert refused > 2
    assert pid_of(host) == pid
    host.sh(f"rm {STATE}/filler")
    made(host)


def test_changes_on_a_full_disk(small_state):
    host = small_state
    made(host, env={"A": "1"})
    made(host, "2")
    pid = pid_of(host)
    leave_free(host, 0)
    no_space(host.peer("PATCH", "/container/1/env", {"A": "2"}, JSON))
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1"}
    no_space(create(host, labels={"a": "b"}, replace=True))
    assert runs(host) and status(host)["labels"] == {}
    delete(host, "2") # for that there is always room
    assert traces(host, "2") == []
    assert pid_of(host) == pid
    host.sh(f"rm {STATE}/filler")
    answer = create(host, labels={"a": "b"}, replace=True)
    assert answer.status == 201 and runs(host), answer
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1"}


def test_schedules_on_a_full_disk(small_state):
    """As above: a schedule comes about or not, and a former one stays."""
    host, refused = small_state, 0
    body = {"image": "test/busybox", "command": ["true"], "env": {"A": "x" * 5000}, "labels": {"a": "x" * 5000}}
    assert host.peer("PUT", "/jobs/s2", {**body, "env": {}, "labels": {}, "schedule": "yearly"}, JSON).status == 201
    for pages in range(10):
        leave_free(host, pages)
        answer = host.peer("PUT", "/jobs/s1", {**body, "schedule": "daily"}, JSON)
        if answer.status == 201:
            assert host.peer("DELETE", "/jobs/s1").status == 204
            continue
        no_space(answer)
        answer = host.peer("PUT", "/jobs/s2", {**body, "schedule": "daily", "replace": True}, JSON)
        if answer.status == 201: # what it takes the place of makes room
            break
        no_space(answer)
        refused += 1
        assert host.peer("GET", "/jobs/s1").status == 404
        assert "s1" not in host.sh(f"ls {STATE}/units {STATE}/jobs; find /etc/systemd -name 'job-*'")
        assert host.peer("GET", "/jobs/s2", headers=JSON).json["schedule"] == "yearly"
        assert "OnCalendar=yearly" in host.sh(f"cat {STATE}/units/job-s2.timer")
    assert refused > 2
    host.sh(f"rm {STATE}/filler")
    assert host.peer("PUT", "/jobs/s2", {**body, "schedule": "daily", "replace": True}, JSON).status in (200, 201)
    assert host.peer("DELETE", "/jobs/s2").status == 204


def test_jobs_on_a_full_disk(small_state):
    """As above: it runs or does not, and nothing of it stays."""
    host, refused = small_state, 0
    host.configure("60-jobs", "[Daemon]\nJobKeep=0\n")
    host.systemctl("reload", "geard")
    body = {"image": "test/busybox", "command": ["sh", "-c", "echo $A | wc -c"], "env": {"A": "x" * 9000}, "labels": {"a": "x" * 5000}}
    pid = pid_of(host)
    try:
        for pages in range(8):
            leave_free(host, pages)
            answer = host.peer("PUT", "/jobs/once", body, JSON)
            if answer.status == 201:
                break
            no_space(answer)
            refused += 1
            assert host.peer("GET", "/jobs/once").status == 404
            assert host.sh(f"ls -A {STATE}/jobs; docker ps -aq") == ""
            assert host.show("job-once")["LoadState"] == "not-found"
        assert refused > 1 and answer.json["output"] == "9001\n" and pid_of(host) == pid
        assert host.peer("DELETE", "/jobs/once").status == 204
    finally:
        host.sh("rm /etc/geard/geard.conf.d/60-jobs.conf; systemctl reload geard")


def test_a_replacement_on_a_disk_that_fills_up(small_state):
    """Whichever file it fails at: the former gear runs, and is whole."""
    host, refused = small_state, 0
    made(host, env={"A": "1"}, labels={"a": "1"})
    for pages in range(8):
        leave_free(host, pages)
        answer = create(host, env={"A": "2" * 5000}, labels={"a": "2" * 5000}, replace=True)
        if answer.status == 201:
            break
        no_space(answer)
        refused += 1
        wait_running(host)
        assert status(host)["labels"] == {"a": "1"}
        assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1"}
        assert host.sh(f"ls {STATE}/previous") == ""
    assert refused > 2


def test_no_room_for_links(host):
    """/etc/systemd/system without an inode to spare."""
    host.sh("cp -a /etc/systemd/system /run/kept && mount -t tmpfs -o size=1m,nr_inodes=200,mode=755 tmpfs /etc/systemd/system "
            "&& cp -a /run/kept/. /etc/systemd/system/ && systemctl daemon-reload")
    try:
        host.sh("cd /etc/systemd/system && n=0 && while touch filler-$n 2>/dev/null; do n=$((n + 1)); done")
        answer = create(host)
        assert answer.status == 507, answer
        assert traces(host, "1") == []
        host.sh("rm /etc/systemd/system/filler-*")
        made(host)
        delete(host, "1")
    finally:
        host.sh("umount /etc/systemd/system && rm -rf /run/kept && systemctl daemon-reload")
    made(host)


def test_a_read_only_state_directory(host):
    made(host)
    host.sh(f"mount --bind {STATE} {STATE} && mount -o remount,bind,ro {STATE} && systemctl restart geard", check=False)
    try:
        wait_until(lambda: "Read-only" in host.journal("geard", "cat", "-n", "20"), 20, "it says why it does not start")
    finally:
        host.sh(f"umount {STATE}; systemctl reset-failed geard; systemctl restart geard")
    wait_until(lambda: answers(host), 30, "geard is back")
    assert runs(host)


# --- hands -----------------------------------------------------------------------

UNIT = f"{STATE}/units/gear-1.service"
NONSENSE = {
    "garbage": f"head -c 3000 /dev/urandom > {UNIT}", "empty": f": > {UNIT}", "torn": f"truncate -s 300 {UNIT}",
    "no record": f"sed -i '/X-Gear/,/^$/d' {UNIT}", "another spec": f"sed -i 's/^Spec={{/&\"pids\":5,/' {UNIT}",
    "a field that no spec has": f"sed -i 's/^Spec={{/&\"flavour\":5,/' {UNIT}",
    "another's": f"sed -i 's/^Id=1/Id=2/' {UNIT}", "another image": f"sed -i 's/^Image=.*/Image=evil/' {UNIT}",
    "a symlink": f"mv {UNIT} /root/unit && ln -s /root/unit {UNIT}",
    "huge": f"head -c 6M /dev/zero | tr '\\0' x >> {UNIT}", "unreadable as text": f"printf '\\0' >> {UNIT}", "masked": f"ln -sf /dev/null {UNIT}",
}


@pytest.mark.parametrize("damage", NONSENSE)
def test_a_unit_file_edited_into_nonsense(host, damage):
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.2; done"])
    made(host, "other")
    turn(host, "1", "stopped")
    host.sh(NONSENSE[damage])

    def damaged():
        gear = status(host)
        return gear["state"] == "damaged" and gear
    gear = wait_until(damaged, 20, "geard notices")
    reason = json.dumps(gear)
    assert any(word in reason for word in ("damaged", "X-Gear", "flavour", "another gear", "cannot be read")), gear
    listed = {each["id"]: each["state"] for each in host.peer("GET", "/containers", headers=JSON).json["containers"]}
    assert listed == {"1": "damaged", "other": "running"}
    assert "damaged" in host.peer("GET", "/container/1/status").text

    turn(host, "other", "restarted")
    made(host, "third")
    host.systemctl("restart", "geard")
    wait_until(lambda: answers(host), 30, "geard is back")
    assert status(host)["state"] == "damaged" and runs(host, "other")
    delete(host, "1")
    assert traces(host, "1") == []
    made(host)


def test_a_damaged_gear_can_be_replaced(host):
    made(host)
    host.sh(NONSENSE["torn"])
    answer = create(host, replace=True, labels={"a": "new"})
    assert answer.status == 201, answer
    assert runs(host) and status(host)["labels"] == {"a": "new"}


def test_damage_while_it_runs_is_told_and_stops_nothing(host):
    made(host)
    container = wait_running(host)
    host.sh(NONSENSE["garbage"])
    time.sleep(1)
    assert wait_running(host) == container
    assert "cannot be read" in status(host)["damage"]
    host.systemctl("restart", "geard")
    wait_until(lambda: answers(host), 30, "geard is back")
    assert wait_running(host) == container
    delete(host, "1")


def test_what_is_no_file_is_told_and_not_removed(host):
    made(host)
    host.sh(f"rm {UNIT} && mkdir {UNIT} && touch {UNIT}/precious")
    wait_until(lambda: "directory" in json.dumps(status(host)), 20, "geard notices")
    answer = host.peer("DELETE", "/container/1", headers=JSON)
    assert answer.status == 500 and "directory" in answer.json["detail"], answer
    host.sh(f"rm {UNIT}/precious && rmdir {UNIT}")
    delete(host, "1")
    assert traces(host, "1") == []


def test_directives_that_systemd_does_not_take(host):
    """The record is whole, what systemd reads is not: geard tells what systemd says."""
    made(host)
    host.sh(f"printf '\\n[Service]\\nExecStart=\\n' >> {UNIT} && systemctl daemon-reload")
    wait_until(lambda: "bad unit file setting" in json.dumps(status(host)), 20, "geard tells while it runs")
    assert runs(host)
    host.systemctl("stop", "gear-1")
    wait_until(lambda: status(host)["state"] == "damaged", 20, "geard tells when it does not")
    answer = host.peer("PUT", "/container/1/started", headers=JSON)
    assert answer.status >= 400 and "bad unit file setting" in answer.json["detail"], answer
    delete(host, "1")
    assert traces(host, "1") == []


MISTAKES = {
    "no program": "[Service]\\nExecStart=\\n",
    "a program without a path": "[Service]\\nExecStart=\\nExecStart=./run it\\n",
    "two programs": "[Service]\\nExecStart=/bin/true\\n",
}


def gears_by_state(host):
    return dict(re.findall(r'^geard_gears{state="([a-z]+)"} ([0-9]+)$', host.peer("GET", "/metrics").text, re.M))


def is_mended(host):
    gear = status(host)
    return gear["state"] == "stopped" and "damage" not in gear


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_unit_of_a_stopped_gear_is_told(host, mistake):
    """What systemd would say at its start; nobody needs to reload anything for it."""
    made(host, command=HOLD)
    made(host, "other")
    turn(host, "1", "stopped")
    other, before = container_of(host, "other"), status(host)
    host.sh(f"cp {UNIT} /root/unit && printf '\\n{MISTAKES[mistake]}' >> {UNIT}")
    gear = wait_until(lambda: (gear := status(host))["state"] == "damaged" and gear, 20, "geard tells")
    assert "bad unit file setting" in gear["damage"], gear
    assert {**gear, "damage": None, "state": None} == {**before, "damage": None, "state": None}, "and knows all it knew"
    assert "bad unit file setting" in host.peer("GET", "/container/1/status").text
    host.systemctl("restart", "geard")
    wait_until(lambda: answers(host), 30, "geard is back")
    wait_until(lambda: status(host)["state"] == "damaged", 20, "and finds it again")
    listed = {each["id"]: each for each in host.peer("GET", "/containers", headers=JSON).json["containers"]}
    assert listed["1"]["state"] == "damaged" and listed["other"]["state"] == "running" and "damage" not in listed["other"]
    assert {state: n for state, n in gears_by_state(host).items() if n != "0"} == {"damaged": "1", "running": "1"}

    host.sh(f"cat /root/unit > {UNIT}")
    wait_until(lambda: is_mended(host), 20, "mended, the reason is gone")
    turn(host, "1", "started")
    assert runs(host) and container_of(host, "other") == other


UNREADABLE = {
    "garbage": (NONSENSE["garbage"], f"cat /root/unit > {UNIT}"),
    "empty": (NONSENSE["empty"], f"cp --remove-destination /root/unit {UNIT}"),
    "without permission": (f"chmod 000 {UNIT}", f"chmod 644 {UNIT}"),
    "gone": (f"rm {UNIT}", f"mv /root/unit {UNIT}"),
    "a directory": (f"rm {UNIT} && mkdir {UNIT}", f"rmdir {UNIT} && ln /root/unit {UNIT}"),
}


@pytest.mark.parametrize("damage", UNREADABLE)
def test_a_unit_that_can_be_read_again_is_a_gear_again(host, damage):
    break_it, mend_it = UNREADABLE[damage]
    made(host, command=HOLD, labels={"a": "b"})
    made(host, "other")
    turn(host, "1", "stopped")
    host.sh(f"rm -f /root/unit && cp {UNIT} /root/unit && {break_it}")
    wait_until(lambda: status(host)["state"] == "damaged", 20, "geard notices")
    assert status(host)["damage"] and runs(host, "other")
    host.sh(mend_it)
    wait_until(lambda: is_mended(host), 20, "geard notices that, too")
    assert status(host)["labels"] == {"a": "b"}
    turn(host, "1", "started")
    assert runs(host) and runs(host, "other")


def test_what_a_drop_in_broke_is_told_until_it_is_mended(host):
    drop_in = "/etc/systemd/system/gear-1.service.d"
    made(host, command=HOLD)
    host.sh(f"mkdir {drop_in} && printf '[Service]\\nExecStart=\\n' > {drop_in}/mine.conf && systemctl daemon-reload")
    try:
        wait_until(lambda: "bad unit file setting" in json.dumps(status(host)), 20, "geard tells while it runs")
        host.systemctl("stop", "gear-1")
        wait_until(lambda: status(host)["state"] == "damaged", 20, "geard tells when it does not")
    finally:
        host.sh(f"rm -r {drop_in} && systemctl daemon-reload")
    wait_until(lambda: is_mended(host), 20, "mended, the reason is gone")
    turn(host, "1", "started")


def test_files_that_nobody_knows(host):
    host.sh(f"cd {STATE} && touch units/README units/gear-.service units/gear-x.socket env/x wanted/-x && mkdir units/sub && "
            "systemctl restart geard")
    try:
        wait_until(lambda: answers(host), 30, "geard is back")
        assert host.peer("GET", "/containers", headers=JSON).json["containers"] == []
        made(host)
    finally:
        host.sh(f"cd {STATE} && rm -rf units/README units/gear-.service units/gear-x.socket env/x wanted/-x units/sub")


# --- crowds ------------------------------------------------------------------------


def crowd(host, n, headers, ids):
    """n creates at the same moment; their statuses, and whether they were replayed or joined."""
    lines = "".join(
        f"curl -s -o /dev/null -w '%{{http_code}}\\n' --unix-socket {SOCKET} -X PUT {headers(i)} "
        f"-d '{{\"image\":\"test/busybox\"}}' 'http://localhost/container/{ids(i)}?wait=240' &\n" for i in range(n))
    return collections.Counter(host.sh(lines + "wait", timeout=280).split())


def starts(host, gear):
    return [line for line in host.journal(f"gear-{gear}.service", "short", "--no-full").splitlines() if "Started" in line]


def test_twenty_creates_of_one_gear_with_one_request_id(host):
    before = len(starts(host, "1"))
    assert crowd(host, 20, lambda i: "-H 'X-Request-Id: abc123'", lambda i: "1") == {"201": 20}
    assert len(starts(host, "1")) == before + 1
    assert runs(host) and host.sh("docker ps -q | wc -l") == "1"


def test_twenty_creates_of_one_gear(host):
    before = len(starts(host, "crowd"))
    found = crowd(host, 15, lambda i: "", lambda i: "crowd")
    assert found == {"201": 1, "200": 14}
    assert len(starts(host, "crowd")) == before + 1
    assert host.sh("docker ps -q | wc -l") == "1"


def test_more_than_may_wait_are_refused_and_the_first_are_served(host):
    found = crowd(host, 40, lambda i: "", lambda i: "crowd")
    assert set(found) <= {"201", "200", "429", "503"} and found["201"] == 1, found
    assert runs(host, "crowd")


def test_twenty_creates_of_twenty_gears(host):
    assert crowd(host, 20, lambda i: "", lambda i: f"c{i}") == {"201": 20}
    gears = host.peer("GET", "/containers", headers=JSON).json["containers"]
    assert len(gears) == 20 and {gear["state"] for gear in gears} == {"running"}
    assert host.sh("docker ps -q | wc -l") == "20"


def test_create_and_delete_at_the_same_time(host):
    """Whatever wins: it is there and runs, or nothing of it is."""
    for _ in range(5):
        host.sh(f"""
            for n in 1 2 3; do
                curl -s -o /dev/null --unix-socket {SOCKET} -X PUT -d '{{"image":"test/busybox"}}' http://localhost/container/1 &
                curl -s -o /dev/null --unix-socket {SOCKET} -X DELETE http://localhost/container/1 &
            done
            wait""")
        if host.peer("GET", "/container/1/status").status == 404:
            assert traces(host, "1") == []
        else:
            wait_running(host)
            delete(host, "1")


# --- the daemon itself -----------------------------------------------------------------


def test_a_second_daemon_refuses(host):
    made(host)
    pid = pid_of(host)
    done = host.run("/usr/sbin/geard", check=False, timeout=20)
    assert done.returncode not in (0, 124), done
    assert STATE in (done.stdout + done.stderr).decode()
    assert pid_of(host) == pid and answers(host) and runs(host)


def test_too_few_descriptors(host):
    """Idle clients take them all: it says so, does not spin, and goes on when they leave."""
    drop_in = "/run/systemd/system/geard.service.d"
    host.sh(f"mkdir -p {drop_in} && printf '[Service]\\nLimitNOFILE=48\\n' > {drop_in}/few.conf && systemctl daemon-reload && "
            "systemctl restart geard")
    try:
        wait_until(lambda: answers(host), 30, "it runs with few")
        made(host)
        pid = pid_of(host)
        host.sh("systemd-run --quiet --unit=idlers python3 -c 'import socket, time\n"
                f"held = []\nfor n in range(100):\n s = socket.socket(socket.AF_UNIX); s.connect(\"{SOCKET}\"); held.append(s)\n"
                "time.sleep(600)'")
        time.sleep(1)
        before = cpu_ticks(host, pid)
        time.sleep(2)
        assert cpu_ticks(host, pid) - before < 60, "it spins"
        host.systemctl("stop", "idlers")
        wait_until(lambda: answers(host), 30, "it answers again")
        assert pid_of(host) == pid
        made(host, "2")
        assert runs(host)
    finally:
        host.sh(f"systemctl stop idlers 2>/dev/null; rm -r {drop_in}; systemctl daemon-reload; systemctl restart geard")
    wait_until(lambda: answers(host), 30, "it runs with many")


def cpu_ticks(host, pid):
    return sum(map(int, host.sh(f"cut -d' ' -f14,15 /proc/{pid}/stat").split()))
