# SPDX-License-Identifier: Apache-2.0
"""Another program holds the database, or its disk hangs: geard starts, reads go
on, changes are refused or wait, and none is lost, half done or done twice."""

import contextlib
import json
import shlex
import sqlite3
import threading
import time

import pytest

from lib.gear import HOLD, JSON, container_of, create, made, runs, status
from lib.host import SOCKET, call
from lib.wait import wait_until

DATABASE = "/var/lib/geard/geard.db"
ON_DISK = "/srv/disk/geard.db"
SLOW = {"image": "test/busybox", "ready": {"log": "now"}, "stop_timeout": "1s",
        "command": ["sh", "-c", "sleep 2; echo now; exec hold"]}
GATED = {**SLOW, "command": ["sh", "-c", "until [ -e /tmp/go ]; do sleep 0.1; done; echo now; exec hold"]}
READY_WITHIN = 10  # seconds, of which two are for the database and five for systemd and the engine
LATE = 1.8  # a status that takes so long waited for something: for the database that would be two seconds


def again(host, method, path, body=None, *, i, timeout=90):
    return host.peer(method, path, body, {**JSON, "X-Request-Id": i}, timeout=timeout)


def is_replayed(answer):
    return answer.headers.get("geard-replayed") == "yes"


def started(host):
    began = time.monotonic()
    host.systemctl("start", "geard")
    assert time.monotonic() - began < READY_WITHIN


def killed(host):
    host.sh("systemctl kill --signal=KILL geard; systemctl stop geard; systemctl reset-failed geard")


def slowest_status(host, seconds):
    """The longest that anybody waited for the status of a gear in that time, or somewhat more."""
    url, n = "http://localhost/container/1/status", 10 * seconds
    took = host.sh(f"for n in $(seq {n}); do curl -sf -o /dev/null -w '%{{time_total}}\\n' --max-time 20 "
                   f"--unix-socket {SOCKET} {url} || echo 99; sleep 0.1; done").split()
    assert len(took) == n, took
    return max(map(float, took))


def in_background(host, name, path, body=None, *, i):
    """A PUT that nobody here waits for."""
    data = f"-d {shlex.quote(json.dumps(body))}" if body else ""
    host.sh(f"systemd-run --quiet --collect --unit={name} curl -s -o /dev/null --unix-socket {SOCKET} -X PUT "
            f"-H 'X-Request-Id: {i}' {data} http://localhost{path}")


def refused(answer, path=DATABASE):
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0 and path in answer.json["detail"], answer


# --- held by another program --------------------------------------------------------------


