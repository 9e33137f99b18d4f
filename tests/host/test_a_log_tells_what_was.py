# SPDX-License-Identifier: Apache-2.0
"""What a container writes is what its log holds, byte for byte as far as journald
keeps it; what became of its runs stands between the lines; and nobody else's word
is in it."""

import base64
import gzip
import json
import re

import pytest

from lib.gear import JSON, delete, made, turn
from lib.host import SOCKET
from lib.stream import Stream, entries, log_target, records_of
from lib.wait import wait_until

LINE_MAX = 48 * 1024  # journald's; of a line of just that size it does not keep where it ends
SIZES = [1, 2047, 2048, 4095, 4096, 4097, 16384, LINE_MAX - 1, LINE_MAX + 1, 200_000]
FORGERIES = r"""
printf '_SYSTEMD_UNIT=gear-1.service\nMESSAGE=forged\n\n'
printf 'SYSLOG_IDENTIFIER=gear-1\rforged\n'
printf '<3>gear-1[1]: forged\n'
printf 'x\n__CURSOR=s=1;i=1\nUNIT=gear-1.service\nMESSAGE_ID=39f53479d3a045ac8e11786248231fbf\nMESSAGE=forged\n'
"""


def holding(script):
    return ["sh", "-c", f"trap 'exit 0' TERM\n{script}\necho over; while :; do sleep 0.2; done"]


def lines(host, gear="1"):
    return [record for record in records_of(host, gear) if "mark" not in record]


def all_lines(host, gear="1"):
    """When the container has said that it is over."""
    wait_until(lambda: "over" in [line["text"] for line in lines(host, gear)], 90, "it came to its end")
    return [line for line in lines(host, gear) if line["text"] != "over"]


def marks(host, gear="1"):
    return [record for record in records_of(host, gear) if "mark" in record]


# --- lines --------------------------------------------------------------------------------------------


def test_lines_of_any_length_arrive_whole(host):
    print_one = "head -c {} /dev/zero | tr '\\0' x; echo\n"
    made(host, command=holding("".join(print_one.format(size) for size in SIZES)))
    found = all_lines(host)
    assert [len(line["text"]) for line in found] == SIZES
    assert all(set(line["text"]) == {"x"} and "partial" not in line for line in found)
    text = host.peer("GET", "/container/1/log?follow=no&tail=all").text.split("\n")
    assert [len(line) for line in text if line.startswith("x")] == SIZES


def octal(line):
    return "".join("\\0%03o" % byte for byte in line)


