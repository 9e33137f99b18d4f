# SPDX-License-Identifier: Apache-2.0
"""
The known attacks on HTTP servers of this kind, sent as raw bytes: F1–F5 are
flaws found in libevent's own server, H1–H27 the catalogue.  A case is named
after its row.
"""

import json
import resource
import select
import socket
import time

import pytest

from conftest import Answer, ask, read_all, request

MIB = 1 << 20


def put(*headers, body=b""):
    return request("PUT /echo HTTP/1.1", *headers, body=body)


def smuggled(prefix):
    """A head followed by what must not be taken for a request of its own."""
    return prefix + b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


REFUSED = {
    "F1-two-lengths": (put("Content-Length: 3", "Content-Length: 5", body=b"abc"), 400),
    "H1-same-length-twice": (put("Content-Length: 3", "Content-Length: 3", body=b"abc"), 400),
    "H2-length-and-chunked": (put("Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"), 400),
    "H3-xchunked": (smuggled(put("Transfer-Encoding: xchunked")), 501),
    "H3-vertical-tab": (smuggled(put("Transfer-Encoding: \x0bchunked")), 400),
    "H3-blank-before-colon": (smuggled(put("Transfer-Encoding : chunked")), 400),
    "H4-gzip-chunked": (put("Transfer-Encoding: gzip, chunked"), 400),
    "H4-chunked-in-1.0": (request("PUT / HTTP/1.0", "Transfer-Encoding: chunked"), 400),
    "H5-signed": (put("Content-Length: +3", body=b"abc"), 400),
    "H5-NUL": (put("Content-Length: 3\x00999", body=b"abc"), 400),
    "H6-twenty-digits": (put("Content-Length: 99999999999999999999"), 400),
    "H6-ten-digits": (put("Content-Length: 9999999999"), 413),
    "H7-TRACE": (smuggled(request("TRACE / HTTP/1.1", "Content-Length: 5")), 501),
    "H7-CONNECT": (request("CONNECT evil:1 HTTP/1.1"), 400),
    **{f"H8-chunk-{name}": (put("Transfer-Encoding: chunked", body=size + b"\r\nhello\r\n0\r\n\r\n"), 411)
       for name, size in {"plain": b"5", "0x": b"0x5", "plus": b"+5", "blank": b" 5", "ext": b"5;ext",
                          "huge": b"ffffffffffffffff"}.items()},
    "H11-NUL": (request("GET /a\x00b HTTP/1.1"), 400),
    "H11-%00": (request("GET /a%00b HTTP/1.1"), 400),
    "H12-%00-in-query": (request("GET /?i=1%00a HTTP/1.1"), 400),
    "H12-name-twice": (request("GET /?i=1&%69=2 HTTP/1.1"), 400),
    "H13-empty-segment": (request("GET //token//x HTTP/1.1"), 400),
    "H14-absolute": (request("GET http://evil/token/x HTTP/1.1"), 400),
    "H14-file": (request("GET file:///etc/passwd HTTP/1.1"), 400),
    "H14-relative": (request("GET token/x HTTP/1.1"), 400),
    "H14-asterisk": (request("OPTIONS * HTTP/1.1"), 400),
    "H14-fragment": (request("GET /a#b HTTP/1.1"), 400),
    "H14-blank": (request("GET /a b HTTP/1.1"), 400),
    "H15-encoded-dots": (request("GET /token/%2e%2e%2fetc HTTP/1.1"), 400),
    "H15-dots": (request("GET /token/../../etc HTTP/1.1"), 400),
    "H15-zz": (request("GET /%zz HTTP/1.1"), 400),
    "H15-cut-escape": (request("GET /%2 HTTP/1.1"), 400),
    "H16-no-host": (request("GET / HTTP/1.1", host=None), 400),
    "H16-two-hosts": (request("GET / HTTP/1.1", "Host: other"), 400),
    "H16-empty-name": (request("GET / HTTP/1.1", ": v"), 400),
    "H16-bad-name": (request("GET / HTTP/1.1", "X(@)y: v"), 400),
    "H16-fold": (request("GET / HTTP/1.1", "X: a", " b"), 400),
    "H16-bare-LF": (b"GET / HTTP/1.1\nHost: localhost\n\n", 400),
    "H17-overflow": (request("GET / HTTP/4294967297.1"), 400),
    "H17-1.9": (request("GET / HTTP/1.9"), 505),
    "H18-long-target": (request("GET /" + "a" * 10_000 + " HTTP/1.1"), 414),
    "H18-endless-target": (b"GET /" + b"a" * MIB, 414),
    "H18-many-headers": (request("GET / HTTP/1.1", *(f"X-{i}: v" for i in range(1000))), 431),
    "H18-long-header": (request("GET / HTTP/1.1", "X: " + "a" * MIB), 431),
    "H18-long-body": (put(f"Content-Length: {MIB + 1}", body=b"a" * (MIB + 1)), 413),
    "H26-other-expectation": (put("Content-Length: 3", "Expect: foo", body=b"abc"), 417),
    "H27-TLS-hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x5a" * 500, 400),
    "H27-noise": (bytes(range(255, -1, -1)), 400),
}


