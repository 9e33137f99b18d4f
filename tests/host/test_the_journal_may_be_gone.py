# SPDX-License-Identifier: Apache-2.0
"""A journal that restarts, is only in memory, damaged, closed to geard or not there:
each is told as what it is, and logs are there again when it is."""

import concurrent.futures
import time

import pytest

from lib.gear import JSON, made
from lib.stream import Stream, entries, log_target, records_of
from lib.wait import wait_until

CLOCK = ["sh", "-c", "trap 'exit 0' TERM; i=0; while :; do i=$((i + 1)); echo tick $i; sleep 0.1; done"]
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def ticking(file_host):
    host = file_host
    made(host, command=CLOCK)
    yield host
    assert host.peer("DELETE", "/container/1").status == 204


def newest(host):
    return [record["text"] for record in records_of(host) if "mark" not in record][-1:]


def goes_on(host):
    """Lines come that were not there before."""
    before = newest(host)
    wait_until(lambda: newest(host) != before, 90, "new lines are there")


def test_a_follower_outlives_a_restart_of_journald(ticking):
    host = ticking

    def follow():
        said = []
        with Stream(host, log_target("1", timeout="30", tail="1"), EVENTS) as stream:
            for entry in entries(stream):
                said.append((time.monotonic(), entry))
        return said

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        following = pool.submit(follow)
        time.sleep(3)
        restarted = time.monotonic()
        host.systemctl("restart", "systemd-journald")
        said = following.result(timeout=120)
    assert [entry for when, entry in said if when > restarted + 3 and "mark" not in entry], "lines came after it"
    numbers = [int(entry["text"].split()[1]) for _, entry in said if entry["text"].startswith("tick")]
    assert numbers == list(range(numbers[0], numbers[-1] + 1)), "and none is missing"


def test_a_journal_in_memory_is_a_journal(ticking):
    host = ticking
    host.sh("mkdir -p /run/systemd/journald.conf.d; printf '[Journal]\\nStorage=volatile\\n' > /run/systemd/journald.conf.d/60-case.conf; "
            "systemctl restart systemd-journald; mv /var/log/journal /var/log/journal.away")
    try:
        goes_on(host)
        assert host.sh("ls /var/log/journal 2>/dev/null || true") == ""
    finally:
        host.sh("rm /run/systemd/journald.conf.d/60-case.conf; mv /var/log/journal.away /var/log/journal; "
                "systemctl restart systemd-journald; journalctl --flush")
    goes_on(host)


def test_no_journal_is_said_and_one_that_comes_is_read(ticking):
    host = ticking
    host.sh("mv /var/log/journal /var/log/journal.away; mv /run/log/journal /run/log/journal.away 2>/dev/null || true; "
            "systemctl restart geard")
    try:
        answer = host.peer("GET", "/container/1/log?follow=no", headers=JSON, timeout=20)
        assert answer.status == 503 and "journal" in answer.json["detail"], answer
        assert int(answer.headers["retry-after"]) > 0
        assert host.peer("GET", "/container/1/status").status == 200
    finally:
        host.sh("mv /var/log/journal.away /var/log/journal; mv /run/log/journal.away /run/log/journal 2>/dev/null || true; "
                "systemctl restart systemd-journald")
    goes_on(host)


def test_one_that_geard_may_not_read_is_said(ticking):
    host = ticking
    host.sh("mkdir -p /run/systemd/system/geard.service.d; "
            "printf '[Service]\\nInaccessiblePaths=-/var/log/journal -/run/log/journal\\n' > /run/systemd/system/geard.service.d/60-case.conf; "
            "systemctl daemon-reload; systemctl restart geard")
    try:
        answer = host.peer("GET", "/container/1/log?follow=no", headers=JSON, timeout=20)
        assert answer.status in (500, 503) and "journal" in answer.json["detail"], answer
        assert "ermi" in answer.json["detail"], "and that it is not allowed"
        assert host.peer("GET", "/container/1/status").status == 200
    finally:
        host.sh("rm -r /run/systemd/system/geard.service.d/60-case.conf; systemctl daemon-reload; systemctl restart geard")
    goes_on(host)


def test_a_damaged_file_costs_only_what_was_in_it(ticking):
    host = ticking
    goes_on(host)
    host.sh("journalctl --rotate; sleep 1")
    damaged = host.sh("ls -t /var/log/journal/*/system@*.journal | head -n 1")
    host.sh(f"size=$(stat -c %s {damaged}); dd if=/dev/urandom of={damaged} bs=4096 seek=20 count=$((size / 4096 - 40)) conv=notrunc status=none")
    goes_on(host)
    assert host.peer("GET", "/healthz").status == 200
    assert host.sh("systemctl show -P NRestarts geard") == "0"
    host.sh(f"truncate -s 8192 {damaged}")
    goes_on(host)
    host.sh(f"rm {damaged}")
    goes_on(host)
    assert host.sh("systemctl show -P NRestarts geard") == "0"