def test_bytes_that_are_no_text_arrive_as_they_are(host):
    written = [bytes([n]) * 3 for n in range(0x80, 0x100)] + [b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x1b[31mb\x07c", b"\x01\x02", b"a\tb"]
    made(host, command=holding("\n".join(f"printf '%b\\n' '{octal(line)}'" for line in written)))
    found = all_lines(host)
    said = [base64.urlsafe_b64decode(line["base64url"] + "==") if "base64url" in line else line["text"].encode() for line in found]
    assert said == written
    answer = host.peer("GET", "/container/1/log?follow=no&tail=all")
    assert [line for line in answer.body.split(b"\n")[:-1] if not line.startswith(b"-- ") and line != b"over"] == written
    events = host.peer("GET", "/container/1/log?follow=no&tail=all", headers={"Accept": "text/event-stream"}).body
    assert b"\x1b" not in events and b"\xff" not in events
    shown = host.run("gear", "log", "-n", "all", "-o", "cat", "1").stdout.split(b"\n")[:-1]
    assert [line for line in shown if line != b"over"] == written
    host.sh("rm -rf /root/copy; mkdir /root/copy; gear log -o export -n all 1 | /lib/systemd/systemd-journal-remote -o /root/copy/a.journal -")
    copied = host.run("journalctl", "-q", "-a", "-D", "/root/copy", "-o", "cat", "SYSLOG_IDENTIFIER=gear-1").stdout.split(b"\n")[:-1]
    assert [line for line in copied if line != b"over"] == written


@pytest.mark.parametrize("accept", ["text/plain", "application/json", "text/event-stream", "application/vnd.fdo.journal"])
def test_compressed_it_is_the_same(host, accept):
    made(host, command=holding("seq 1 3000; printf 'x\\377y\\n'"))
    all_lines(host)
    target = "/container/1/log?follow=no&tail=all"
    plain = host.peer("GET", target, headers={"Accept": accept})
    small = host.peer("GET", target, headers={"Accept": accept, "Accept-Encoding": "gzip"})
    assert small.headers["content-encoding"] == "gzip" and len(small.body) < len(plain.body) / 2
    assert gzip.decompress(small.body) == plain.body
    assert plain.headers["content-type"] == small.headers["content-type"]


def test_what_journald_does_not_keep(host):
    """As geard(8) says: empty lines, blanks at the end of a line; NUL ends one."""
    made(host, command=holding(r"printf '\n\n   \n  before\nbehind \t \na\0b\n'"))
    assert [line["text"] for line in all_lines(host)] == ["   ", "  before", "behind", "a", "b"]


def test_the_two_streams_are_told_apart(host):
    made(host, command=holding("echo out; echo err >&2"))
    assert {(line["text"], line["stream"], line["priority"]) for line in all_lines(host)} == {("out", "stdout", 6), ("err", "stderr", 3)}
    urgent = [record["text"] for record in records_of(host, priority="err")]
    assert urgent == ["err"]


# --- marks --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end, mark, status", [("exit 3", "exited", 3), ("exit 0", "ended", None), ("kill", "exited", 137)])
def test_last_words_are_there_and_before_the_end(host, end, mark, status):
    """Each of them, though the container is gone a moment later.  A line without its end journald
    has when the client is gone, and then it is about as fast as systemd."""
    stay = "sleep 600" if end == "kill" else end
    made(host, restart="no", command=["sh", "-c", f"sleep 1; echo one; echo two; printf three; {stay}"])
    if end == "kill":
        wait_until(lambda: [line["text"] for line in lines(host)] == ["one", "two"], 90, "it has spoken")
        host.docker("kill", "gear-1")
    wait_until(lambda: len(marks(host)) > 1, 90, "the end is told")
    told = [record.get("mark", record["text"]) for record in records_of(host)]
    assert told[:3] == ["started", "one", "two"] and sorted(told[3:5]) == sorted(["three", mark]), told
    assert marks(host)[1].get("status") == status


def test_a_follower_sees_the_next_run(host):
    made(host, restart="always", command=["sh", "-c", "echo up; sleep 1.5; echo down; exit 4"])
    target = "/container/1/log?timeout=0&tail=all"
    out = host.sh(f"timeout 12 curl -sN --unix-socket {SOCKET} 'http://localhost{target}' || true").splitlines()
    first = out.index("-- gear-1 started --")
    assert out[first:first + 5] == ["-- gear-1 started --", "up", "down", "-- gear-1 exited with status 4 --", "-- gear-1 restarts (1) --"], out
    assert sorted(out[first + 5:first + 7]) == ["-- gear-1 started --", "up"], out


def test_each_mark_says_what_happened(host):
    """Followed over two runs, as objects."""
    made(host, restart="always", command=["sh", "-c", "sleep 0.5; sh -c 'kill -SEGV $$'; exit $?"])
    told = []
    with Stream(host, log_target("1", timeout="30", tail="all"), JSON) as stream:
        for record in entries(stream):
            told.append(record)
            if [record.get("mark") for record in told].count("exited") == 2:
                break
    marks = [record for record in told if "mark" in record]
    assert [record["mark"] for record in marks] == ["started", "exited", "restarting", "started", "exited"], marks
    assert [record["text"] for record in marks[:4]] == ["started", "exited with status 139 (SIGSEGV)", "restarts (1)", "started"]
    assert marks[2]["count"] == 1 and marks[1]["code"] == "exited" and marks[1]["status"] == 139
    assert marks[0]["run"] == marks[1]["run"] != marks[3]["run"] == marks[4]["run"]


def test_an_engine_that_goes_is_told_as_what_it_is(host):
    made(host, command=holding("echo up"))
    host.sh("systemctl kill --signal=KILL docker.service")
    wait_until(lambda: "engine-gone" in [mark.get("result") for mark in marks(host)], 60, "it is told")
    wait_until(lambda: [line["text"] for line in lines(host)].count("up") == 2, 90, "it runs again")
    told = [mark["mark"] for mark in marks(host)]
    assert told[0] == told[-1] == "started" and "failed" in told and "out-of-memory" not in told, told


def test_of_a_job_it_is_told_why_it_failed(host):
    answer = host.peer("PUT", "/jobs/j", {"image": "test/busybox", "command": ["sh", "-c", "echo one; echo two >&2; sleep 60"],
                                          "timeout": "2s", "stop_timeout": "1s"}, JSON)
    assert answer.status != 201 and "took longer" in answer.text, answer

    def log(query, accept=JSON, method="GET", **headers):
        return host.peer(method, f"/jobs/j/log?{query}", headers=accept | headers).text

    wait_until(lambda: "mark" in log("follow=no"), 30, "it is told")
    records = [json.loads(line) for line in log("follow=no&tail=all").splitlines()]
    assert sorted((record["text"], record["stream"]) for record in records if "mark" not in record) == [("one", "stdout"), ("two", "stderr")]
    assert ("failed", "timeout") in [(record.get("mark"), record.get("result")) for record in records], records

    rest = log(f"follow=no&cursor={records[0]['cursor']}").splitlines()
    assert [json.loads(line)["cursor"] for line in rest] == [record["cursor"] for record in records[1:]]
    events = log("timeout=1", {"Accept": "text/event-stream"}, **{"Last-Event-ID": records[0]["cursor"]})
    assert re.findall("^id: (.*)$", events, re.MULTILINE) == [record["cursor"] for record in records[1:]]
    assert log("follow=no&tail=all", {"Accept": "application/vnd.fdo.journal"}).count("__CURSOR=") == len(records)
    assert log("follow=no&tail=all", {}, "PUT") == log("follow=no&tail=all", {})
    host.sh("systemctl reset-failed job-j.service", check=False)


def is_told(host):
    return "out-of-memory" in [mark["mark"] for mark in marks(host)]


def has_lost_it(host, since):
    """dockerd drops the event of a container that it has removed meanwhile, and says so."""
    return any("failed to process event" in line and "event=oom" in line for line in host.journal("docker", "cat", f"--after-cursor={since}").splitlines())


def run_out_of_memory(host):
    since = host.cursor()
    made(host, restart="no", memory="16M", command=["sh", "-c", "sleep 1; exec tail /dev/zero"])
    wait_until(lambda: is_told(host) or has_lost_it(host, since), 90, "it is told")


def test_running_out_of_memory_is_told(host):
    for _ in range(5):
        run_out_of_memory(host)
        if is_told(host):
            break
        delete(host, "1")
    said = [(record.get("mark"), record["text"]) for record in records_of(host)]
    assert ("out-of-memory", "ran out of memory") in said


def test_who_stops_it_is_no_failure(host):
    made(host)
    turn(host, "1", "stopped")
    wait_until(lambda: marks(host)[-1]["mark"] == "ended", 90, "it ended")
    assert [mark["mark"] for mark in marks(host)] == ["started", "ended"] or \
           [mark["mark"] for mark in marks(host)] == ["started", "exited", "ended"]


# --- nobody else's word -------------------------------------------------------------------------------


def test_nobody_gets_into_anothers_log(host):
    made(host, "1", command=holding("echo mine"))
    made(host, "2", command=holding(FORGERIES))
    all_lines(host, "2")
    # and a user of the host, who may write anything into the journal
    host.sh(r"printf 'MESSAGE=forged\nSYSLOG_IDENTIFIER=gear-1\nUNIT=gear-1.service\nOBJECT_SYSTEMD_UNIT=gear-1.service\n"
            r"N_DROPPED=7\nMESSAGE_ID=39f53479d3a045ac8e11786248231fbf\n' | setpriv --reuid=65534 logger --journald")
    wait_until(lambda: "forged" in host.journal(None, "cat", "UNIT=gear-1.service"), 90, "it is in the journal")
    assert [line["text"] for line in all_lines(host)] == ["mine"]
    assert [mark["mark"] for mark in marks(host)] == ["started"]


def test_another_gear_of_the_same_name_has_a_log_of_its_own(host):
    made(host, command=holding("echo former"))
    cursor = all_lines(host)[-1]["cursor"]
    delete(host, "1")
    made(host, command=holding("echo latter"))
    assert [line["text"] for line in all_lines(host)] == ["latter"]
    assert "former" not in str(records_of(host, cursor=cursor))
    assert "former" not in str(records_of(host, since="-1h"))


def test_a_token_opens_no_other_gear_s_log(host, issuer):
    """Nor one of several, nor by a cursor of its own; and no job's."""
    for gear in "1", "2":
        made(host, gear, command=holding(f"echo word-of-{gear}"))
        all_lines(host, gear)
    cursor = records_of(host, "1")[-1]["cursor"]
    token = issuer.token(r="1", a="log.read")
    own = host.curl("GET", f"/token/{token}/container/log?follow=no&tail=all")
    assert own.status == 200 and "word-of-1" in own.text, own
    for target in ("container/2/log", "container/log?r=2", "containers/log?ids=1,2", "containers/log?ids=2", "jobs/2/log",
                   f"container/2/log?cursor={cursor}", "repository/2/log"):
        answer = host.curl("GET", f"/token/{token}/{target}{'&' if '?' in target else '?'}follow=no")
        assert answer.status == 403 and "word-of-2" not in answer.text, (target, answer)