@pytest.mark.parametrize("raw, status", REFUSED.values(), ids=REFUSED.keys())
def test_refused_and_closed(server, raw, status):
    with server.connect() as s:
        s.sendall(raw)
        stream = s.makefile("rb")
        answer = Answer(stream)
        assert (answer.status, answer.closes) == (status, True)
        assert answer.headers["content-type"] == ["text/plain; charset=utf-8"]
        assert answer.body.count(b"\n") == 1 and len(answer.body) > 10
        assert stream.read() == b"", "something was answered after the refusal"
    assert not any("/smuggled" in line for line in server.lines)


@pytest.mark.parametrize("raw, limit", [
    (REFUSED["H18-many-headers"][0], b"64 headers"), (REFUSED["H18-long-header"][0], b"16384 bytes"),
    (REFUSED["H18-long-target"][0], b"8192 bytes"), (REFUSED["H18-long-body"][0], b"1048576 bytes")],
    ids=["H18-headers", "H18-head", "H18-target", "H18-body"])
def test_refusal_names_the_limit(server, raw, limit):
    assert limit in ask(server, raw).body


LIKES_JSON = "Accept: text/html, application/json"

REFUSED_AFTER_ACCEPT = {
    "bad-header-name": (request("GET / HTTP/1.1", LIKES_JSON, "X(@)y: v"), 400),
    "fold": (request("GET / HTTP/1.1", LIKES_JSON, " b"), 400),
    "two-lengths": (put(LIKES_JSON, "Content-Length: 3", "Content-Length: 3", body=b"abc"), 400),
    "many-headers": (request("GET / HTTP/1.1", LIKES_JSON, *(f"X-{i}: v" for i in range(100))), 431),
    "no-host": (request("GET / HTTP/1.1", LIKES_JSON, host=None), 400),
    "bad-length": (put("Content-Length: +3", LIKES_JSON, body=b"abc"), 400),
    "unknown-method": (request("TRACE / HTTP/1.1", LIKES_JSON), 501),
    "chunked": (put("Transfer-Encoding: chunked", LIKES_JSON, body=b"0\r\n\r\n"), 411),
    "expectation": (put("Expect: foo", LIKES_JSON, "Content-Length: 3", body=b"abc"), 417),
    "long-body": (put(f"Content-Length: {MIB + 1}", LIKES_JSON), 413),
    "foreign-host": (request("GET / HTTP/1.1", LIKES_JSON, host="evil.example"), 421),
    "foreign-origin": (put("Origin: http://evil.example", LIKES_JSON), 403),
}


@pytest.mark.parametrize("raw, status", REFUSED_AFTER_ACCEPT.values(), ids=REFUSED_AFTER_ACCEPT.keys())
def test_refusal_as_problem_json(server, raw, status):
    answer = ask(server, raw)
    assert (answer.status, answer.closes) == (status, True)
    assert answer.headers["content-type"] == ["application/problem+json"]
    problem = json.loads(answer.body)
    assert list(problem) == ["type", "title", "status", "detail"]
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert len(problem["title"]) > 3 and len(problem["detail"]) > 10


def test_a_slow_or_cut_body_is_refused_as_problem_json(start):
    server = start("--body-ms=300")
    raw = put(LIKES_JSON, "Content-Length: 9", body=b"half")
    with server.connect() as slow, server.connect() as cut:
        slow.sendall(raw)
        cut.sendall(raw)
        cut.shutdown(socket.SHUT_WR)
        assert json.loads(Answer(cut.makefile("rb")).body)["status"] == 400
        assert json.loads(Answer(slow.makefile("rb")).body)["status"] == 408


@pytest.mark.parametrize("raw", [
    request("GET /%zz HTTP/1.1", LIKES_JSON), request("GET / HTTP/1.1", "X(@)y: v", LIKES_JSON)],
    ids=["request-line", "header-before-it"])
def test_refusal_before_Accept_was_read_is_text(server, raw):
    answer = ask(server, raw)
    assert (answer.status, answer.headers["content-type"]) == (400, ["text/plain; charset=utf-8"])


