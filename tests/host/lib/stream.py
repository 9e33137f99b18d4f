# SPDX-License-Identifier: Apache-2.0
"""Clients of a stream that read as they like, which curl never would: slowly, in
parts, or not at all.  Their sockets are in the network of the host, so that geard
sees a peer on its own loopback."""

import ctypes
import http.client
import itertools
import json
import os
import socket
from urllib.parse import urlencode

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
IDS = itertools.count(1 << 52)


def enter(namespace):
    if LIBC.setns(namespace.fileno(), CLONE_NEWNET) < 0:
        raise OSError(ctypes.get_errno(), "setns")


def connect(host, port=2223, receive_buffer=None, timeout=60, unix=None):
    """A connection to the host's 127.0.0.1, or its socket; only this thread goes there, and comes back."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/proc/{host.pid}/ns/net", "rb") as there:
        enter(there)
        try:
            s = socket.socket(socket.AF_UNIX if unix else socket.AF_INET)
            if receive_buffer:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            s.settimeout(timeout)
            s.connect(f"/proc/{host.pid}/root{unix}" if unix else ("127.0.0.1", port))
        finally:
            enter(home)
    return s


def log_target(gear, **query):
    claims = {"u": "0", "d": "1", "i": format(next(IDS) + (os.getpid() << 64), "x"), "r": gear}
    return f"/token/__test__/container/log?{urlencode({**claims, **query})}"


class Stream:
    """An answer that is read line by line, as far as anybody wants."""

    def __init__(self, host, target, headers=None, receive_buffer=None, unix=None):
        self.connection = http.client.HTTPConnection("localhost")
        self.connection.sock = connect(host, receive_buffer=receive_buffer, unix=unix)
        self.connection.request("GET", target, headers=headers or {})
        self.answer = self.connection.getresponse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def pieces(self):
        """What there is, until the stream ends; a broken one is an http.client.HTTPException or an OSError."""
        while piece := self.answer.read1(1 << 20):
            yield piece

    def lines(self):
        held = b""
        for piece in self.pieces():
            *lines, held = (held + piece).split(b"\n")
            yield from lines
        assert held == b"", f"the stream ends within a line: {held!r}"


def entries(stream):
    """The records of an event stream or of JSON lines, as they come."""
    for line in stream.lines():
        if line.startswith((b"data: ", b"{")):
            yield json.loads(line.removeprefix(b"data: "))


def records_of(host, gear="1", **query):
    """All of a log that there is, as objects."""
    target = f"/container/{gear}/log?{urlencode({'follow': 'no', **({} if 'cursor' in query else {'tail': 'all'}), **query})}"
    answer = host.peer("GET", target, headers={"Accept": "application/json"})
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.text.splitlines()]
