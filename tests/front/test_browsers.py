# SPDX-License-Identifier: Apache-2.0
"""What other sites' pages can make a browser send to a loopback listener."""

import pytest

from conftest import ask, request


@pytest.fixture(scope="module")
def guarded():
    from conftest import Server
    s = Server("--host=gear.lan", "--origin=https://ui.lan")
    yield s
    s.stop()


@pytest.mark.parametrize("host, status", [
    ("localhost", 200), ("localhost:2223", 200), ("127.0.0.1:80", 200), ("[::1]", 200), ("10.0.0.1", 200),
    ("gear.lan", 200), ("GEAR.LAN:80", 200), ("evil.example", 421), ("localhost.evil.example", 421),
    ("gear.lan.evil.example", 421), ("127.0.0.1.evil.example", 421)])
def test_foreign_host(guarded, host, status):
    assert ask(guarded, request("GET /x HTTP/1.1", host=host)).status == status


@pytest.mark.parametrize("bind, reach", [
    ("0.0.0.0", "127.0.0.1"), ("0.0.0.0", "127.9.9.9"), ("::", "::1"), ("::", "127.0.0.1")])
def test_a_listener_on_all_addresses_is_guarded_where_it_is_reached_from_here(start, bind, reach):
    server = start("--host=gear.lan", bind=bind, reach=reach)
    for host, status in ("localhost", 200), ("gear.lan", 200), ("192.0.2.1", 200), ("evil.example", 421):
        assert ask(server, request("GET /x HTTP/1.1", host=host)).status == status
    for origin, status in ("http://localhost", 200), ("http://evil.example", 403):
        assert ask(server, request("POST /x HTTP/1.1", f"Origin: {origin}")).status == status


@pytest.mark.parametrize("line, origin, more, status", [
    ("GET /x", "http://evil.example", (), 403),
    ("GET /x", "null", (), 403),
    ("GET /x", "http://evil.example", ("Authorization: Bearer x",), 200),
    ("GET /token/abc/x", "http://evil.example", (), 200),
    ("GET /token/__test__/x", "http://evil.example", (), 403),
    ("PUT /x", "http://evil.example", ("Authorization: Bearer x",), 403),
    ("PUT /token/abc/x", "http://evil.example", (), 403),
    ("PUT /x", "http://localhost:9", (), 403),
    ("PUT /x", "http://localhost", (), 200),
    ("PUT /x", "https://localhost", (), 403),
    ("PUT /x", "https://ui.lan", (), 200)])
def test_foreign_origin(guarded, line, origin, more, status):
    answer = ask(guarded, request(f"{line} HTTP/1.1", f"Origin: {origin}", *more))
    assert answer.status == status
    allowed = answer.headers.get("access-control-allow-origin")
    assert allowed == (["https://ui.lan"] if origin == "https://ui.lan" else None)


@pytest.mark.parametrize("target, site, status", [
    ("/x", "cross-site", 403), ("/x", "same-site", 403), ("/x", "same-origin", 200), ("/x", "none", 200),
    ("/", "cross-site", 200)])
def test_foreign_fetch_without_origin(guarded, target, site, status):
    assert ask(guarded, request(f"GET {target} HTTP/1.1", f"Sec-Fetch-Site: {site}")).status == status


def test_preflight(guarded):
    answer = ask(guarded, request("OPTIONS /x HTTP/1.1", "Origin: https://ui.lan",
                                  "Access-Control-Request-Method: PUT"))
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == ["https://ui.lan"]
    assert "PUT" in answer.headers["access-control-allow-methods"][0]
    assert "Authorization" in answer.headers["access-control-allow-headers"][0]
    assert answer.headers["vary"] == ["Origin"]


def test_a_refusal_can_be_read_by_an_allowed_page(guarded):
    answer = ask(guarded, request("PUT /x HTTP/1.1", "Origin: https://ui.lan", "Content-Length: 9999999"))
    assert answer.status == 413
    assert answer.headers["access-control-allow-origin"] == ["https://ui.lan"]


def test_preflight_of_a_stranger(guarded):
    answer = ask(guarded, request("OPTIONS /x HTTP/1.1", "Origin: http://evil.example",
                                  "Access-Control-Request-Method: PUT"))
    assert answer.status == 403 and "access-control-allow-origin" not in answer.headers