@pytest.mark.parametrize("accept, json_it_is", [
    ("*/*", False), ("application/json", True), ("Application/JSON", True), ("application/problem+json", True),
    ("application/json;q=0", False), ("application/json;q=0.5, text/plain;q=0.4", True),
    ("application/json ; charset=utf-8 ; q=0.5,text/plain", False), ("application/json, text/plain", True),
    ("text/html;level=1,application/json;q=0.001", True), ("application/jsonx", False), ("", False), (",;q", False)])
def test_refusal_follows_the_weights_of_Accept(server, accept, json_it_is):
    answer = ask(server, put(f"Accept: {accept}", "Expect: foo"))
    assert (answer.headers["content-type"] == ["application/problem+json"]) == json_it_is


def test_H7_HEAD_with_a_body(server):
    raw = smuggled(request("HEAD /x HTTP/1.1", "Content-Length: 34"))
    with server.connect() as s:
        s.sendall(raw)
        stream = s.makefile("rb")
        assert Answer(stream, head_only=True).status == 400
        assert stream.read() == b""
    assert not any("/smuggled" in line for line in server.lines)


def test_F2_H9_endless_chunk_size(server):
    before = server.rss_kib()
    with server.connect() as s:
        try:
            s.sendall(put("Transfer-Encoding: chunked"))
            for _ in range(64):
                s.sendall(b"0" * MIB)
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert server.rss_kib() - before < 4096


def test_F3_H10_flood_while_streaming(start):
    server = start()
    with server.connect(timeout=1.0) as s:
        s.sendall(request("GET /quiet HTTP/1.1"))
        server_rss = server.rss_kib()
        with pytest.raises((TimeoutError, ConnectionResetError, BrokenPipeError)):
            for _ in range(200):
                s.sendall(b"x" * MIB)
        assert server.rss_kib() - server_rss < 4096
    server.expect("gone /quiet")


def test_H10_pipelined_behind_a_stream_is_answered(server):
    with server.connect() as s:
        s.sendall(request("GET /slow?ms=20 HTTP/1.1") + request("GET /after HTTP/1.1"))
        stream = s.makefile("rb")
        assert Answer(stream).body == b"a line\n" * 5
        assert json.loads(Answer(stream).body)["target"] == "/after"


def test_F4_H21_no_spin_without_descriptors(start):
    server = start(preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24)))
    crowd = [server.connect() for _ in range(60)]
    time.sleep(0.3)
    before = server.cpu_seconds()
    time.sleep(1.5)
    assert server.cpu_seconds() - before < 0.1
    for s in crowd:
        s.close()
    time.sleep(0.5)
    assert ask(server, request("GET /hello HTTP/1.1")).status == 200


@pytest.mark.parametrize("first, status", [
    (b"GET / HT", 408), (request("PUT / HTTP/1.1", "Content-Length: 1000"), 408)], ids=["F5-H19-head", "H19-body"])
def test_deadlines_are_absolute(start, first, status):
    server = start("--head-ms=600", "--body-ms=600")
    with server.connect() as s:
        s.sendall(first)
        began = time.monotonic()
        try:
            while time.monotonic() - began < 30:
                s.sendall(b"x")
                time.sleep(0.1)
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            pytest.fail("a byte now and then kept the connection alive")
        # What a refused client still sends is dropped for two seconds more; the answer came before.
        assert time.monotonic() - began < 20
    server.expect("access")
    assert f" {status} " in server.lines[1]


def test_F5_H19_the_answer_comes_at_the_deadline(start):
    server = start("--head-ms=500")
    with server.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        assert Answer(s.makefile("rb")).status == 408
        assert 0.4 < time.monotonic() - began < 2.4


@pytest.mark.parametrize("send", [b"", request("GET /hello HTTP/1.1")], ids=["never-spoke", "kept-alive"])
def test_H19_idle_connections_close(start, send):
    server = start("--head-ms=500", "--idle-ms=500")
    with server.connect() as s:
        s.sendall(send)
        began = time.monotonic()
        read_all(s)
        assert 0.4 < time.monotonic() - began < 10


def test_H20_stuck_reader_is_bounded_and_closed(start):
    server = start("--stuck-ms=1000", "--pending-max=262144")
    before = server.rss_kib()
    with server.connect(receive_buffer=65536) as s:
        s.sendall(request("GET /huge?mib=500 HTTP/1.1"))
        time.sleep(0.5)
        assert server.rss_kib() - before < 2048
        server.expect("gone /huge", 20)  # less than the everyday limit


