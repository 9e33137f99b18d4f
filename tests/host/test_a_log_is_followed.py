# SPDX-License-Identifier: Apache-2.0
"""Log streams as a resource: how many there may be, how one that is silent stays
alive, and what is left of those whose clients went away."""

import json
import re
import time
from urllib.parse import quote

import pytest

from lib.gear import JSON, delete, made
from lib.host import SOCKET
from lib.stream import Stream, entries, log_target, records_of
from lib.wait import wait_until

EVENTS = {"Accept": "text/event-stream"}
MOST = 2


@pytest.fixture
def few_streams(host):
    """A host on which so many streams may be open at once."""
    host.configure("90-streams", f"[Daemon]\nStreamsMax={MOST}\n")
    host.systemctl("reload", "geard")
    yield host
    host.sh("systemctl stop 'follower-*'; rm /etc/geard/geard.conf.d/90-streams.conf; systemctl reload geard")


def streams(host):
    return int(re.search(r"^geard_streams (\d+)$", host.peer("GET", "/metrics").text, re.MULTILINE)[1])


def follow(host, n):
    """A client that stays, of a gear that says nothing more."""
    host.sh(f"systemd-run --quiet --collect --unit=follower-{n} curl -s --no-buffer -o /root/follower-{n} --unix-socket {SOCKET} "
            "'http://localhost/container/1/log?timeout=0'")


def test_more_streams_than_there_may_be_are_refused_until_one_client_leaves(few_streams):
    host = few_streams
    made(host)
    for n in range(MOST):
        follow(host, n)
    wait_until(lambda: streams(host) == MOST, 90, "all of them follow")
    refused = host.peer("GET", "/container/1/log", headers=JSON)
    assert refused.status == 503 and "StreamsMax" in refused.json["detail"], refused
    assert int(refused.headers["retry-after"]) > 0
    assert host.peer("GET", "/container/1/status").status == 200, "other calls are served"

    host.systemctl("stop", "follower-0")
    wait_until(lambda: streams(host) == MOST - 1, 90, "the slot is free")
    assert host.peer("GET", "/container/1/log?timeout=1").status == 200
    wait_until(lambda: streams(host) == MOST - 1, 90, "one that came to its end gave its slot back, too")
    follow(host, MOST)
    wait_until(lambda: streams(host) == MOST, 90, "another one follows")


def test_an_idle_event_stream_is_kept_alive_by_comments_and_text_is_not(host):
    made(host)
    ask = f"curl -s --unix-socket {SOCKET} 'http://localhost/container/1/log?tail=0&timeout=17'"
    text = host.sh(f"{ask} > /root/text & {ask} -H 'Accept: text/event-stream'; wait; echo; echo text:; cat /root/text")
    assert re.fullmatch("id: [^\n]+\n\n: still here\n\n\ntext:", text), text


POKED = ["sh", "-c", "trap 'exit 0' TERM; trap 'echo poked' USR1; while :; do sleep 0.1; done"]


def poke(host):
    before = host.journal(None, "cat", "SYSLOG_IDENTIFIER=gear-1").count("poked")
    host.docker("kill", "--signal=USR1", "gear-1")
    wait_until(lambda: host.journal(None, "cat", "SYSLOG_IDENTIFIER=gear-1").count("poked") > before, 30, "it said it")


@pytest.mark.parametrize("query", [{"tail": "0"}, {"tail": "3", "grep": "poked"}], ids=str)
def test_who_has_had_no_record_yet_loses_none(host, query):
    """What is written while he is away is there when he comes back."""
    made(host, command=POKED)
    time.sleep(1.5)  # where he began is told to a second
    cursors = []
    for accept in ("text/event-stream", "application/json", "text/plain"):
        with Stream(host, log_target("1", timeout="0", **query), {"Accept": accept}) as stream:
            cursors.append(stream.answer.getheader("Geard-Cursor"))
            if accept == "text/event-stream":
                assert next(stream.lines()) == f"id: {cursors[0]}".encode()
    poke(host)
    poke(host)
    target = log_target("1", timeout="2", **query)
    again = host.curl("GET", target, headers=EVENTS | {"Last-Event-ID": cursors[0]}).text
    assert again.count("poked") == 2 and "gap" not in again, again
    for cursor in cursors[1:]:
        rest = {name: value for name, value in query.items() if name != "tail"}
        assert [record["text"] for record in records_of(host, cursor=cursor, **rest)] == ["poked", "poked"]


