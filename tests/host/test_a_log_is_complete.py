# SPDX-License-Identifier: Apache-2.0
"""Whoever reads a log, and however: nothing is missing, nothing comes twice, and
what the journal has lost is told."""

import concurrent.futures
import http.client
import random
import threading
import time
import zlib

import pytest

from lib.gear import made
from lib.stream import Stream, entries, log_target, records_of
from lib.wait import wait_until

MANY = 500_000
SOME = 5_000
EVENTS = {"Accept": "text/event-stream"}
JSON_LINES = {"Accept": "application/json"}
GZIP = {"Accept-Encoding": "gzip"}
BROKEN = (OSError, http.client.HTTPException)


def counting(n, pause="sleep 1"):
    """Numbers up to n, as fast as they can be written, and a word behind them."""
    return ["sh", "-c", f"trap 'exit 0' TERM; {pause}; seq 1 {n}; echo end; while :; do sleep 0.2; done"]


@pytest.fixture
def unlimited(host):
    """A host whose gears may log as fast as they can."""
    host.configure("60-case", "[Daemon]\nLogRate=0\n")
    host.systemctl("reload", "geard")
    yield host
    host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl reload geard")


class Counter:
    """Holds what comes against 1, 2, 3 … end; marks of systemd may stand anywhere, gaps may not."""

    def __init__(self, name, last):
        self.name = name
        self.last = last
        self.next = 1
        self.ended = False
        self.cursor = None
        self.connections = 0

    def take(self, entry):
        assert "gap" not in entry, f"{self.name}: {entry}"
        self.cursor = entry["cursor"]
        if "mark" not in entry:
            self.take_line(entry["text"])

    def take_line(self, line):
        assert not self.ended, f"{self.name}: {line!r} behind the end"
        if line == "end":
            assert self.next == self.last + 1, f"{self.name}: the end comes behind {self.next - 1}"
            self.ended = True
        else:
            assert line == str(self.next), f"{self.name}: {line!r} in place of {self.next}"
            self.next += 1


# --- readers, each over as many connections as it takes --------------------------------------------


def read(host, counter, resume, leaves):
    """leaves(n): waits, or says that the client goes behind its n-th record."""
    while not counter.ended:
        query, headers = resume(counter.cursor)
        counter.connections += 1
        try:
            with Stream(host, log_target("1", timeout="0", **query), headers) as stream:
                for n, entry in enumerate(entries(stream)):
                    counter.take(entry)
                    if counter.ended or leaves(n):
                        break
        except BROKEN:
            time.sleep(0.1)


def by_event_id(cursor):
    return {"tail": "all"}, EVENTS | ({"Last-Event-ID": cursor} if cursor else {})


def by_cursor(cursor):
    return {"cursor": cursor} if cursor else {"tail": "all"}, JSON_LINES


def never(_):
    return False


def comes_and_goes(seed):
    """After a few records, or after many."""
    chance = random.Random(seed)
    stay = 0

    def leaves(n):
        nonlocal stay
        if n == 0:
            stay = int(10 ** chance.uniform(0, 4.8))
        return n == stay
    return leaves


def stalls(seed):
    chance = random.Random(seed)

    def leaves(_):
        if chance.random() < 8 / MANY:
            time.sleep(chance.uniform(0.5, 3))
        return False
    return leaves


def read_text(host, counter, headers):
    """In one piece, since text has nothing to resume by."""
    unpack = zlib.decompressobj(31).decompress if headers else bytes
    counter.connections += 1
    with Stream(host, log_target("1", timeout="0", tail="all"), headers) as stream:
        assert stream.answer.getheader("Content-Encoding") == headers.get("Accept-Encoding")
        held = b""
        for piece in stream.pieces():
            *lines, held = (held + unpack(piece)).split(b"\n")
            for line in lines:
                assert b"not kept" not in line, f"{counter.name}: {line!r} behind {counter.next - 1}"
                if not line.startswith(b"-- "):
                    counter.take_line(line.decode())
            if counter.ended:
                return


def rotate(host, stop):
    while not stop.wait(1):
        host.sh("journalctl --rotate")