def test_H20_stuck_reader_of_a_whole_answer_is_closed(start):
    server = start("--stuck-ms=800")
    with server.connect(receive_buffer=65536) as s:
        s.sendall(request("GET /big?kib=32768 HTTP/1.1"))
        time.sleep(5)
        with pytest.raises((AssertionError, ConnectionResetError)):
            Answer(s.makefile("rb"))


def test_H20_slow_reader_is_not_closed(start):
    server = start("--stuck-ms=3000")
    with server.connect(receive_buffer=4096) as s:
        s.sendall(request("GET /huge?mib=8 HTTP/1.1"))
        began, got = time.monotonic(), 0
        while time.monotonic() - began < 9:
            got += len(s.recv(2048))
            time.sleep(0.02)
        assert got > 50_000
        assert not any(line.startswith("gone") for line in server.lines)


def test_H20_reader_of_a_byte_at_a_time_is_not_closed(start):
    """Long before the window opens again, and TCP itself tells that anything was read."""
    server = start("--stuck-ms=1000")
    with server.connect(receive_buffer=65536) as s:
        s.sendall(request("GET /huge?mib=500 HTTP/1.1"))
        began = time.monotonic()
        while time.monotonic() - began < 5:
            assert len(s.recv(1)) == 1
            time.sleep(0.05)
        assert not any(line.startswith("gone") for line in server.lines)
        server.expect("gone /huge", 4)


def test_H22_half_close_still_gets_the_whole_answer(server):
    for target, length in (("/big?kib=1024", 1 << 20), ("/slow?ms=20", 35)):
        with server.connect() as s:
            s.sendall(request(f"GET {target} HTTP/1.1"))
            s.shutdown(socket.SHUT_WR)
            assert len(Answer(s.makefile("rb")).body) == length


def test_H22_half_close_long_before_the_answer(server):
    with server.connect() as s:
        s.sendall(request("GET /later?ms=1500 HTTP/1.1"))
        s.shutdown(socket.SHUT_WR)
        answer = Answer(s.makefile("rb"))
    assert (answer.body, answer.interim) == (b"late\n", [100])


def test_H22_half_close_during_a_silent_stream(server):
    with server.connect() as s:
        s.sendall(request("GET /slow?ms=400&lines=3 HTTP/1.1"))
        s.shutdown(socket.SHUT_WR)
        assert Answer(s.makefile("rb")).body == b"a line\n" * 3


def test_H22_half_close_in_the_middle_of_a_request(server):
    with server.connect() as s:
        s.sendall(b"GET / HTTP/1.1\r\n")
        s.shutdown(socket.SHUT_WR)
        assert Answer(s.makefile("rb")).status == 400


def test_H23_many_pipelined_requests(start):
    server = start("--requests-max=30000", "--quiet")
    before, n = server.rss_kib(), 20_000
    with server.connect() as s:
        raw, sent, got = request("GET /hello HTTP/1.1") * n, 0, 0
        s.setblocking(False)
        poll = select.poll()
        poll.register(s, select.POLLIN | select.POLLOUT)
        received = bytearray()
        while got < n:
            for _, what in poll.poll(10_000):
                if what & select.POLLOUT and sent < len(raw):
                    sent += s.send(raw[sent:sent + MIB])
                    if sent == len(raw):
                        poll.modify(s, select.POLLIN)
                if what & select.POLLIN:
                    received += s.recv(MIB)
                    got += received.count(b"HTTP/1.1 200 OK")
                    del received[:max(0, len(received) - 14)]
    assert got == n
    assert server.rss_kib() - before < 4096


def test_H23_requests_per_connection_are_capped(start):
    server = start("--requests-max=3")
    with server.connect() as s:
        s.sendall(request("GET /hello HTTP/1.1") * 5)
        stream = s.makefile("rb")
        assert [Answer(stream).closes for _ in range(3)] == [False, False, True]
        assert stream.read() == b""


def seconds_until_noticed(server, target, how):
    path = target.split("?")[0]
    s = server.connect()
    s.sendall(request(f"GET {target} HTTP/1.1"))
    server.expect(f"begun {path}")
    if how == "reset":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    began = time.monotonic()
    s.close()
    server.expect(f"gone {path}")
    server.expect(f"ended {path}")
    return time.monotonic() - began


