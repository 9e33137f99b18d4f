# SPDX-License-Identifier: Apache-2.0
"""Who may see no more of a stream is told so, in its last record, and sees no more:
when the key of the token is taken away or may do less, and when the token expires."""

import json
import subprocess
import threading
import time
import uuid

import pytest

from lib import secrets
from lib.gear import delete, made, runs
from lib.host import TESTHOST, URL
from lib.tokens import Issuer, soon
from lib.wait import wait_until

TALKS = ["sh", "-c", "trap 'exit 0' TERM; while :; do echo tick; sleep 0.2; done"]
SLOW = {"ready": {"log": "now"}, "stop_timeout": "1s", "command": ["sh", "-c", "sleep 10; echo now; exec hold"]}
TEXT, OBJECTS, EVENTS, LINES = "text/plain", "application/json", "text/event-stream", "application/x-ndjson"
STREAMS = [("/container/log?timeout=0", TEXT), ("/container/log?timeout=0", OBJECTS), ("/container/log?timeout=0", EVENTS),
           ("/audit?follow=yes&after=0", TEXT), ("/audit?follow=yes&after=0", LINES), ("/audit?follow=yes&after=0", EVENTS)]
NO_LONGER = "these credentials do not allow this any longer"


class Stream:
    """A curl in the host, and what it got; its status is 0 only when the answer came to a clean end."""

    def __init__(self, host, token, path, accept, method="GET", body=None, header=False):
        secrets.remember(token)
        url = f"{URL}{path}" if header else f"{URL}/token/{token}{path}"
        curl = ["curl", "-sN", "-X", method, "-H", f"Accept: {accept}"]
        curl += ["-H", f"Authorization: Bearer {token}"] if header else []
        curl += ["-d", json.dumps(body)] if body else []
        argv = [str(TESTHOST), "sh", host.name, "bash", "-c", 'echo $$; exec "$@"', "curl", *curl, url]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        self.host, self.pid, self.text, self.ended_at = host, int(self.process.stdout.readline()), "", None
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.text += line.decode()
        self.ended_at = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.host.run("kill", self.pid, check=False)
        self.process.wait(10)
        self.reader.join(5)

    def runs(self):
        return self.ended_at is None

    def ends(self, seconds, why):
        """Cleanly. When that was."""
        wait_until(lambda: not self.runs(), seconds, why)
        assert self.process.wait(5) == 0, self.text
        return self.ended_at


def problem(said):
    found = json.loads(said)
    assert found["status"] == 403 and found["detail"] == NO_LONGER, found


def is_refused_at_the_end(text, path, accept):
    """In the form that the stream has, once, and nothing behind it."""
    *before, last = text.rstrip("\n").split("\n")
    assert NO_LONGER not in "".join(before), text
    if accept == EVENTS:
        assert before[-1] == "event: refused" and text.endswith("\n\n"), text
        problem(last.removeprefix("data: "))
    elif accept != TEXT:
        problem(last)
    elif path.startswith("/audit"):
        assert last == f"refused 403: {NO_LONGER}"
    else:
        assert last == "tick", "what a container says is its own"


@pytest.fixture
def talks(host):
    """A gear that says something all the time."""
    made(host, "web-1", command=TALKS)
    yield host
    delete(host, "web-1")


@pytest.fixture
def issuers(host):
    two = [Issuer(host).trust() for _ in range(2)]
    yield two
    for issuer in two:
        issuer.remove()


def reads(issuer, **claims):
    return issuer.token(r="web-1", a=["log.read", "audit.read"], **claims)


def write_records(host, issuer):
    """One that who reads with this issuer's token is shown: the first refusal of a token is written at once."""
    token = issuer.token(r="web-1", a=["gear.read"], iss=uuid.uuid4().hex)
    answer = host.curl("GET", f"{URL}/token/{token}/metrics")
    assert answer.status == 403, answer


def goes_on(host, stream, issuer):
    size = len(stream.text)
    write_records(host, issuer)
    wait_until(lambda: len(stream.text) > size, 20, "it goes on")
    assert stream.runs()


