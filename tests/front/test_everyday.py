# SPDX-License-Identifier: Apache-2.0
"""What well-behaved clients rely on."""

import json
import os
import socket
import stat
import time

import pytest

from conftest import Answer, Server, ask, read_all, request


def test_keep_alive_and_close(server):
    with server.connect() as s:
        stream = s.makefile("rb")
        for _ in range(3):
            s.sendall(request("GET /hello HTTP/1.1"))
            assert not Answer(stream).closes
        s.sendall(request("GET /hello HTTP/1.1", "Connection: close"))
        assert Answer(stream).closes
        assert stream.read() == b""


def test_pipelining_keeps_the_order(server):
    with server.connect() as s:
        s.sendall(request("GET /later?ms=100 HTTP/1.1") + request("PUT /a HTTP/1.1", "Content-Length: 2", body=b"hi") +
                  request("HEAD /hello HTTP/1.1") + request("GET /b HTTP/1.1"))
        stream = s.makefile("rb")
        assert Answer(stream).body == b"late\n"
        assert json.loads(Answer(stream).body)["body"] == "hi"
        assert Answer(stream, head_only=True).headers["content-length"] == ["512"]
        assert json.loads(Answer(stream).body)["target"] == "/b"


def test_bytes_one_by_one(server):
    with server.connect() as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("PUT /x HTTP/1.1", "Content-Length: 4", body=b"body"):
            s.sendall(bytes([byte]))
            time.sleep(0.001)
        assert json.loads(Answer(s.makefile("rb")).body)["body"] == "body"


def test_body_of_the_largest_size(server):
    answer = ask(server, request("PUT /x HTTP/1.1", f"Content-Length: {1 << 20}", body=b"a" * (1 << 20)))
    assert json.loads(answer.body)["body_len"] == 1 << 20


def test_put_without_length_has_an_empty_body(server):
    with server.connect() as s:
        s.sendall(request("PUT /x HTTP/1.1"))
        assert json.loads(Answer(s.makefile("rb")).body)["body_len"] == 0


def test_http_1_0(server):
    with server.connect() as s:
        s.sendall(request("GET /slow?ms=10 HTTP/1.0", host=None))
        answer = Answer(s.makefile("rb"))
    assert "transfer-encoding" not in answer.headers and answer.closes
    assert answer.body == b"a line\n" * 5


def test_http_1_0_keep_alive(server):
    with server.connect() as s:
        stream = s.makefile("rb")
        for _ in range(2):
            s.sendall(request("GET /hello HTTP/1.0", "Connection: keep-alive"))
            assert Answer(stream).headers["connection"] == ["keep-alive"]


def test_stream_survives_back_pressure(server):
    with server.connect(receive_buffer=16384) as s:
        s.sendall(request("GET /huge?mib=32 HTTP/1.1"))
        time.sleep(0.2)
        assert len(Answer(s.makefile("rb")).body) == 32 << 20


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_a_broken_stream_is_seen_as_broken(server, version):
    with server.connect() as s:
        s.sendall(request(f"GET /broken HTTP/{version}"))
        if version == "1.0":
            with pytest.raises(ConnectionResetError):
                time.sleep(0.1)
                read_all(s)
        else:
            seen = read_all(s)
            assert b"half of it" in seen and not seen.endswith(b"0\r\n\r\n")


def test_standing_headers(server):
    headers = ask(server, request("GET /hello HTTP/1.1")).headers
    assert headers["x-content-type-options"] == ["nosniff"]
    assert headers["referrer-policy"] == ["no-referrer"]
    assert headers["cache-control"] == ["no-store"]
    assert time.strptime(headers["date"][0], "%a, %d %b %Y %H:%M:%S GMT")
    assert "server" not in headers


def test_tokens_never_reach_the_access_line(start):
    server = start()
    for target in ("/token/SECRET/x?SECRET=1", "/%74oken/SECRET/x", "/token/SECRET", "/token/SECRET//x",
                   "//token/SECRET/x", "/token/SECRET%zz", "/token/SECRET?a=1&a=2", "/token/SECRET/%00"):
        ask(server, request(f"GET {target} HTTP/1.1"))
    ask(server, request("GET /token/__test__/x HTTP/1.1"))
    server.expect("access GET /token/__test__/x 200 -")
    assert server.expect("access GET /token/-/x 200 -")
    assert not any("SECRET" in line for line in server.lines)


def test_drain_lets_the_running_request_finish(start):
    server = start()
    with server.connect() as idle, server.connect() as busy:
        idle.sendall(request("GET /hello HTTP/1.1"))
        Answer(idle.makefile("rb"))
        busy.sendall(request("GET /later?ms=3000 HTTP/1.1"))
        time.sleep(1)
        server.ask_to_stop()
        assert read_all(idle) == b""
        answer = Answer(busy.makefile("rb"))
        assert answer.body == b"late\n" and answer.closes
        with pytest.raises(ConnectionRefusedError):
            server.connect()


def ask_until_served(server, raw):
    """The answer when the server has seen that others left, or the last refusal in ten seconds."""
    end = time.monotonic() + 10
    while (answer := ask(server, raw)).status != 200 and time.monotonic() < end:
        time.sleep(0.1)
    return answer


def test_connections_in_all_are_capped(start):
    server = start("--connections-max=3")
    held = [server.connect() for _ in range(3)]
    time.sleep(0.1)
    with server.connect() as s:
        answer = Answer(s.makefile("rb"))
        assert answer.status == 503 and answer.headers["retry-after"] == ["5"]
    held.pop().close()
    assert ask_until_served(server, request("GET /hello HTTP/1.1")).status == 200
    for s in held:
        s.close()