@contextlib.contextmanager
def held(host):
    """As by somebody's `sqlite3 geard.db' with a transaction open: a lock out here is one in there."""
    other = sqlite3.connect(host.root / DATABASE.lstrip("/"), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


def test_one_that_another_program_holds_at_start(fresh_host):
    host = fresh_host
    made(host, command=HOLD)
    assert again(host, "PUT", "/container/1/restarted", i="db0a1").status == 200
    in_background(host, "cut-short", "/container/2", SLOW, i="db0a2")
    second = wait_until(lambda: container_of(host, "2"), 20, "it is under way")
    killed(host)
    first = container_of(host)
    with held(host):
        started(host)
        assert runs(host), "reads go on"
        refused(again(host, "PUT", "/container/1/stopped", i="db0a3"))
        refused(again(host, "PUT", "/container/1/restarted", i="db0a1"))
        refused(create(host, "3"))
        refused(host.peer("GET", "/requests/db0a1", headers=JSON))
        refused(host.peer("GET", "/audit", headers=JSON))
        assert slowest_status(host, 5) < LATE
        assert container_of(host) == first
    wait_until(lambda: is_replayed(again(host, "PUT", "/container/1/restarted", i="db0a1")), 10, "it works by itself")
    ended = again(host, "PUT", "/container/2", SLOW, i="db0a2")
    assert ended.status == 201 and container_of(host, "2") == second, ended
    assert container_of(host) == first
    stopped = again(host, "PUT", "/container/1/stopped", i="db0a3")
    assert stopped.status == 200 and not is_replayed(stopped), stopped
    told = host.journal("geard")
    assert told.count("no change can be made while this lasts: " + DATABASE) == 1
    assert told.count("changes are made again") == 1


def test_nobody_else_gets_hold_of_it_while_geard_runs(host):
    """Neither a transaction of an administrator's nor a copy, which begins with reading, delays a change."""
    path, failures, over = host.root / DATABASE.lstrip("/"), [], threading.Event()

    def meddle():
        while not over.wait(0.01):
            for act in "BEGIN EXCLUSIVE", "SELECT count(*) FROM outcomes":
                with contextlib.closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as other:
                    try:
                        other.execute(act)
                        failures.append("it had it")
                    except sqlite3.OperationalError as error:
                        failures.append(str(error))

    made(host, command=HOLD)
    calls = [(f"/container/1/{state}", f"db0b{n:x}") for n, state in enumerate(["stopped", "started"] * 4)]
    other = threading.Thread(target=meddle)
    other.start()
    try:
        answers = [again(host, "PUT", path, i=i) for path, i in calls]
    finally:
        over.set()
        other.join()
    assert [answer.status for answer in answers] == [200] * len(calls)
    assert len(failures) > len(calls) and set(failures) == {"database is locked"}, failures
    assert all(is_replayed(again(host, "PUT", path, i=i)) for path, i in calls)
    assert runs(host)


# --- on a disk that hangs -----------------------------------------------------------------


class Disk:
    """A file system of the database's own.  Frozen, it takes no write until it is thawed."""

    def __init__(self, host):
        self.host = host

    def freeze(self):
        self.host.sh("fsfreeze --freeze /srv/disk")

    def thaw(self):
        self.host.sh("fsfreeze --unfreeze /srv/disk", check=False)

    @contextlib.contextmanager
    def hanging(self):
        self.freeze()
        try:
            yield
        finally:
            self.thaw()


@pytest.fixture
def disk(fresh_host):
    host, image = fresh_host, fresh_host.root / "root/disk"
    with open(image, "wb") as file:
        file.truncate(32 << 20)
    call(["mkfs.ext4", "-q", image])
    device = call(["losetup", "--find", "--show", image]).stdout.decode().strip()
    disk = Disk(host)
    try:
        host.sh(f"mkdir /srv/disk; mknod -m 600 /dev/disk b 7 {device.removeprefix('/dev/loop')} && mount /dev/disk /srv/disk")
        host.configure("60-disk", f"[Daemon]\nDatabase={ON_DISK}\n")
        drop_in = "/etc/systemd/system/geard.service.d"
        host.sh(f"mkdir -p {drop_in}; printf '[Service]\\nReadWritePaths=/srv/disk\\n' > {drop_in}/60-disk.conf; "
                "systemctl daemon-reload; systemctl restart geard")
        yield disk
        disk.thaw()
        host.sh("systemctl stop geard; umount /srv/disk")
    finally:
        disk.thaw()
        call(["losetup", "--detach", device])


def test_a_disk_that_hangs_at_start(disk):
    host = disk.host
    made(host, command=HOLD)
    assert again(host, "PUT", "/container/1/restarted", i="db0c1").status == 200
    container = container_of(host)
    host.systemctl("stop", "geard")
    with disk.hanging():
        started(host)
        assert runs(host), "reads go on"
        refused(again(host, "PUT", "/container/1/stopped", i="db0c2"), ON_DISK)
        refused(again(host, "PUT", "/container/1/restarted", i="db0c1"), ON_DISK)
        refused(create(host, "2"), ON_DISK)
        assert slowest_status(host, 5) < LATE
    wait_until(lambda: is_replayed(again(host, "PUT", "/container/1/restarted", i="db0c1")), 10, "it works by itself")
    assert container_of(host) == container
    stopped = again(host, "PUT", "/container/1/stopped", i="db0c2")
    assert stopped.status == 200 and not is_replayed(stopped), stopped
    told = host.journal("geard")
    assert told.count(ON_DISK + " is slow: changes are refused") == 1 and told.count("changes are made again") == 1


def test_a_disk_that_hangs_under_changes(disk):
    """Before its intent is on the disk a change has no effect; with one, it goes on when the disk does."""
    host = disk.host
    made(host, command=HOLD)
    container = container_of(host)
    in_background(host, "effect", "/container/2", GATED, i="db0d2")
    second = wait_until(lambda: container_of(host, "2"), 20, "its intent is on the disk, its outcome is not")
    with disk.hanging():
        host.docker("exec", "gear-2", "touch", "/tmp/go")
        in_background(host, "intent", "/container/1/restarted", i="db0d1")
        assert again(host, "PUT", "/container/1/restarted?wait=1", i="db0d1").status == 202, "joined, and told to ask again"
        assert again(host, "PUT", "/container/3?wait=1", {"image": "test/busybox"}, i="db0d3").status == 202
        assert slowest_status(host, 5) < LATE
        assert container_of(host) == container and container_of(host, "3") == ""
        assert host.peer("GET", "/requests/db0d2", headers=JSON).json["state"] == "running"
    ended = again(host, "PUT", "/container/2", GATED, i="db0d2")
    assert ended.status == 201 and container_of(host, "2") == second, ended
    assert again(host, "PUT", "/container/1/restarted", i="db0d1").status == 200
    once = container_of(host)
    assert once != container
    assert again(host, "PUT", "/container/3", {"image": "test/busybox"}, i="db0d3").status == 201
    killed(host)
    started(host)
    for path, body, i in (("/container/1/restarted", None, "db0d1"), ("/container/2", GATED, "db0d2"),
                          ("/container/3", {"image": "test/busybox"}, "db0d3")):
        wait_until(lambda path=path, body=body, i=i: is_replayed(again(host, "PUT", path, body, i=i)), 10, f"{i} is remembered")
    assert container_of(host) == once and container_of(host, "2") == second


def test_a_kill_while_the_disk_hangs(disk):
    """What had no intent yet never happened: its id is free, and takes effect once."""
    host = disk.host
    made(host, command=HOLD)
    container, pid = container_of(host), host.show("geard")["MainPID"]
    with disk.hanging():
        assert again(host, "PUT", "/container/1/restarted?wait=1", i="db0e1").status == 202
        host.sh(f"kill -9 {pid}")
        assert container_of(host) == container
    wait_until(lambda: host.show("geard")["MainPID"] not in ("0", pid) and runs(host), 20, "the next one runs")
    assert status(host)["state"] == "running"
    wait_until(lambda: again(host, "PUT", "/container/1/restarted", i="db0e1").status == 200, 10, "it is done")
    once = container_of(host)
    assert once != container and is_replayed(again(host, "PUT", "/container/1/restarted", i="db0e1"))
    assert container_of(host) == once