@pytest.mark.takes(90)
@pytest.mark.timeout(900)
def test_half_a_million_lines_through_rotation(unlimited):
    host = unlimited
    made(host, command=counting(MANY))
    readers = {
        "steady": lambda c: read(host, c, by_event_id, never),
        "by cursor": lambda c: read(host, c, by_cursor, comes_and_goes(1)),
        "by event id": lambda c: read(host, c, by_event_id, comes_and_goes(2)),
        "stalls": lambda c: read(host, c, by_event_id, stalls(3)),
        "text": lambda c: read_text(host, c, {}),
        "gzip": lambda c: read_text(host, c, GZIP),
    }
    counters = {name: Counter(name, MANY) for name in readers}
    stop = threading.Event()
    with concurrent.futures.ThreadPoolExecutor(len(readers) + 1) as pool:
        rotating = pool.submit(rotate, host, stop)
        reading = [pool.submit(reader, counters[name]) for name, reader in readers.items()]
        try:
            for future in concurrent.futures.as_completed(reading, timeout=800):
                future.result()
        finally:
            stop.set()
            for counter in counters.values():
                counter.ended = True
        rotating.result()
    assert counters["by cursor"].connections > 3 and counters["by event id"].connections > 3
    assert int(host.sh("ls /var/log/journal/*/system@*.journal | wc -l")) > 2, "there was no rotation"


def test_restarts_of_geard_cost_no_line(unlimited):
    host = unlimited
    made(host, command=["sh", "-c", f"trap 'exit 0' TERM; i=0; while [ $i -lt {SOME} ]; do i=$((i + 1)); echo $i; "
                                    "[ $((i % 20)) -ne 0 ] || sleep 0.03; done; echo end; while :; do sleep 0.2; done"])
    counter = Counter("restarts", SOME)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read, host, counter, by_event_id, never)
        for how in ("systemctl restart geard", "systemctl kill -s KILL geard; systemctl start geard", "systemctl restart geard"):
            time.sleep(1.5)
            host.sh(f"systemctl reset-failed geard; {how}")
        reading.result(timeout=200)
    assert counter.connections >= 3


# --- what the journal has lost ------------------------------------------------------------------------


def test_what_was_vacuumed_away_is_told_once(file_host):
    host = file_host
    made(host, command=counting(SOME, "true"))
    wait_until(lambda: records_of(host, tail=1)[-1]["text"] == "end", 90, "it has written all")
    cursor = next(record["cursor"] for record in records_of(host) if record["text"] == "10")
    host.sh("journalctl --rotate && journalctl --vacuum-time=1s -q && journalctl --vacuum-size=1 -q; sleep 1.2; "
            "journalctl --rotate; journalctl --vacuum-time=1s -q")
    host.docker("kill", "--signal=KILL", "gear-1")  # and so there are newer records
    wait_until(lambda: any(record.get("mark") == "started" for record in records_of(host)), 90, "it runs again")
    records = records_of(host, cursor=cursor)
    assert records[0].get("gap") == "gone", records[:3]
    assert [record for record in records if "gap" in record] == records[:1]
    again = records_of(host, cursor=records[-1]["cursor"])
    assert all("gap" not in record for record in again)


def test_who_is_level_has_lost_nothing_to_a_vacuum(file_host):
    """The last line he had is vacuumed away, and nothing came behind it."""
    host = file_host
    made(host, "level", command=["sh", "-c", "trap 'exit 0' TERM; trap 'echo poked' USR1; echo first; while :; do sleep 0.1; done"])
    wait_until(lambda: records_of(host, "level")[-1]["text"] == "first", 90, "it has spoken")
    with Stream(host, log_target("level", timeout="0"), JSON_LINES) as stream:
        following = entries(stream)
        while next(following)["text"] != "first":
            pass
        host.sh("journalctl --rotate; sleep 3; journalctl --vacuum-files=1 -q")
        wait_until(lambda: "first" not in host.journal(None, "cat", "SYSLOG_IDENTIFIER=gear-level"), 10, "it is gone")
        time.sleep(2.5)
        host.docker("kill", "--signal=USR1", "gear-level")
        assert next(following)["text"] == "poked"


def test_what_was_too_much_at_once_is_told(host):
    host.configure("60-case", "[Daemon]\nLogRate=1000/10s\n")
    host.systemctl("reload", "geard")
    try:
        made(host, command=["sh", "-c", "trap 'exit 0' TERM; seq 1 20000; sleep 11; echo after; while :; do sleep 0.2; done"])
        wait_until(lambda: any(record["text"] == "after" for record in records_of(host)), 90, "lines are kept again")
        records = records_of(host)
    finally:
        host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl reload geard")
    lines = [record for record in records if "mark" not in record and "gap" not in record]
    gaps = [record for record in records if "gap" in record]
    assert gaps and all(gap["gap"] == "suppressed" for gap in gaps)
    assert sum(gap["count"] for gap in gaps) + len(lines) == 20_001, "each line is there, or counted"