@pytest.mark.parametrize("header", [False, True], ids=["path", "header"])
@pytest.mark.parametrize("path, accept", STREAMS)
def test_it_ends_when_the_key_is_removed(talks, issuers, path, accept, header):
    ours, theirs = issuers
    if header:
        path = path.replace("/container/", "/container/web-1/")
    with Stream(talks, reads(ours), path, accept, header=header) as ends, \
            Stream(talks, reads(theirs), path, accept, header=header) as stays:
        for issuer in issuers:
            write_records(talks, issuer)
        wait_until(lambda: ends.text and stays.text, 10, "both read")
        removed = time.monotonic()
        ours.remove()
        assert ends.ends(30, "the key is gone") - removed < 20
        is_refused_at_the_end(ends.text, path, accept)
        goes_on(talks, stays, theirs)


@pytest.mark.parametrize("path, accept", STREAMS)
def test_it_ends_when_the_token_expires(talks, issuers, path, accept):
    ours, theirs = issuers
    expires = soon(10)
    with Stream(talks, reads(ours, d=expires), path, accept) as ends, Stream(talks, reads(theirs), path, accept) as stays:
        for issuer in issuers:
            write_records(talks, issuer)
        wait_until(lambda: ends.text and stays.text, 8, "both read")
        ends.ends(30, "it has expired")
        # one that began when the token had expired would end with the leeway, half a minute later
        assert 0 <= time.time() - expires < 15
        is_refused_at_the_end(ends.text, path, accept)
        goes_on(talks, stays, theirs)


@pytest.mark.parametrize("change", ["narrower", "another"])
def test_it_ends_when_its_key_no_longer_grants_it(talks, issuers, change):
    """What the key still grants goes on, though it was read anew."""
    ours, theirs = issuers
    log = "/container/log?timeout=0"
    with Stream(talks, ours.token(r="*", a=["audit.read"]), "/audit?follow=yes&after=0", EVENTS) as wide, \
            Stream(talks, reads(ours), log, EVENTS) as within, Stream(talks, reads(theirs), log, EVENTS) as other:
        write_records(talks, ours)
        wait_until(lambda: wide.text and within.text and other.text, 10, "all read")
        if change == "narrower":
            ours.path.with_suffix(".conf").write_text("[Key]\nLocators=web-*\n")
        else:
            ours.path.write_text(Issuer(talks).key.export_public())
        wide.ends(20, "its key grants that no more")
        is_refused_at_the_end(wide.text, "/audit", EVENTS)
        goes_on(talks, other, theirs)
        if change == "narrower":
            goes_on(talks, within, ours)
        else:
            within.ends(20, "it is no key any more")


@pytest.mark.parametrize("accept", [EVENTS, "text/plain;stream=true"])
def test_a_change_goes_on_behind_its_progress(host, issuers, accept):
    ours, _ = issuers
    token = ours.token(r="web-2", t="test/busybox", a=["gear.create"])
    try:
        with Stream(host, token, "/container", accept, "PUT", SLOW) as progress:
            wait_until(lambda: progress.text, 10, "it is under way")
            ours.remove()
            progress.ends(20, "the key is gone")
        last = progress.text.rstrip("\n").split("\n")[-1]
        if accept == EVENTS:
            problem(last.removeprefix("data: "))
            assert "event: refused\n" in progress.text and "event: outcome" not in progress.text
        else:
            assert last == f"refused 403: {NO_LONGER}"
        wait_until(lambda: runs(host, "web-2"), 60, "what was begun goes on")
    finally:
        delete(host, "web-2")


def test_no_slot_is_lost(talks, issuers):
    """Of many streams that end at once."""
    ours, _ = issuers
    streams = [Stream(talks, reads(ours), path, accept) for path, accept in STREAMS * 3]
    try:
        write_records(talks, ours)
        wait_until(lambda: all(stream.text for stream in streams), 20, "all read")
        ours.remove()
        for stream in streams:
            stream.ends(20, "the key is gone")
        assert "\ngeard_streams 0\n" in talks.peer("GET", "/metrics").text
    finally:
        for stream in streams:
            stream.__exit__()