def test_connections_per_address_are_capped_but_not_on_unix_sockets(start, scratch):
    path = str(scratch / "s")
    server = start("--per-address-max=2", extra=[f"--listen={path}"])
    held = [server.connect() for _ in range(2)]
    time.sleep(0.1)
    with server.connect() as s:
        assert Answer(s.makefile("rb")).status == 503
    for _ in range(4):
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        held.append(s)
    held[-1].sendall(request("GET /hello HTTP/1.1"))
    assert Answer(held[-1].makefile("rb")).status == 200
    for s in held:
        s.close()


def test_bodies_in_all_are_capped(start):
    server = start("--body-max=1000")
    held = [server.connect() for _ in range(64)]
    for s in held:
        s.sendall(request("PUT /x HTTP/1.1", "Content-Length: 1000", body=b"half"))
    time.sleep(0.1)
    small = request("PUT /x HTTP/1.1", "Content-Length: 1", body=b"x")
    refused = ask(server, small)
    assert (refused.status, refused.headers["retry-after"]) == (503, ["1"])
    held[0].sendall(b"x" * 996)
    assert Answer(held[0].makefile("rb")).status == 200
    assert ask(server, small).status == 200
    for s in held:
        s.close()
    assert ask_until_served(server, request("PUT /x HTTP/1.1", "Content-Length: 1000", body=b"x" * 1000)).status == 200


def test_ipv6(start):
    server = start(bind="::1")
    seen = json.loads(ask(server, request("GET /x HTTP/1.1", host="[::1]:80")).body)
    assert seen["peer"]["loopback"] is True and seen["peer"]["address"].startswith("[::1]:")


class TestUnixSocket:
    def connect(self, path):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(str(path))
        return s

    def test_peer_is_known(self, start, scratch):
        start(extra=["--mode=660", f"--listen={scratch / 's'}"])
        with self.connect(scratch / "s") as s:
            s.sendall(request("GET /x HTTP/1.1"))
            peer = json.loads(Answer(s.makefile("rb")).body)["peer"]
        assert (peer["uid"], peer["gid"], peer["pid"]) == (os.getuid(), os.getgid(), os.getpid())
        assert peer["groups"] == len(os.getgroups())
        assert stat.S_IMODE((scratch / "s").stat().st_mode) == 0o660

    def test_group(self, start, scratch):
        if os.getuid() != 0:
            pytest.fail("this case changes a group and needs root")
        import grp
        start(extra=["--group=daemon", f"--listen={scratch / 's'}"])
        assert (scratch / "s").stat().st_gid == grp.getgrnam("daemon").gr_gid

    def test_stale_file_is_replaced(self, start, scratch):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(scratch / "s"))
        server = start(extra=[f"--listen={scratch / 's'}"])
        self.connect(scratch / "s").close()
        server.stop()
        assert not (scratch / "s").exists()

    def test_living_socket_is_left_alone(self, start, scratch):
        path = scratch / "s"
        start(extra=[f"--listen={path}"])
        with pytest.raises(AssertionError, match="cannot listen on"):
            Server(extra=[f"--listen={path}"])
        self.connect(path).close()

    def test_other_files_are_left_alone(self, scratch):
        (scratch / "s").write_text("precious")
        with pytest.raises(AssertionError, match="Address already in use"):
            Server(extra=[f"--listen={scratch / 's'}"])
        assert (scratch / "s").read_text() == "precious"

    def test_departure_before_the_answer_shows_at_once(self, start, scratch):
        took = []
        for n in range(5):
            server = start(extra=[f"--listen={scratch / str(n)}"])
            s = self.connect(scratch / str(n))
            s.sendall(request("GET /silent HTTP/1.1"))
            server.expect("begun /silent")
            began = time.monotonic()
            s.close()
            server.expect("gone /silent")
            took.append(time.monotonic() - began)
        assert min(took) < 0.5, took

    def test_half_close_is_no_departure(self, start, scratch):
        server = start(extra=[f"--listen={scratch / 's'}"])
        with self.connect(scratch / "s") as s:
            s.sendall(request("GET /later?ms=300 HTTP/1.1"))
            s.shutdown(socket.SHUT_WR)
            assert Answer(s.makefile("rb")).body == b"late\n"
        assert not any(line.startswith("gone") for line in server.lines)


def test_bad_addresses_are_faults(scratch):
    for address, said in (("127.0.0.1", "is neither"), ("127.0.0.1:99999", "is neither"), ("localhost:1", "is neither"),
                          ("/" + "x" * 200, "longer than"), (f"{scratch}/no/s", "No such file")):
        with pytest.raises(AssertionError, match=said):
            Server(extra=[f"--listen={address}"])


def test_port_in_use_is_a_fault(server):
    with pytest.raises(AssertionError, match="Address already in use"):
        Server(extra=[f"--listen={server.address[0]}:{server.address[1]}"])


def test_idle_connections_are_small(start):
    """At most 4 KiB beside what libevent itself takes, which bench/http.sh puts beside evhttp's."""
    server = start("--connections-max=5000", "--per-address-max=5000", "--quiet")
    crowd, n = [server.connect() for _ in range(50)], 1000
    for s in crowd:
        s.sendall(request("GET /hello HTTP/1.1"))
        Answer(s.makefile("rb"))
    before = server.rss_kib()
    for _ in range(n):
        crowd.append(server.connect())
        crowd[-1].sendall(request("GET /hello HTTP/1.1"))
        crowd[-1].recv(4096)
    per_connection = (server.rss_kib() - before) / n
    for s in crowd:
        s.close()
    print(f"{per_connection:.2f} KiB per idle connection")
    assert per_connection < 4
