# SPDX-License-Identifier: Apache-2.0
"""Who reads a log slowly is waited for, who takes nothing at all is let go; neither
costs memory, nor another client a line."""

import re
import time

import pytest

from lib.gear import made
from lib.host import SOCKET
from lib.stream import Stream, entries, log_target, records_of
from lib.wait import wait_until

LINES = 60_000  # of 200 bytes: more than all buffers between geard and a client hold
WRITE = f"x=$(head -c 190 /dev/zero | tr '\\0' x); seq -f \"%g $x\" 1 {LINES} 2>/dev/null || seq 1 {LINES} | sed \"s/$/ $x/\"; echo end"
FLOOD = ["sh", "-c", f"trap 'exit 0' TERM; {WRITE}; while :; do sleep 0.2; done"]
# … when it is told to.
DAM = ["sh", "-c", f"trap 'exit 0' TERM; trap 'go=yes' USR1; trap 'echo more' USR2; echo ready; "
                   f"while [ -z \"$go\" ]; do sleep 0.1; done; {WRITE}; while :; do sleep 0.2; done"]
EVENTS = {"Accept": "text/event-stream"}


@pytest.fixture
def strict(host):
    """A host where stuck clients are let go soon."""
    host.configure("60-case", "[Daemon]\nStuckWrite=3s\n")
    host.systemctl("restart", "geard")
    yield host
    host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl restart geard")


@pytest.fixture
def flooded(strict):
    """… with a gear that has written much."""
    made(strict, command=FLOOD)
    wait_until(lambda: records_of(strict, tail=1)[-1]["text"] == "end", 90, "it has written all")
    return strict


def anonymous_kib(host):
    return int(host.sh("awk '/^RssAnon/ { print $2 }' /proc/$(systemctl show -P MainPID geard)/status"))


def streams(host):
    return int(re.search(r"^geard_streams (\d+)$", host.peer("GET", "/metrics").text, re.MULTILINE)[1])


def numbers(records):
    return [int(record["text"].split(" ")[0]) for record in records if "mark" not in record and record["text"] != "end"]


def test_who_takes_nothing_is_let_go_and_resumes(flooded):
    host = flooded
    records_of(host, tail=1)  # what reading costs once is there
    before = anonymous_kib(host)
    taken, most = [], 0
    with Stream(host, log_target("1", timeout="0", tail="all"), EVENTS, receive_buffer=65536) as stuck:
        for entry in entries(stuck):
            taken.append(entry)
            if len(taken) == 100:
                break
        for _ in range(60):
            most = max(most, anonymous_kib(host))
            if streams(host) == 0:
                break
            time.sleep(0.5)
        assert streams(host) == 0, "it was let go"
    assert most - before < 4096, f"{most - before} KiB for one that does not read"
    rest = records_of(host, cursor=taken[-1]["cursor"])
    assert numbers(taken) + numbers(rest) == list(range(1, LINES + 1))


def take_bytes(stream, seconds, pause):
    """One at a time, so long."""
    raw = stream.connection.sock or stream.answer.fp.raw._sock
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert len(raw.recv(1)) == 1, "it is served"
        time.sleep(pause)


@pytest.mark.parametrize("unix", [None, SOCKET], ids=["tcp", "unix"])
def test_a_byte_at_a_time_is_enough(flooded, unix):
    """For ten times as long as one that takes nothing is waited for."""
    host = flooded
    target = "/container/1/log?timeout=0&tail=all" if unix else log_target("1", timeout="0", tail="all")
    with Stream(host, target, EVENTS, receive_buffer=65536, unix=unix) as slow:
        take_bytes(slow, 30, 0.5)
        assert streams(host) == 1
        wait_until(lambda: streams(host) == 0, 60, "without another byte it is let go")


@pytest.mark.takes(620)
@pytest.mark.timeout(1200)
def test_a_byte_a_second_for_ten_minutes(host):
    """As geard is shipped."""
    made(host, command=FLOOD)
    wait_until(lambda: records_of(host, tail=1)[-1]["text"] == "end", 90, "it has written all")
    with Stream(host, log_target("1", timeout="0", tail="all"), EVENTS, receive_buffer=65536) as slow:
        take_bytes(slow, 600, 1)
        assert streams(host) == 1


def test_a_stuck_client_holds_up_no_other(flooded):
    host = flooded
    with Stream(host, log_target("1", timeout="0", tail="all"), EVENTS, receive_buffer=65536):
        assert numbers(records_of(host)) == list(range(1, LINES + 1))


def take_until(records, text):
    taken = []
    while not taken or taken[-1]["text"] != text:
        taken.append(next(records))
    return taken


def test_a_stuck_follower_holds_up_no_other_of_the_same_gear(strict):
    """Both have had all there was, and share what comes: until one of them takes no more."""
    host = strict
    made(host, command=DAM)
    wait_until(lambda: records_of(host, tail=1)[-1]["text"] == "ready", 90, "it is there")
    stuck_target, live_target = (log_target("1", timeout="0", tail="all") for _ in range(2))
    with Stream(host, stuck_target, EVENTS, receive_buffer=65536) as stuck, Stream(host, live_target, EVENTS) as live:
        records = entries(live)
        take_until(entries(stuck), "ready")
        take_until(records, "ready")
        host.docker("kill", "--signal=USR1", "gear-1")
        assert numbers(take_until(records, "end")) == list(range(1, LINES + 1))
        wait_until(lambda: streams(host) == 1, 60, "the stuck one was let go")
        host.docker("kill", "--signal=USR2", "gear-1")
        assert [record["text"] for record in take_until(records, "more")] == ["more"]
