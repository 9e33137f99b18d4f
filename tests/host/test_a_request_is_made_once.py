# SPDX-License-Identifier: Apache-2.0
"""A request id takes effect once: geard may be restarted or killed in between,
and its database damaged, deleted or full."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.gear import JSON, container_of, create, delete, made, runs, status, unit_is
from lib.host import SOCKET
from lib.wait import wait_until

DATABASE = "/var/lib/geard/geard.db"
SLOW = {"image": "test/busybox", "ready": {"log": "now"}, "stop_timeout": "1s",
        "command": ["sh", "-c", "sleep 2; echo now; exec hold"]}
ONCE = {"image": "test/busybox", "restart": "no", "volumes": [{"name": "data", "target": "/data"}],
        "command": ["sh", "-c", "echo ran >> /data/runs"]}
LOST = "can be made again"


def again(host, method, path, body=None, *, i, timeout=90):
    return host.peer(method, path, body, {**JSON, "X-Request-Id": i}, timeout=timeout)


def is_replayed(answer):
    return answer.headers.get("geard-replayed") == "yes"


def is_back(host):
    told = host.peer("GET", "/healthz", headers=JSON, timeout=5).json
    return told["systemd"] and told["engine"]


def restart(host):
    host.systemctl("restart", "geard")


def kill(host):
    host.sh("kill -9 $(systemctl show -P MainPID geard); systemctl reset-failed geard; systemctl start geard")


def start_over(host, between):
    """Ends geard, does something to its files, and starts it again."""
    host.sh(f"systemctl stop geard && {{ {between}; }} && systemctl start geard")
    wait_until(lambda: is_back(host), 20, "geard is back")


@pytest.mark.parametrize("end", [restart, kill])
def test_it_is_replayed_after(fresh_host, end):
    host = fresh_host
    first = again(host, "PUT", "/container/1", {"image": "test/busybox"}, i="a1")
    assert first.status == 201 and not is_replayed(first), first
    stopped = again(host, "PUT", "/container/1/stopped", i="a2")
    started = again(host, "PUT", "/container/1/started", i="a3")
    assert stopped.status == started.status == 200
    container = container_of(host)
    end(host)
    for answer, known in ((again(host, "PUT", "/container/1", {"image": "test/busybox"}, i="a1"), first),
                          (again(host, "PUT", "/container/1/stopped", i="a2"), stopped)):
        assert is_replayed(answer) and answer.status == known.status and answer.body == known.body, answer
    assert container_of(host) == container
    other = again(host, "PUT", "/container/1/stopped", i="a1")
    assert other.status == 409 and container_of(host) == container, other
    told = host.peer("GET", "/requests/a1", headers=JSON)
    assert told.status == 200 and told.json["state"] == "done" and told.json["status"] == 201, told


@pytest.mark.parametrize("accept, last", [("text/plain;stream=true", "done 201: "), ("text/event-stream", "event: outcome")],
                         ids=["lines", "events"])
def test_a_stream_says_that_it_is_a_replay(host, accept, last):
    i = "ab" + format(len(accept), "x")

    def stream(**spec):
        return host.peer("PUT", "/container/1", {"image": "test/busybox", **spec}, {"Accept": accept, "X-Request-Id": i})

    first = stream()
    assert first.status == 200 and not is_replayed(first) and last in first.text, first
    for _ in ("from memory", "from the database"):
        second = stream()
        assert second.status == 200 and is_replayed(second) and second.text.startswith(last), second
        assert second.headers["content-type"] == first.headers["content-type"]
        restart(host)
    assert stream(command=["hold"]).status == 409


def test_a_request_is_told_to_who_may_see_its_gear(host):
    assert host.token("PUT", "container", {}, r="1", t="test/busybox", i="ac1").status == 201
    for _ in ("from memory", "from the database"):
        for r, expected in (("1", 200), (None, 200), ("2", 404)):
            told = host.token("GET", "requests/ac1", r=r, i=None)
            assert told.status == expected, (r, told)
        restart(host)


def test_a_failure_is_told_and_its_id_is_free(host):
    assert again(host, "PUT", "/container/1", {"image": "test/crash"}, i="b1").status == 500
    restart(host)
    assert host.peer("GET", "/requests/b1", headers=JSON).json["state"] == "failed"
    second = again(host, "PUT", "/container/1", {"image": "test/crash"}, i="b1")
    assert second.status == 500 and not is_replayed(second), second


def test_a_deletion_is_not_repeated(host):
    made(host)
    assert again(host, "DELETE", "/container/1", i="c1").status == 204
    made(host)
    kill(host)
    answer = again(host, "DELETE", "/container/1", i="c1")
    assert answer.status == 204 and is_replayed(answer), answer
    wait_until(lambda: runs(host), 20, "the second one was not deleted")


@pytest.mark.parametrize("seconds", ["0.05", "0.5", "1", "1.9", "2.2", "2.6"])
def test_who_asks_again_after_a_crash_gets_the_truth(host, seconds):
    """Killed at some time of a create: the same request again leads to one gear."""
    i = "d" + seconds.replace(".", "")
    argv = ["curl", "-s", "-o", "/dev/null", "-X", "PUT", "-d", json.dumps(SLOW), "-H", f"X-Request-Id: {i}",
            "--unix-socket", SOCKET, "http://localhost/container/1"]
    host.sh(f"{' '.join(repr(word) for word in argv)} & sleep {seconds}; kill -9 $(systemctl show -P MainPID geard); wait; "
            "systemctl reset-failed geard; systemctl start geard")
    wait_until(lambda: is_back(host), 20, "geard is back")
    answer = again(host, "PUT", "/container/1", SLOW, i=i)
    if answer.status == 503: # it was waiting for the recovery, which has undone it
        answer = again(host, "PUT", "/container/1", SLOW, i=i)
    assert answer.status == 201, answer
    assert runs(host) and len(host.docker("ps", "-aq").splitlines()) == 1
    container = container_of(host)
    third = again(host, "PUT", "/container/1", SLOW, i=i)
    assert third.status == 201 and is_replayed(third) and container_of(host) == container, third


def times_it_ran(host):
    return len(host.sh("cat $(docker volume inspect -f '{{.Mountpoint}}' gear-1-data)/runs", check=False).split())


@pytest.mark.parametrize("path, body, before", [
    ("/container/1", ONCE, 0),
    ("/container/1", {**ONCE, "labels": {"a": "b"}, "replace": True}, 1),
    ("/container/1/started", None, 1),
    ("/container/1/restarted", None, 1),
], ids=["create", "replace", "start", "restart"])
def test_what_ran_to_its_end_does_not_run_again(host, held, path, body, before):
    """… when geard dies after the command has ended, and before it has written that anywhere."""
    i = f"d0{before}{len(path):02x}"
    if before:
        held()
        made(host, **ONCE)
        wait_until(lambda: unit_is(host, "1", "inactive"), 20, "the first run is over")
        host.sh("rm /run/go")
    with ThreadPoolExecutor(1) as client:
        client.submit(again, host, "PUT", path, body, i=i)
        wait_until(lambda: unit_is(host, "1", "activating"), 20, "the run begins")
        host.sh("kill -STOP $(systemctl show -P MainPID geard)")
        try:
            held()
            wait_until(lambda: unit_is(host, "1", "inactive") and not container_of(host), 20, "it is over")
            assert times_it_ran(host) == before + 1
        finally:
            kill(host)
    wait_until(lambda: is_back(host), 20, "geard is back")
    assert again(host, "PUT", path, body, i=i).status == (200 if body is None else 201)
    assert is_replayed(again(host, "PUT", path, body, i=i))
    assert times_it_ran(host) == before + 1


def test_a_create_that_a_crash_cut_short_costs_no_volume_of_an_earlier_gear(host):
    data = [{"name": "data", "target": "/data"}]
    kept = "cat $(docker volume inspect -f '{{.Mountpoint}}' gear-1-data)/kept"
    made(host, volumes=data, command=["sh", "-c", "echo kept > /data/kept; exec hold"])
    wait_until(lambda: host.sh(kept, check=False) == "kept", 5, "it wrote")
    delete(host, "1")
    failing = {"image": "test/busybox", "volumes": data, "ready": {"log": "never"}, "command": ["sh", "-c", "sleep 3; exit 7"]}
    with ThreadPoolExecutor(1) as client:
        client.submit(again, host, "PUT", "/container/1", failing, i="d9")
        wait_until(lambda: unit_is(host, "1", "active"), 20, "it runs")
        kill(host)
    wait_until(lambda: is_back(host), 20, "geard is back")
    wait_until(lambda: host.peer("GET", "/container/1/status").status == 404, 20, "it is undone")
    assert again(host, "PUT", "/container/1", failing, i="d9").status >= 500
    assert host.sh(kept) == "kept"


@pytest.mark.parametrize("damage", [
    f"rm -f {DATABASE}* && mkdir {DATABASE}",
    f"echo this is none > {DATABASE}",
    f"truncate -s 5000 {DATABASE}; rm -f {DATABASE}-wal",
], ids=["directory", "text", "cut"])
def test_a_database_that_is_none_is_moved_aside(fresh_host, damage):
    host = fresh_host
    made(host)
    start_over(host, damage)
    assert runs(host), "no gear is lost"
    assert again(host, "PUT", "/container/1/stopped", i="e1").status == 200
    assert LOST in host.journal("geard")
    assert host.sh(f"ls -d {DATABASE}.damaged-*")
    assert host.sh(f"stat -c '%F %a' {DATABASE}") == "regular file 600"


@pytest.mark.parametrize("damage", [
    f"rm -f {DATABASE}*",
    f"mv {DATABASE} {DATABASE}.kept",
    f"cp {DATABASE} {DATABASE}.copy && mv {DATABASE}.copy {DATABASE}",
], ids=["deleted", "renamed", "another"])
def test_one_taken_away_while_geard_runs_is_begun_anew(fresh_host, damage):
    host = fresh_host
    made(host)
    assert LOST not in host.journal("geard")
    host.sh(damage)
    assert again(host, "PUT", "/container/1/stopped", i="e1").status == 200
    assert LOST in host.journal("geard")
    kill(host)
    assert is_replayed(again(host, "PUT", "/container/1/stopped", i="e1"))


@pytest.mark.parametrize("damage", [
    f"dd if=/dev/urandom of={DATABASE} bs=4k count=4 conv=notrunc status=none",
    f": > {DATABASE}",
], ids=["overwritten", "emptied"])
def test_one_spoilt_while_geard_runs_stops_nothing(fresh_host, damage):
    """geard works from what it has read, and meets the damage with what it reads next: after its end at the latest."""
    host = fresh_host
    made(host)
    start_over(host, "true")
    host.sh(damage)
    assert again(host, "PUT", "/container/1/stopped", i="e1").status == 200
    assert status(host)["state"] == "stopped"
    kill(host)
    wait_until(lambda: is_back(host), 20, "geard is back")
    assert again(host, "PUT", "/container/1/started", i="e2").status == 200
    assert runs(host)
    kill(host)
    assert is_replayed(again(host, "PUT", "/container/1/started", i="e2"))
    assert LOST in host.journal("geard")


def test_on_a_full_disk_changes_are_refused_and_reads_go_on(fresh_host):
    host = fresh_host
    start_over(host, "mount -t tmpfs -o size=1M,mode=755 tmpfs /var/lib/geard")
    made(host)
    assert again(host, "PUT", "/container/1/stopped", i="f0").status == 200
    host.sh("dd if=/dev/zero of=/var/lib/geard/filler bs=4k status=none", check=False)
    for n in range(1, 50):
        answer = again(host, "PUT", "/container/1/started", i=f"f{n:x}")
        if answer.status == 507:
            break
        assert answer.status == 200, answer
        assert again(host, "PUT", "/container/1/stopped", i=f"ff{n:x}").status in (200, 507)
    assert answer.status == 507, answer
    state = status(host)["state"]
    for call in (lambda: create(host, "2"), lambda: again(host, "DELETE", "/container/1", i="fd")):
        assert call().status == 507
    assert status(host)["state"] == state and status(host)["id"] == "1"
    assert host.peer("GET", "/container/2/status").status == 404
    assert is_replayed(again(host, "PUT", "/container/1/stopped", i="f0"))
    assert host.peer("GET", "/requests/f0", headers=JSON).json["state"] == "done"
    host.sh("rm /var/lib/geard/filler")
    assert create(host, "2").status == 201
    delete(host, "2")