def test_who_has_had_one_needs_no_other_cursor(host):
    made(host, command=POKED)
    poke(host)
    with Stream(host, log_target("1", timeout="0"), EVENTS) as stream:
        assert stream.answer.getheader("Geard-Cursor") is None
        assert "cursor" in next(entries(stream))


def test_every_event_has_a_cursor_and_one_line(host):
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; echo one; echo two >&2; while :; do sleep 0.2; done"])
    wait_until(lambda: {"one", "two"} <= set(host.peer("GET", "/container/1/log?follow=no").text.split("\n")), 90, "both are there")
    answer = host.peer("GET", "/container/1/log?timeout=1", headers=EVENTS)
    assert answer.headers["content-type"] == "text/event-stream"
    *events, end = answer.text.split("\n\n")
    assert end == ""
    said = {}
    for event in events:
        cursor, data = event.split("\n")
        entry = json.loads(data.removeprefix("data: "))
        assert cursor == f"id: {entry['cursor']}"
        if "mark" not in entry:
            said[entry["stream"]] = entry["text"]
    assert said == {"stdout": "one", "stderr": "two"}  # their order is not kept


def test_a_time_that_is_not_over_is_followed_to_its_end(host):
    """What comes until then is there, and the stream ends by itself, though it may go on for ever."""
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; i=0; while :; do i=$((i + 1)); echo $i; sleep 0.5; done"])
    now = int(host.sh("date +%s"))
    answer = host.peer("GET", f"/container/1/log?timeout=0&since={now}&until={now + 5}", headers=JSON, timeout=30)
    times = [record["time"] for record in map(json.loads, answer.text.splitlines()) if "mark" not in record]
    end = host.sh(f"date -u -d @{now + 5} +%FT%T")
    assert len(times) >= 4 and times == sorted(times), times
    assert times[-1] < f"{end}.000001" and times[-1] > host.sh(f"date -u -d @{now + 2} +%FT%T"), (times, end)


def test_nothing_follows_the_last_record(host):
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; echo one; while :; do sleep 0.2; done"])
    wait_until(lambda: "one" in host.peer("GET", "/container/1/log?follow=no").text, 90, "it has spoken")
    last = json.loads(host.peer("GET", "/container/1/log?follow=no", headers=JSON).text.splitlines()[-1])
    again = host.peer("GET", f"/container/1/log?follow=no&cursor={quote(last['cursor'])}", headers=JSON)
    assert again.status == 200 and again.text == "", again


def test_http_1_0_gets_the_bytes_and_head_none(host):
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; echo one; while :; do sleep 0.2; done"])
    wait_until(lambda: "one" in host.peer("GET", "/container/1/log?follow=no").text, 90, "it has spoken")
    ask = f"curl -si --max-time 10 --unix-socket {SOCKET} 'http://localhost/container/1/log?timeout=1'"
    head, _, body = host.sh(f"{ask} --http1.0").replace("\r", "").partition("\n\n")
    assert "chunked" not in head.lower() and "x-accel-buffering: no" in head.lower(), head
    assert body.splitlines() == ["-- gear-1 started --", "one"] or body.splitlines() == ["one", "-- gear-1 started --"]
    head, _, body = host.sh(f"{ask} -I").replace("\r", "").partition("\n\n")
    assert head.startswith("HTTP/1.1 200") and "text/plain" in head and body == "", head


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_a_gear_that_is_not_there_has_no_log(host, method):
    answer = host.peer(method, "/container/nobody/log?timeout=0", headers=JSON, timeout=10)
    assert answer.status == 404, answer
    if method != "HEAD":
        assert "nobody" in answer.json["detail"]
    assert streams(host) == 0


def test_a_stream_goes_on_when_its_gear_is_deleted_and_ends_in_time(host):
    """Who follows sees the last lines; there is no log for those who come after."""
    made(host, command=["sh", "-c", "trap 'echo last; exit 0' TERM; echo first; while :; do sleep 0.2; done"])
    host.sh(f"systemd-run --quiet --collect --unit=follower curl -s --no-buffer -o /root/log --unix-socket {SOCKET} "
            "'http://localhost/container/1/log?timeout=20'")
    wait_until(lambda: "first" in host.sh("cat /root/log", check=False), 90, "it follows")
    delete(host, "1")
    assert host.peer("GET", "/container/1/log").status == 404
    wait_until(lambda: "last" in host.sh("cat /root/log"), 90, "what was said while it stopped arrives")
    wait_until(lambda: streams(host) == 0, 90, "the stream ends when its time is over")
