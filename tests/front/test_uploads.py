# SPDX-License-Identifier: Apache-2.0
"""Bodies that their handler takes as they come."""

import random
import socket
import struct
import time
import zlib

import pytest

from conftest import Answer, ask, read_all, request

CHUNKED = "Transfer-Encoding: chunked"
RANDOM = random.Random(7)
MIB = 1 << 20


def chunks(body, sizes):
    """The body in chunks of these sizes, again and again."""
    parts, at, i = [], 0, 0
    while at < len(body):
        piece = body[at:at + sizes[i % len(sizes)]]
        parts.append(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        at, i = at + len(piece), i + 1
    return b"".join(parts) + b"0\r\n\r\n"


def told(body):
    return f"{len(body)} {zlib.adler32(body):08x}\n".encode()


@pytest.mark.parametrize("n", [0, 1, 16383, 16384, 16385, 3 * MIB + 7])
def test_a_body_by_its_length(server, n):
    body = RANDOM.randbytes(n)
    answer = ask(server, request("POST /upload HTTP/1.1", f"Content-Length: {n}", body=body))
    assert (answer.status, answer.body) == (200, told(body))
    assert not answer.closes


@pytest.mark.parametrize("sizes", [[1], [1, 2, 3, 16384, 5], [70000], [MIB, 1]])
def test_a_body_in_chunks(server, sizes):
    body = RANDOM.randbytes(2 * MIB + 3 if sizes != [1] else 5000)
    answer = ask(server, request("POST /upload HTTP/1.1", CHUNKED, body=chunks(body, sizes)))
    assert (answer.status, answer.body) == (200, told(body))
    assert not answer.closes


def test_one_behind_the_other_and_a_question_between(server):
    body = RANDOM.randbytes(100000)
    with server.connect() as s:
        stream = s.makefile("rb")
        s.sendall(request("POST /upload HTTP/1.1", CHUNKED, body=chunks(body, [7000])) + request("GET /hello HTTP/1.1") +
                  request("POST /upload HTTP/1.1", "Content-Length: 100000", body=body))
        assert Answer(stream).body == told(body)
        assert len(Answer(stream).body) == 512
        assert Answer(stream).body == told(body)


@pytest.mark.parametrize("framing", [
    b"", b"\r\n", b"g\r\n", b"5\n12345\r\n", b"5 \r\n12345\r\n", b" 5\r\n12345\r\n", b"0x5\r\n12345\r\n", b"+5\r\n12345\r\n",
    b"-5\r\n12345\r\n", b"5;a=b\r\n12345\r\n", b"5\r\n12345", b"5\r\n1234567\r\n", b"5\r\n12345\n", b"5\r\r\n12345\r\n",
    b"0\r\nTrailer: x\r\n\r\n", b"0\r\n\n", b"0\r\nx", b"0000000000000005\r\n12345\r\n0\r\n\r\n",
    b"ffffffffffffffff\r\n", b"fffffffffffffffff\r\n"])
def test_chunks_that_are_none(server, framing):
    """Nothing behind them is taken for another request."""
    with server.connect() as s:
        s.sendall(request("POST /upload HTTP/1.1", CHUNKED, body=framing))
        if framing in (b"", b"5\r\n12345", b"0\r\n"):
            s.shutdown(1)
        else:
            s.sendall(request("GET /hello HTTP/1.1"))
        stream = s.makefile("rb")
        if framing in (b"ffffffffffffffff\r\n", b"fffffffffffffffff\r\n", b"0000000000000005\r\n12345\r\n0\r\n\r\n"):
            s.shutdown(1)
        answer = Answer(stream)
        assert answer.status == 400 and answer.closes
        assert stream.read() == b""


def test_a_body_that_ends_early(server):
    with server.connect() as s:
        s.sendall(request("POST /upload HTTP/1.1", "Content-Length: 100000", body=b"x" * 9999))
        s.shutdown(1)
        answer = Answer(s.makefile("rb"))
    assert answer.status == 400 and answer.closes and answer.body == told(b"x" * 9999)


def test_who_is_refused_need_not_send_it(server):
    with server.connect() as s:
        s.sendall(request("POST /upload?refuse=1 HTTP/1.1", "Content-Length: 1000000000", body=b"x" * 100000))
        answer = Answer(s.makefile("rb"))
    assert answer.status == 403 and answer.closes


def test_who_waits_to_be_asked_is_asked(server):
    with server.connect() as s:
        stream = s.makefile("rb")
        s.sendall(request("POST /upload HTTP/1.1", CHUNKED, "Expect: 100-continue"))
        assert stream.readline() == b"HTTP/1.1 100 Continue\r\n" and stream.readline() == b"\r\n"
        s.sendall(chunks(b"body", [2]))
        assert Answer(stream).body == told(b"body")
        s.sendall(request("POST /upload?refuse=1 HTTP/1.1", CHUNKED, "Expect: 100-continue"))
        answer = Answer(stream)
        assert answer.status == 403 and answer.closes


def test_it_is_taken_no_faster_than_it_is_wanted(server):
    """A handler that takes a piece a second holds its client back, and no memory grows."""
    before = server.rss_kib()
    with server.connect(timeout=0.5) as s:
        s.sendall(request("POST /upload?pause=1000 HTTP/1.1", f"Content-Length: {256 * MIB}"))
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < 64 * MIB:
                sent += s.send(b"x" * 65536)
        assert server.rss_kib() - before < 4096
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    server.expect("gone /upload")


def test_it_comes_back_while_it_is_sent(server):
    body = RANDOM.randbytes(40000)
    with server.connect() as s:
        stream = s.makefile("rb")
        s.sendall(request("POST /upload?echo=1 HTTP/1.1", "Content-Length: 40000", body=body[:10000]))
        time.sleep(0.2)
        s.sendall(body[10000:])
        answer = Answer(stream)
    assert answer.body == body and answer.closes # it was not all there when the head was written


def test_who_stops_sending_is_closed(start):
    server = start("--stuck-ms=1000")
    with server.connect(timeout=20) as s:
        s.sendall(request("POST /upload HTTP/1.1", "Content-Length: 100", body=b"x" * 10))
        began = time.monotonic()
        assert read_all(s) == b""
        assert 0.9 < time.monotonic() - began
    server.expect("gone /upload 10")


def test_a_question_that_came_with_the_end_of_it_is_answered(server):
    body = RANDOM.randbytes(20000)
    with server.connect() as s:
        stream = s.makefile("rb")
        s.sendall(request("POST /upload HTTP/1.1", "Content-Length: 20000", body=body[:10000]))
        time.sleep(0.2)
        s.sendall(body[10000:] + request("GET /hello HTTP/1.1"))
        assert Answer(stream).body == told(body)
        assert len(Answer(stream).body) == 512


def test_a_handler_that_rests_closes_nobody(start):
    server = start("--stuck-ms=500")
    body = b"x" * 50000
    answer = ask(server, request("POST /upload?pause=800 HTTP/1.1", "Content-Length: 50000", body=body))
    assert (answer.status, answer.body) == (200, told(body))


def test_other_paths_take_no_chunks(server):
    answer = ask(server, request("POST /hello HTTP/1.1", CHUNKED, body=chunks(b"x", [1])))
    assert answer.status == 411 and answer.closes


@pytest.mark.parametrize("both", ["Content-Length: 5", "Content-Length: 0"])
def test_a_length_and_chunks_exclude_each_other(server, both):
    answer = ask(server, request("POST /upload HTTP/1.1", CHUNKED, both, body=b"0\r\n\r\n"))
    assert answer.status == 400 and answer.closes
