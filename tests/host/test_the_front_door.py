# SPDX-License-Identifier: Apache-2.0
"""Who gets in by which address, and what is read for those who are in."""

import pytest

from lib.gear import JSON, delete, made, turn
from lib.host import SOCKET

ANYWHERE = "[Listen]\nAddress=127.0.0.1:2223\n[Listen]\nAddress=%s\nAuth=peer\n[Listen]\nAddress=0.0.0.0:2224\n" % SOCKET


@pytest.fixture
def open_host(host):
    """One that also listens on all of its addresses."""
    host.configure("90-case", ANYWHERE)
    host.systemctl("restart", "geard")
    yield host
    (host.root / "etc/geard/geard.conf.d/90-case.conf").unlink()
    host.systemctl("restart", "geard")


def test_a_rebound_name_gets_nowhere_from_this_machine_itself(open_host):
    target = "http://127.0.0.1:2224/token/__test__/containers?i=1"
    assert open_host.curl("GET", target).status == 200
    assert open_host.curl("GET", target, headers={"Host": "evil.example"}).status == 421
    assert open_host.curl("POST", target, headers={"Origin": "http://evil.example"}).status == 403


def test_at_another_address_any_name_may_lead_here_but_the_test_token_not(open_host):
    """Who connects to an address of this machine that is no loopback one comes from there, too."""
    target = f"http://{open_host.address}:2224/token/__test__/containers?i=1"
    assert open_host.curl("GET", target, headers={"Host": "gears.example"}).status == 403


# Programs for the host, so that the peer is its root; argv[1] is geard's socket.
GET = r"""
import socket, sys, time
GET = b"GET /container/1/env HTTP/1.1\r\nHost: localhost\r\n\r\n"
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    return s
"""
LEAVE = GET + r"""
for i in range(300):
    with connect() as s:
        s.sendall(GET * (1 + i % 3))
"""
READ_UNTIL_GONE = GET + r"""
end, seen = time.monotonic() + 90, set()
while time.monotonic() < end and 404 not in seen:
    with connect() as s:
        s.sendall(GET)
        s.shutdown(socket.SHUT_WR)
        head, _, body = s.makefile("rb").read().partition(b"\r\n\r\n")
    status = int(head[9:12])
    assert status == 404 or (status, body) == (200, b"A=1\n"), (status, body)
    seen.add(status)
    open("/root/has-read", "w").close()
print(sorted(seen))
"""


def test_clients_that_leave_while_a_file_is_read_harm_nobody(host):
    value = "v" * 30_000
    made(host, env={f"V{i}": value for i in range(20)})
    before = host.show("geard.service")["MainPID"]
    host.run("python3", "-", SOCKET, stdin=LEAVE)
    answer = host.peer("GET", "/container/1/env", headers=JSON)
    assert answer.status == 200 and answer.json == {f"V{i}": value for i in range(20)}
    assert host.show("geard.service")["MainPID"] == before


def test_no_environment_file_is_no_variables(host):
    made(host)
    host.sh("rm -f /var/lib/gears/env/1.env")
    answer = host.peer("GET", "/container/1/env", headers=JSON)
    assert (answer.status, answer.json) == (200, {})
    assert host.peer("GET", "/container/1/env").body == b""


def test_a_damaged_environment_file_is_told_and_can_be_replaced(host):
    made(host, env={"A": "1"})
    host.sh("printf 'A=1\\nno assignment\\n' > /var/lib/gears/env/1.env")
    for answer in host.peer("GET", "/container/1/env"), host.peer("PATCH", "/container/1/env", {"B": "2"}):
        assert answer.status == 409 and "damaged" in answer.text, answer
    assert host.peer("PUT", "/container/1/env", {"B": "2"}).status == 200
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"B": "2"}


def test_reading_while_a_gear_is_deleted_is_all_or_nothing(host):
    """Every answer has the variables or says that the gear is not there."""
    made(host, env={"A": "1"}, started=False)
    host.run("tee", "/root/reader", stdin=READ_UNTIL_GONE)
    said = host.sh(f"rm -f /root/has-read; python3 /root/reader {SOCKET} & "
                   "until [ -e /root/has-read ] || ! kill -0 $!; do sleep 0.02; done; "
                   f"curl -s -X DELETE --unix-socket {SOCKET} http://localhost/container/1; "
                   "wait $! && rm /root/reader /root/has-read")
    assert said == "[200, 404]"


def test_a_unit_that_cannot_be_read_cannot_be_started(host):
    made(host, started=False)
    unit = "/var/lib/gears/units/gear-1.service"
    host.sh(f"cp {unit} /root/kept; printf '[Service]\\n\\0' > {unit}")
    answer = host.peer("PUT", "/container/1/started", headers=JSON)
    assert answer.status == 409 and answer.json["title"] == "Conflict" and "no text" in answer.json["detail"], answer
    host.sh(f"rm {unit}")
    answer = host.peer("PUT", "/container/1/started", headers=JSON)
    assert answer.status == 404 and answer.json["title"] == "Not Found", answer
    host.sh(f"cp /root/kept {unit}; rm /root/kept")
    turn(host, "1", "started")
    delete(host, "1")


# --- Expect: 100-continue -----------------------------------------------------------------------

def put_when_asked(host, method, target, *options):
    """curl, which waits for a 100 before it sends the body; the statuses of all heads that came."""
    done = host.run("curl", "--silent", "--include", "--max-time", "30", "--expect100-timeout", "10", "--request", method,
                    "--header", "Expect: 100-continue", "--data", '{"image": "test/busybox"}', *options, target)
    heads = done.stdout.split(b"\r\n\r\n")
    return [int(head.split()[1]) for head in heads if head.startswith(b"HTTP/1.1 ")]


@pytest.mark.parametrize("method, path, status", [
    ("PUT", "/no/such/path", 404), ("PATCH", "/container/1/started", 405), ("PUT", "/container/1", 401),
    ("PUT", "/token/abc/container", 403), ("GET", "/healthz", 400)])
def test_a_body_that_is_not_read_is_not_asked_for(host, method, path, status):
    assert put_when_asked(host, method, f"http://127.0.0.1:2223{path}") == [status]


def test_a_body_that_is_read_is_asked_for(host):
    assert put_when_asked(host, "PUT", "http://localhost/container/1", "--unix-socket", SOCKET) == [100, 201]


# --- one shape of error -------------------------------------------------------------------------

@pytest.mark.parametrize("method, path, headers, status", [
    ("GET", "/no/such/path", {}, 404), ("PATCH", "/healthz", {}, 405), ("GET", "/containers", {}, 401),
    ("GET", "/containers", {"Host": "evil.example"}, 421), ("GET", "/containers", {"Expect": "more"}, 417)])
def test_every_error_has_the_shape_that_the_client_likes(host, method, path, headers, status):
    problem = host.curl(method, path, headers={**JSON, **headers})
    assert problem.status == status and problem.headers["content-type"] == "application/problem+json"
    assert list(problem.json) == ["type", "title", "status", "detail"] and problem.json["status"] == status
    text = host.curl(method, path, headers=headers)
    assert text.status == status and text.text == problem.json["detail"] + "\n"
