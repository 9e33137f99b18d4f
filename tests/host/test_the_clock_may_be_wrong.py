# SPDX-License-Identifier: Apache-2.0
"""geard's clock is set forward and back while it runs, by libfaketime: that of
the machine is everybody's."""

import pathlib
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import pytest

from lib.gear import container_of, create, delete, log_lines, made, runs, turn, unit_is
from lib.tokens import get, is_refused, put
from lib.wait import wait_until

OFFSET = "etc/geard/clock"
JOURNALD = "etc/systemd/system/systemd-journald.service.d/60-clock.conf"
DROP_IN = """\
[Service]
Environment=LD_PRELOAD=/usr/local/lib/libfaketime.so.1 FAKETIME_TIMESTAMP_FILE=/%s
Environment=FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1
""" % OFFSET
DAY = 86400
HOUR = 3600


class Clock:
    def __init__(self, host):
        self.host = host

    def differs(self):
        told = parsedate_to_datetime(self.host.peer("GET", "/healthz").headers["date"]).timestamp()
        return told - int(self.host.sh("date +%s"))

    def set(self, seconds):
        (self.host.root / OFFSET).write_text(f"{seconds:+d}\n")
        wait_until(lambda: abs(self.differs() - seconds) < 5, 20, f"the clock is off by {seconds} s")


@pytest.fixture
def clock(host):
    library, = pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    copied = host.root / "usr/local/lib" / library.name
    copied.write_bytes(library.read_bytes())
    (host.root / OFFSET).write_text("+0\n")
    drop_in = host.root / "etc/systemd/system/geard.service.d/60-clock.conf"
    drop_in.parent.mkdir(exist_ok=True)
    drop_in.write_text(DROP_IN)
    host.sh("systemctl daemon-reload; systemctl restart geard")
    yield Clock(host)
    for path in (drop_in, copied, host.root / OFFSET):
        path.unlink()
    host.sh("systemctl daemon-reload; systemctl restart geard")


def test_a_token_counts_by_the_clock(host, clock, issuer):
    """By no other: what was verified already is held against every new time."""
    made(host)
    token = issuer.token(r="1", a=["gear.read"])
    for seconds, refused in ((0, None), (HOUR, "expired"), (0, None), (-2 * DAY, "further ahead"), (0, None)):
        clock.set(seconds)
        answer = get(host, token, "/container/status")
        if refused:
            is_refused(host, answer, refused)
        else:
            assert answer.status == 200, answer


def test_a_token_that_is_good_again_does_nothing_twice(host, clock, issuer):
    made(host)
    token = issuer.token(r="1", a=["gear.state"], i="c10c")
    assert put(host, token, "/container/restarted").status == 200
    container = container_of(host)
    for seconds in (2 * DAY, -2 * DAY):
        clock.set(seconds)
        is_refused(host, put(host, token, "/container/restarted"))
        host.systemctl("restart", "geard")
        clock.set(0)
        again = put(host, token, "/container/restarted")
        assert again.status == 200 and again.headers["geard-replayed"] == "yes", again
    assert container_of(host) == container


@pytest.mark.parametrize("seconds", [2 * DAY, -2 * DAY])
def test_a_change_under_way_does_not_care(host, clock, seconds):
    answers = []
    wait = threading.Thread(target=lambda: answers.append(
        create(host, ready={"log": "now"}, stop_timeout="1s", command=["sh", "-c", "sleep 2; echo now; exec hold"])))
    wait.start()
    wait_until(lambda: container_of(host), 20, "it is under way")
    clock.set(seconds)
    wait.join()
    assert answers[0].status == 201, answers[0]
    turn(host, "1", "stopped")
    clock.set(0)
    turn(host, "1", "started")
    assert runs(host)


@pytest.mark.parametrize("spec", [{}, {"ready": {"log": "now"}, "command": ["sh", "-c", "echo now; exec hold"]}],
                         ids=["running", "log"])
@pytest.mark.parametrize("before, after", [(2 * HOUR, 0), (0, -2 * HOUR), (2 * HOUR, 2 * HOUR)],
                         ids=["right again", "behind", "ahead"])
def test_a_create_is_ready_when_it_is(host, clock, held, spec, before, after):
    """… whatever the clock does between the wish to start and the start."""
    clock.set(before)
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(create, host, query="?wait=80", **spec)
        wait_until(lambda: unit_is(host, "1", "activating"), 20, "it is about to start")
        clock.set(after)
        held()
        assert answer.result().status == 201, answer.result()
    assert runs(host)


