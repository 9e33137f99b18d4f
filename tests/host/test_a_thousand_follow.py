# SPDX-License-Identifier: Apache-2.0
"""A thousand clients follow, of one gear and of a hundred: each gets its lines, all
of them, in order and nothing else."""

import re
import selectors
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.gear import delete, made
from lib.stream import connect, log_target
from lib.wait import wait_until

FOLLOWERS = 1000
END = b"end\n"


def saying(name, lines, pause):
    """So many lines, ten at a time, when it is told to begin."""
    return ["sh", "-c", "trap 'exit 0' TERM; trap 'go=1' USR1; while [ -z \"$go\" ]; do sleep 0.1; done; i=0; "
                        f"while [ $i -lt {lines} ]; do i=$((i + 1)); echo {name} $i; [ $((i % 10)) -ne 0 ] || sleep {pause}; done; "
                        "echo end; while :; do sleep 0.2; done"]


def said(name, lines):
    return b"".join(f"{name} {i}\n".encode() for i in range(1, lines + 1)) + END


class Follower:
    def __init__(self, host, gear):
        self.gear = gear
        self.came = bytearray()
        self.socket = connect(host)
        self.socket.sendall(f"GET {log_target(gear, timeout='0', tail='0')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())

    def take(self):
        """False when there is no more to come."""
        piece = self.socket.recv(1 << 16)
        self.came += piece
        return piece != b"" and not self.came.endswith(END + b"\r\n")

    def body(self):
        head, _, chunks = bytes(self.came).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        body = b""
        while chunks:
            size, _, chunks = chunks.partition(b"\r\n")
            body, chunks = body + chunks[:int(size, 16)], chunks[int(size, 16) + 2:]
        return body


def streams(host):
    return int(re.search(r"^geard_streams (\d+)$", host.peer("GET", "/metrics").text, re.MULTILINE)[1])


def read_all(followers, seconds):
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        for follower in followers:
            waiting.register(follower.socket, selectors.EVENT_READ, follower)
        while waiting.get_map():
            left = until - time.monotonic()
            assert left > 0, f"{len(waiting.get_map())} of {len(followers)} have not come to their end"
            for key, _ in waiting.select(left):
                if not key.data.take():
                    waiting.unregister(key.fileobj)


@pytest.fixture
def follow(host):
    """follow(gears): a thousand followers, as many of each."""
    followers = []

    def begin(gears):
        followers.extend(Follower(host, gears[n % len(gears)]) for n in range(FOLLOWERS))
        wait_until(lambda: streams(host) == FOLLOWERS, 60, "all of them follow")
        return followers

    yield begin
    for follower in followers:
        follower.socket.close()
    wait_until(lambda: streams(host) == 0, 60, "nobody follows any more")


@pytest.mark.takes(15)
def test_of_one_gear(host, follow):
    made(host, command=saying("line", 500, 0.1))
    followers = follow(["1"])
    host.docker("kill", "--signal=USR1", "gear-1")
    read_all(followers, 90)
    expected = said("line", 500)
    assert all(follower.body() == expected for follower in followers)
    assert host.peer("GET", "/container/1/status").status == 200


@pytest.mark.takes(60)
@pytest.mark.timeout(600)
def test_of_a_hundred_gears(host, follow):
    gears = [f"g{n}" for n in range(100)]
    with ThreadPoolExecutor(6) as clients:
        list(clients.map(lambda gear: made(host, gear, stop_timeout="1s", command=saying(gear, 50, 0.2)), gears))
    followers = follow(gears)
    host.docker("kill", "--signal=USR1", *(f"gear-{gear}" for gear in gears))
    read_all(followers, 120)
    for follower in followers:
        assert follower.body() == said(follower.gear, 50), follower.gear
    with ThreadPoolExecutor(6) as clients:
        list(clients.map(lambda gear: delete(host, gear), gears))
