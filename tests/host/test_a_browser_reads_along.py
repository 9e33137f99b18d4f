# SPDX-License-Identifier: Apache-2.0
"""The page of another site follows a log with nothing but an EventSource, if the
configuration lets it; and no other page does."""

import json
import threading
import time

import pytest

from lib.eventsource import EventSource
from lib.gear import made
from lib.host import SOCKET
from lib.wait import wait_until

SITE = "https://console.example"
LISTEN = f"[Listen]\nAddress=127.0.0.1:2223\nOrigins={SITE}\n[Listen]\nAddress={SOCKET}\nAuth=peer\n"
TICKING = ["sh", "-c", "trap 'exit 0' TERM; i=0; while [ $i -lt 100 ]; do i=$((i + 1)); echo $i; sleep 0.1; done; "
                       "echo end; while :; do sleep 0.2; done"]


@pytest.fixture
def console(host):
    host.configure("90-case", LISTEN)
    host.systemctl("restart", "geard")
    yield host
    host.sh("rm /etc/geard/geard.conf.d/90-case.conf; systemctl restart geard")


def log_of(issuer, **query):
    target = f"/token/{issuer.token(r='1', a='log.read')}/container/log"
    return target + "?" + "&".join(f"{name}={value}" for name, value in {"timeout": 0, **query}.items())


@pytest.mark.parametrize("tail", ["all", "0"])
def test_an_event_source_misses_nothing_over_restarts(console, issuer, tail):
    host = console
    made(host, command=TICKING)
    source = EventSource(host, log_of(issuer, tail=tail), SITE)

    def restart():
        for _ in range(2):
            time.sleep(2)
            host.sh("systemctl reset-failed geard; systemctl restart geard")

    restarting = threading.Thread(target=restart)
    restarting.start()
    said = []
    for event in map(json.loads, source.events()):
        assert "gap" not in event, event
        if "mark" not in event:
            said.append(event["text"])
        if said[-1:] == ["end"]:
            break
    restarting.join()
    assert said == [*map(str, range(int(said[0]), 101)), "end"]
    assert tail == "0" or said[0] == "1"
    assert source.connections >= 3


def test_one_that_had_no_event_yet_misses_none(console, issuer):
    host = console
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; trap 'echo poked' USR1; while :; do sleep 0.1; done"])
    time.sleep(1.5)  # where it began is told to a second
    source = EventSource(host, log_of(issuer, tail=0), SITE)
    came = []
    reading = threading.Thread(target=lambda: came.append(json.loads(next(source.events()))), daemon=True)
    reading.start()
    wait_until(lambda: source.connections == 1, 30, "it follows")
    time.sleep(0.5)
    host.systemctl("stop", "geard")
    host.docker("kill", "--signal=USR1", "gear-1")
    wait_until(lambda: "poked" in host.journal(None, "cat", "SYSLOG_IDENTIFIER=gear-1"), 30, "it is written")
    host.systemctl("start", "geard")
    reading.join(30)
    assert [event["text"] for event in came] == ["poked"] and source.connections >= 2


def test_no_other_site_s_page_reads_it(console, issuer):
    host = console
    made(host)
    for origin, allowed in (SITE, True), ("https://evil.example", False), (SITE + ":8443", False), ("null", False):
        answer = host.curl("GET", log_of(issuer, timeout=1), headers={"Origin": origin, "Accept": "text/event-stream"})
        assert answer.headers.get("access-control-allow-origin") == (SITE if allowed else None), (origin, answer)
        preflight = host.curl("OPTIONS", log_of(issuer), headers={
            "Origin": origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization, last-event-id"})
        allows = preflight.headers.get("access-control-allow-headers", "").lower()
        assert ("authorization" in allows and "last-event-id" in allows) == allowed, (origin, preflight)


def test_a_page_that_may_read_it_is_told_why_not(console):
    """An error without the header is to the page an error without words."""
    answer = console.curl("GET", "/token/nonsense/container/log", headers={"Origin": SITE, "Accept": "text/event-stream"})
    assert answer.status == 403 and answer.headers["access-control-allow-origin"] == SITE, answer
    assert "origin" in answer.headers["vary"].lower()