def test_the_line_of_an_earlier_run_does_not_count(host, clock):
    """… though it seems to come after the wish, for a clock that is behind."""
    made(host, ready={"log": "now"}, stop_timeout="1s", command=["sh", "-c", "sleep 1; echo now; exec hold"])
    clock.set(-2 * HOUR)
    for _ in range(2):
        lines = log_lines(host).count("now")
        turn(host, "1", "restarted")
        assert log_lines(host).count("now") == lines + 1


def text_log(host, path, query="?tail=all&follow=no"):
    answer = host.peer("GET", path + query)
    assert answer.status == 200, answer
    return [line.replace("-- gear-1 ", "-- ").replace("-- job-once ", "-- ") for line in answer.text.splitlines()]


@pytest.mark.parametrize("query", ["?tail=all&follow=no", "?tail=3&follow=no"])
def test_what_was_created_ahead_of_time_has_its_log(host, clock, query):
    """What its lines say of whose they are, and not the time, tells them from those of a former one."""
    made(host, stop_timeout="1s", command=["sh", "-c", "echo former; exec hold"])
    delete(host, "1")
    clock.set(2 * HOUR)
    made(host, stop_timeout="1s", command=["sh", "-c", "echo one; echo two; sleep 1; exec hold"])
    clock.set(0)
    wait_until(lambda: "two" in log_lines(host), 20, "it wrote")
    assert sorted(text_log(host, "/container/1/log", query)) == ["-- started --", "one", "two"]
    turn(host, "1", "stopped")
    assert text_log(host, "/container/1/log")[-1] == "-- ended --"


def test_a_job_of_a_wrong_time_has_its_log_and_output(host, clock):
    clock.set(2 * HOUR)
    answer = host.peer("PUT", "/jobs/once", {"image": "test/busybox", "command": ["echo", "out"]},
                       {"Accept": "application/json"})
    assert answer.status == 201 and answer.json["output"] == "out\n", answer
    clock.set(0)
    assert text_log(host, "/jobs/once/log") == ["out", "-- ended --"]
    host.systemctl("stop", "job-once.service")
    assert host.peer("DELETE", "/jobs/once").status == 204


@pytest.fixture
def journald_clock(fresh_host):
    """That by which lines have their time; geard's own stays right."""
    host = fresh_host
    library, = pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    (host.root / "usr/local/lib" / library.name).write_bytes(library.read_bytes())
    (host.root / OFFSET).write_text("+0\n")
    (host.root / JOURNALD).parent.mkdir(parents=True)
    (host.root / JOURNALD).write_text(DROP_IN)
    host.sh("systemctl daemon-reload; systemctl restart systemd-journald")
    return lambda seconds: (host.root / OFFSET).write_text(f"{seconds:+d}\n")


def time_of(host, text):
    found = [int(entry["__REALTIME_TIMESTAMP"]) // 10**6 for entry in host.journal_entries("SYSLOG_IDENTIFIER=gear-1") if entry["MESSAGE"] == text]
    return found[-1] if found else None


def test_a_clock_set_back_between_lines_hides_none(fresh_host, journald_clock):
    """journald begins another file then; and a gear made after it has nothing of the one before."""
    host = fresh_host
    say = ["sh", "-c", "trap 'echo poked' USR1; echo {}; while :; do sleep 0.1; done"]
    made(host, stop_timeout="1s", command=[*say[:2], say[2].format("one")])
    wait_until(lambda: time_of(host, "one"), 20, "it wrote")
    journald_clock(-2 * HOUR)
    host.docker("kill", "--signal=USR1", "gear-1")
    wait_until(lambda: time_of(host, "poked"), 20, "it wrote again")
    assert time_of(host, "poked") < time_of(host, "one") - HOUR, "the clock was set back"
    for query in "?tail=all&follow=no", "?follow=no", "?tail=all&timeout=1":
        lines = text_log(host, "/container/1/log", query)
        assert sorted(lines[:2]) == ["-- started --", "one"] and lines[2:] == ["poked"], (query, lines)
    assert text_log(host, "/container/1/log", "?tail=1&follow=no") == ["poked"]

    delete(host, "1")
    made(host, stop_timeout="1s", command=[*say[:2], say[2].format("two")])
    wait_until(lambda: time_of(host, "two"), 20, "the second wrote")
    journald_clock(0)
    turn(host, "1", "stopped")
    for query in "?tail=all&follow=no", "?follow=no":
        lines = text_log(host, "/container/1/log", query)
        assert sorted(lines[:2]) == ["-- started --", "two"] and lines[2:] == ["-- ended --"], (query, lines)