@pytest.mark.parametrize("target", ["/silent", "/quiet", "/huge?mib=2000"], ids=lambda t: f"H24{t.split('?')[0]}")
@pytest.mark.parametrize("how", ["close", "reset"])
def test_departed_client_is_noticed(start, target, how):
    """Each of five; the quickest says what the server does, the others how busy the machine is."""
    took = [seconds_until_noticed(start(), target, how) for _ in range(5)]
    # Before the head a mere end of file is looked into after a second; all else shows at once.
    assert min(took) < (1.5 if target == "/silent" and how == "close" else 0.4), took


def test_H24_departed_client_does_not_stop_the_work(start):
    server = start()
    with server.connect() as s:
        s.sendall(request("GET /later?ms=300 HTTP/1.1"))
    server.expect("access GET /later 200")


def test_H25_no_line_break_gets_into_a_header(server):
    answer = ask(server, request("GET /header?value=a%0d%0aSet-Cookie:%20x HTTP/1.1"))
    assert answer.status == 204 and "set-cookie" not in answer.headers and "x-back" not in answer.headers
    assert ask(server, request("GET /header?value=fine HTTP/1.1")).headers["x-back"] == ["fine"]


def test_H26_expect_continue(server):
    with server.connect() as s:
        s.sendall(put("Content-Length: 3", "Expect: 100-continue"))
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(b"abc")
        assert json.loads(Answer(s.makefile("rb")).body)["body"] == "abc"


def test_H26_expect_continue_keeps_the_connection(server):
    with server.connect() as s:
        stream = s.makefile("rb")
        for _ in range(2):
            s.sendall(put("Content-Length: 3", "Expect: 100-continue"))
            assert stream.readline() + stream.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
            s.sendall(b"abc")
            assert not Answer(stream).closes


@pytest.mark.parametrize("headers, status", [
    ([f"Content-Length: {MIB + 1}"], 413), (["Transfer-Encoding: chunked"], 411),
    (["Content-Length: 3", "Origin: http://evil.example"], 403)], ids=["length", "chunked", "origin"])
def test_H26_no_continue_for_a_body_that_is_refused(server, headers, status):
    with server.connect() as s:
        s.sendall(put(*headers, "Expect: 100-continue"))
        stream = s.makefile("rb")
        answer = Answer(stream)
        assert (answer.status, answer.interim, answer.closes, stream.read()) == (status, [], True, b"")


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_H26_the_handler_refuses_before_the_body(start, connection):
    server = start()
    with server.connect() as s:
        s.sendall(request("PUT /hello HTTP/1.1", "Content-Length: 34", "Expect: 100-continue", f"Connection: {connection}"))
        stream = s.makefile("rb")
        answer = Answer(stream)
        assert (answer.status, answer.interim, answer.closes, stream.read()) == (405, [], True, b"")
    server.expect("head /hello 34")
    server.expect("access PUT /hello 405")
    assert "head /hello 34 body" not in server.lines


def test_H26_a_body_sent_unasked_after_a_refusal_is_no_request(server):
    with server.connect() as s:
        s.sendall(smuggled(request("PUT /hello HTTP/1.1", "Content-Length: 34", "Expect: 100-continue")))
        stream = s.makefile("rb")
        assert Answer(stream).status == 405
        s.sendall(request("GET /smuggled HTTP/1.1"))
        assert stream.read() == b""
    assert not any("/smuggled" in line for line in server.lines)


def test_H26_without_Expect_the_body_is_read_and_the_connection_lives(server):
    with server.connect() as s:
        s.sendall(request("PUT /hello HTTP/1.1", "Content-Length: 3", body=b"abc") + request("GET /x HTTP/1.1"))
        stream = s.makefile("rb")
        assert json.loads(Answer(stream).body)["body"] == "abc"
        assert json.loads(Answer(stream).body)["target"] == "/x"


def test_H26_an_expectation_of_HTTP_1_0_is_ignored(server):
    answer = ask(server, request("PUT /x HTTP/1.0", "Content-Length: 3", "Expect: 100-continue", body=b"abc"))
    assert (answer.status, answer.interim) == (200, [])


def test_H27_silence_ends_at_the_head_deadline(start):
    server = start("--head-ms=400")
    with server.connect() as s:
        s.sendall(b"GET")
        assert Answer(s.makefile("rb")).status == 408


def test_H12_query_is_decoded_once(server):
    seen = json.loads(ask(server, request("GET /?%69=a+b%252f&q&&e= HTTP/1.1")).body)
    assert seen["params"] == [["i", "a b%2f"], ["q", ""], ["e", ""]]


def test_H15_encoded_slash_stays_in_its_segment(server):
    seen = json.loads(ask(server, request("GET /container/pmorie%2Fsti%252f HTTP/1.1")).body)
    assert seen["segments"] == ["container", "pmorie/sti%2f"]
