# SPDX-License-Identifier: Apache-2.0
"""Bad input: every field of the spec, the query and the path.  Each value is a
4xx that names its field, and nothing of it is written anywhere."""

import json
import os

import pytest

from lib.gear import JSON, create, made
from lib.host import SOCKET, CommandFailed
from lib.wait import wait_until


class Raw(bytes):
    """Bytes that stand in the body as they are, where json.dumps could not write them."""


class At:
    """A value, and the field that its refusal names where that is not the one it is the value of."""

    def __init__(self, field, value, status=400, **spec):
        self.field, self.value, self.status, self.spec = field, value, status, spec


NO_STRINGS = [1, 1.5, True, False, [], {}, ["a"]]
NO_NUMBERS = ["x", "", " 1", "1 ", "0x10", "1e1", "+1", "٣", True, [], [1], {}]
NO_FLAGS = [0, 1, "", "yes", "true", [], {}]
# What is not UTF-8, or not a character, is refused before there are fields: the body is to blame.
NO_TEXT = [At("body", Raw(raw)) for raw in (b'"\xff"', b'"\xc0\xaf"', b'"\xed\xa0\x80"', b'"a\\u0000b"', b'"\\ud800"',
                                            b'"a\x01b"', b'"a\nb"', b'"\\q"', b"NaN", b"'x'", b"01", b"")]
AWKWARD = ["", " ", "a b", "%n", "%", "$HOME", "${X}", "\"", "'", "\\", "a\\", "a\nb", "a\n", "a\rb", "a\tb", "\x01",
           "\x7f", "a;b", ";", "--privileged", "-v", "-", "--", "#", "a/../b", "../x", "é", "\u202e", "`id`", "a=b"]
NO_NAMES = NO_STRINGS + AWKWARD + NO_TEXT + ["x" * 5000]

SPEC = {
    "image": NO_STRINGS + AWKWARD + NO_TEXT + [
        "UPPER/case", "a:b:c", "a:", ":b", "a@sha256:12", "a@md5:" + "0" * 32, "http://a/b", "a//b", "/a", "a/", "x" * 700,
        "a:" + "t" * 129, "a:-t", "host:99999/a", "a@sha256:" + "g" * 64],
    "command": [1, 1.5, True, {}, *NO_TEXT, "unclosed '", 'unclosed "', "trailing \\",
                ["x"] * 257, ["x" * 32768] * 4, "x" * 32769, "x " * 257] + [
        At("command[0]", ["x" * 32769])] + [
        At("command[1]", ["a", value]) for value in (1, True, None, [], {}, "x" * 32769)],
    "env": [1, True, "A=1", {"A B": "x"}, {"1A": "x"}, {"": "x"}, {"A=B": "x"}, {"A\n": "x"}, {"%n": "x"}, {"--x": "x"},
            {"A" * 129: "x"}, {"É": "x"}, {f"V{i}": "" for i in range(1025)}] + [
        At("env.A", {"A": value}) for value in ("x\ny", "x\r", "\n", 1, True, None, [], {}, "x" * 32769)] + [
        At("env[0]", ["no equals"]), At("env[0]", [1]), At("env[0]", ["1A=x"]), At("env[1]", ["A=x", "B=x\n"]),
        At("env[0]", [{"name": "A"}]), At("env[0]", [{"value": "A"}]), At("env", {"A": "1", "a": "2", "A ": "3"}),
        At("body", Raw(b'{"A":"1","A":"2"}')), At("body", Raw(b'{"A":"\xff"}')), At("body", Raw(b'{"A":"\\u0000"}'))],
    "ports": [1, "80", True, {}, [{"internal": i} for i in range(1, 34)]] + [
        At("ports[0]", [value]) for value in (1, "80:80", None, [], True)] + [
        At("ports[0].internal", [{"internal": value}]) for value in (0, -1, 65536, 1.5, *NO_NUMBERS)] + [
        At("ports[0].internal", [{}]), At("ports[0].internal", [{"external": 80}])] + [
        At("ports[0].external", [{"internal": 1, "external": value}]) for value in (-1, 65536, 1.5, *NO_NUMBERS)] + [
        At("ports[0].protocol", [{"internal": 1, "protocol": value}]) for value in (6, "", "TCP ", "sctp", "icmp", [])] + [
        At("ports[0].address", [{"internal": 1, "address": value}]) for value in (
            *NO_STRINGS, *AWKWARD, "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "::g", "fe80::1%eth0",
            "[::1]", "1.2.3.4:80", "203.0.113.9", "2001:db8::9")] + [
        At("ports[1].external", [{"internal": 1, "external": 4700}, {"internal": 2, "external": 4700}]),
        At("ports[1].external", [{"internal": 1, "external": 4700, "address": "127.0.0.1"},
                                 {"internal": 2, "external": "4700"}]),
        At("ports[1].external", [{"internal": 1}, {"internal": 1}]),
        At("ports[0].port", [{"internal": 1, "port": 1}]),
        At("ports", [{"internal": 1}], network="none"), At("ports", [{"internal": 1}], network="host")],
    "volumes": [1, "a:/b", True, {}, [{"name": f"v{i}", "target": f"/{i}"} for i in range(33)]] + [
        At("volumes[0]", [value]) for value in (
            1, "a:/b", None, [], {}, {"target": "/x"}, {"name": "a", "source": "/srv", "target": "/x"})] + [
        At("volumes[0].name", [{"name": value, "target": "/x"}]) for value in (*NO_STRINGS, *AWKWARD, "a" * 64, "/srv")] + [
        At("volumes[0].source", [{"source": value, "target": "/x"}]) for value in (
            *NO_STRINGS, *AWKWARD, "relative", "/", "//", "/a//b", "/a/./b", "/a/../b", "/a:b", "/a\nb", "/" + "x" * 5000,
            "/nowhere/to/be/found")] + [
        At("volumes[0].target", [{"name": "a", "target": value}]) for value in (
            *NO_STRINGS, *AWKWARD, "relative", "/", "//", "/a/..", "/a:ro", "/a\nb", "/" + "x" * 5000)] + [
        At("volumes[0].target", [{"name": "a"}]),
        At("volumes[0].read_only", [{"name": "a", "target": "/x", "read_only": "yes"}]),
        At("volumes[0].options", [{"name": "a", "target": "/x", "options": "suid"}]),
        At("volumes[1].target", [{"name": "a", "target": "/x"}, {"name": "b", "target": "/x"}])],
    "labels": [1, "a=b", True, [], ["a=b"], {f"l{i}": "" for i in range(65)}, {"": "x"}, {"a b": "x"}, {"a=b": "x"},
               {"a\n": "x"}, {"\x7f": "x"}, {"x" * 256: "x"}, {"io.geard.id": "2"}, {"IO.Geard.x": ""}, {"com.docker.x": ""}] + [
        At("labels.a", {"a": value}) for value in (1, True, None, [], {}, "x" * 32769)] + [
        At("body", Raw(b'{"a":"1","a":"2"}'))],
    "memory": [-1, 0, 1, 1.5, "5M", "6143k", "-64m", "64mm", "64 m", "m", "1.G", "1..5G", ".", "1e9", "%", "64m;", "nan",
               "99999999999G", 2**63, True, [], {}, "", *NO_TEXT],
    "cpus": [-1, 0, 0.001, os.cpu_count() + 0.01, 1024, 1025, 1.0005, "x", "1,5", "nan", "inf", "0x1", "1e400", "-1", "%n", "", True, [], {}, *NO_TEXT],
    "pids": [0, -1, 4194305, 1.5, *NO_NUMBERS, *NO_TEXT],
    "user": [value for value in NO_NAMES if value not in ("a",)] + [
        "a:b:c", ":", "a:", ":a", ".a", "2147483648", "99999999999999999999", "a" * 65],
    "workdir": NO_STRINGS + NO_TEXT + ["", "relative", "~", "%h", "$HOME", "-", "/a\nb", "/\x7f", "/" + "x" * 5000],
    "hostname": NO_NAMES + ["-x", "x-", "a..b", ".a", "a_b", "a:b"],
    "read_only": NO_FLAGS, "privileged": NO_FLAGS, "started": NO_FLAGS, "replace": NO_FLAGS,
    "cap_add": [1, "NET_ADMIN", True, {}, ["NET_ADMIN"] * 65] + [
        At("cap_add[0]", [value]) for value in (1, None, [], *AWKWARD, "FOO", "CAP_", "NET_ADMIN,SYS_ADMIN")],
    "cap_drop": [1, "ALL", {}, ["ALL"] * 65] + [At("cap_drop[0]", [value]) for value in (1, None, *AWKWARD, "FOO")],
    "devices": [1, "/dev/null", {}, ["/dev/null"] * 65] + [
        At("devices[0]", [value]) for value in (1, None, *AWKWARD, "/etc/passwd", "/dev/../etc", "/dev/null:/x", "/dev")],
    "pid_mode": NO_NAMES + ["container:x", "private"],
    "network": NO_NAMES + ["container:gear-2", "x" * 64],
    "restart": NO_STRINGS + ["", "Always", "on-abort", "unless-stopped", "no\n", *NO_TEXT],
    "stop_timeout": [-1, 3601, 1.5, "500ms", "1h1s", "x", "", "-1s", "1 fortnight", "%", True, [], {}, *NO_TEXT],
    "stop_signal": [0, 65, -1, 1.5, True, [], {}, *AWKWARD, "SIGFOO", "SIG", "65", "KILL TERM", "x" * 50],
    "pull": NO_STRINGS + ["", "MISSING", "maybe", *NO_TEXT],
    "health": [1, "true", True, [], {}, {"interval": "1s"}, {"command": "true", "tcp": 1}, {"tcp": 1, "port": 2}] + [
        At("health.command", {"command": value}) for value in (1, [], [""], "x" * 32769, {})] + [
        At("health.tcp", {"tcp": value}) for value in (0, 65536, "x", True)] + [
        At("health.http", {"http": value, "port": 80}) for value in ("x", "", "/a b", "/\n", "/é", "/#x", 1, [])] + [
        At("health.port", {"http": "/"}), At("health.http.port", {"http": {}}), At("health.http.x", {"http": {"x": 1}}),
        At("health.port", {"http": {"port": 1}, "port": 1})] + [
        At(f"health.{name}", {"tcp": 1, name: value}) for name in ("interval", "timeout") for value in (
            0, -1, "99ms", "25h", "x", "", True, [])] + [
        At("health.start_period", {"tcp": 1, "start_period": "25h"}), At("health.retries", {"tcp": 1, "retries": 0}),
        At("health.retries", {"tcp": 1, "retries": 101}), At("health.x", {"tcp": 1, "x": 1})],
    "ready": [1, "soon", "", True, [], {}, "tcp", "http", "log", "healthy", {"healthy": True}, {"tcp": 1, "http": "/"}] + [
        At("ready.tcp", {"tcp": value}) for value in (0, 65536, "x", True)] + [
        At("ready.log", {"log": value}) for value in ("", "(", "[", "*a{2,1}", "x" * 1025, "(a)\\1", "((((a{999}){999}){999}){9})", 1)] + [
        At("ready.timeout", {"tcp": 1, "timeout": value}) for value in ("x", -1, True)] + [At("ready.x", {"tcp": 1, "x": 1})],
}

# All that a create could leave, with the times of each file.
LISTING = r"""
find /var/lib/gears /etc/systemd/system /run/systemd/system -printf '%p %y %s %m %T@ %l\n' | sort
docker ps -aq --no-trunc
docker volume ls -q
# ... without the columns, which are as wide as the longest name of any unit
systemctl list-units --all --plain --no-legend | awk '{ $1 = $1 } $1 ~ /^gear-/ || $3 == "failed"'
systemctl list-jobs --plain --no-legend
"""


def listing(host):
    return host.sh(LISTING)


@pytest.fixture
def unchanged(host):
    before = listing(host)
    yield
    assert listing(host) == before


def body_of(field, value, spec):
    """A spec whose one field is bad."""
    whole = {"image": "test/busybox", **spec}
    whole.pop(field, None)
    member = json.dumps(field).encode() + b":" + (value if isinstance(value, Raw) else json.dumps(value).encode())
    return json.dumps(whole)[:-1].encode() + (b"," if whole else b"") + member + b"}"


def complaint(answer, field, status=400):
    """What is wrong with a refusal, or None."""
    if answer.status != status:
        return f"{status} was due: {answer}"
    if answer.headers["content-type"] != "application/problem+json":
        return f"it is {answer.headers['content-type']}"
    problem = answer.json
    if problem.get("field") != field:
        return f"it should name {field}: {answer}"
    if field not in problem["detail"] or len(problem["detail"]) > 1024:
        return f"its text does not name the field: {answer}"
    return None


def refusals(host, rows):
    """Of (method, target, body, field, status), those that were not refused as they should be."""
    found = []
    for method, target, body, field, status in rows:
        wrong = complaint(host.peer(method, target, body, JSON), field, status)
        if wrong:
            found.append(f"{method} {target[:80]} {(body or b'')[:200]!r}: {wrong}")
    return found


@pytest.mark.parametrize("field", SPEC)
def test_every_field_of_the_spec(host, unchanged, field):
    rows = []
    for value in SPEC[field]:
        row = value if isinstance(value, At) else At(field, value)
        rows.append(("PUT", "/container/1", body_of(field, row.value, row.spec), row.field, row.status))
    assert not (wrong := refusals(host, rows)), "\n".join(wrong)


def test_a_refusal_in_text_names_the_field_as_well(host, unchanged):
    for field, value in (("ports", [{"internal": 0}]), ("memory", "much"), ("flavour", 1), ("restart", "often")):
        answer = host.peer("PUT", "/container/1", body_of(field, value, {}))
        assert answer.status == 400 and answer.headers["content-type"].startswith("text/plain"), answer
        assert field in answer.text and answer.text.count("\n") == 1 and answer.text.endswith("\n"), answer


def test_names_that_no_spec_has(host, unchanged):
    rows = [("PUT", "/container/1", body_of(name, 1, {}), name, 400) for name in (
        "flavour", "Privileged ", "--privileged", "%n", "$x", ";", "é", "x" * 40)]
    rows += [("PUT", "/container/1", b'{"image":"test/busybox","MEMORY":"64m","memory":"64m"}', "memory", 400)]
    wrong = refusals(host, rows)
    assert not wrong, "\n".join(wrong)


BODIES = {
    "no JSON": b"image=test/busybox", "half": b'{"image":"test/busybox"', "two": b'{"image":"test/busybox"}{}',
    "an array": b"[]", "a string": b'"test/busybox"', "a number": b"1", "null": b"null", "a BOM": b"\xef\xbb\xbf{}",
    "NUL behind it": b'{"image":"test/busybox"}\0', "deep": b'{"labels":' * 17 + b"1" + b"}" * 17,
    "twice": b'{"image":"a","image":"b"}', "invalid UTF-8 in a name": b'{"\xff":1}', "a comment": b"{} // x",
    "a comma": b'{"image":"test/busybox",}', "many": b'{"command":[' + b"1," * 5000 + b"1]}",
}


def test_bodies_that_are_no_spec(host, unchanged):
    wrong = refusals(host, [("PUT", "/container/1", body, "body", 400) for body in BODIES.values()])
    assert not wrong, "\n".join(wrong)
    wrong = refusals(host, [("PUT", "/container/1", body, "image", 400) for body in (None, b"{}", b'{"image":null}')])
    assert not wrong, "\n".join(wrong)


def test_a_body_that_is_one_byte_too_long(host, unchanged):
    body = b'{"image":"test/busybox","flavour":"' + b"x" * (1 << 20)
    fits, over = body[:(1 << 20) - 2] + b'"}', body[:(1 << 20) - 1] + b'"}'
    assert len(fits) == 1 << 20
    assert complaint(host.peer("PUT", "/container/1", fits, JSON), "flavour") is None
    answer = host.peer("PUT", "/container/1", over, JSON)
    assert answer.status == 413 and "1048576" in answer.text, answer
    assert host.peer("GET", "/healthz").status == 200


QUERIES = [
    ("PUT", "/container/1?plan=maybe", b'{"image":"test/busybox"}', "plan"),
    ("PUT", "/container/1?plan=%ff", b'{"image":"test/busybox"}', "plan"),
    *(("PUT", f"/container/1?wait={value}", b'{"image":"test/busybox"}', "wait")
      for value in ("", "x", "-1", "1.5", "99999999", "%25", "60s")),
    ("DELETE", "/container/1?volumes=maybe", None, "volumes"),
    *(("GET", f"/containers?limit={value}", None, "limit") for value in ("", "0", "-1", "x", "99999999999999999999")),
    *(("GET", f"/containers?state={value}", None, "state") for value in ("", "run", "%25n", "running%0a")),
    *(("GET", f"/containers?after={value}", None, "after") for value in ("%2e%2e", "-x", "a%20b", "x" * 64, "%25n")),
    *(("GET", f"/containers?fields={value}", None, "fields") for value in ("nosuch", "id,nosuch", "--x", "id,id")),
    *(("GET", f"/container/1/log?tail={value}", None, "tail") for value in ("", "x", "-1", "99999999999999999999")),
    *(("GET", f"/container/1/log?since={value}", None, "since") for value in ("", "soon", "2031-13-01T00:00:00Z", "-x")),
    ("GET", "/container/1/log?until=soon", None, "until"),
    *(("GET", f"/container/1/log?timeout={value}", None, "timeout") for value in ("", "x", "-1", "1s")),
    ("GET", "/container/1/log?follow=maybe", None, "follow"),
    *(("GET", f"/container/1/log?priority={value}", None, "priority") for value in ("", "8", "-1", "error")),
    *(("GET", f"/container/1/log?grep={value}", None, "grep") for value in ("%28", "*", "a%7b2,1%7d", "%5cC", "x" * 513)),
    *(("GET", f"/container/1/log?cursor={value}", None, "cursor") for value in ("", "1", "s=1;i=1", "%25n" * 100)),
    # What a call does not know is refused: a misspelt since= would be other lines, a misspelt plan= the change itself.
    *((method, f"/container/1/log?follow=no&{name}=1", None, name)
      for method in ("GET", "PUT") for name in ("sinze", "Tail", "Grep")),
    *(("GET", f"{path}?{name}=1", None, name) for name in ("nosuch", "wait", "plan", "r") for path in (
        "/", "/healthz", "/version", "/openapi.json", "/metrics", "/requests/1", "/container/1", "/container/1/status",
        "/container/1/ports", "/container/1/env", "/containers", "/audit")),
    ("GET", "/containers?all=0", None, "all"),
    ("GET", "/containers?limit=1&labels=a", None, "labels"),
    ("GET", "/audit?verbs=created", None, "verbs"),
    *(("PUT", f"/container/2?{name}=yes", b'{"image":"test/busybox"}', name) for name in ("pln", "Plan", "i", "r")),
    ("DELETE", "/container/1?volume=yes", None, "volume"),
    ("DELETE", "/container/1?plan=yes", None, "plan"),
    ("PUT", "/container/1/started?plan=maybe", None, "plan"),
    ("PUT", "/container/1/started?force", None, "force"),
    ("PUT", "/container/1/env?plan=yes", b'{"A B":"1"}', "env"),
    ("PATCH", "/container/1/env?plan=maybe", b'{"A":"1"}', "plan"),
]


def test_every_field_of_the_query(host):
    made(host, started=False)
    before = listing(host)
    wrong = refusals(host, [(*row, 400) for row in QUERIES])
    assert not wrong, "\n".join(wrong)
    assert listing(host) == before


def test_reads_by_token_and_for_their_head_refuse_alike(host):
    made(host)
    for what in ("container", "container/status", "container/ports", "container/env", "container/log", "containers", "version"):
        answer = host.token("GET", what, headers=JSON, r="1", sinze="1")
        assert complaint(answer, "sinze") is None, f"{what}: {answer}"
    answer = host.token("PUT", "container/log", headers=JSON, r="1", sinze="1")
    assert complaint(answer, "sinze") is None, answer
    assert host.peer("HEAD", "/containers?nosuch=1").status == 400
    assert host.peer("HEAD", "/containers?limit=1").status == 200


# As the original's README and the clients of its successor ask.
ORIGINALS = [
    ("PUT", "/token/__test__/container?u=0&d=1&t=test%2Fbusybox&r=1&i={i}", 201),
    ("PUT", "/token/__test__/container/started?u=0&d=1&r=1&i={i}", 200),
    ("PUT", "/token/__test__/container/log?u=0&d=1&r=1&i={i}&timeout=1", 200),
    ("GET", "/token/__test__/container/log?u=0&d=1&r=1&i={i}&timeout=1", 200),
    ("PUT", "/token/__test__/container/stopped?u=0&d=1&r=1&i={i}", 200),
    ("GET", "/token/__test__/container/status?u=0&d=1&t=&r=1&i={i}", 200),
    ("GET", "/containers?all=1", 200),
]


def test_what_the_originals_clients_ask_is_understood(host):
    for i, (method, target, status) in enumerate(ORIGINALS):
        target = target.format(i=f"5eed{i:x}")
        ask = host.curl if target.startswith("/token/") else host.peer
        answer = ask(method, target)
        assert answer.status == status, f"{method} {target}: {answer}"
    assert [gear["id"] for gear in host.peer("GET", "/containers?all=1", headers=JSON).json["containers"]] == ["1"]


BAD_IDS = ["-x", "--help", ".x", "_x", "a%20b", "%25n", "%25", "a%0Ab", "a%0D", "a%7F", "%01", "a%2Fb", "%24x",
           "a%22b", "a%27", "a%5C", "a;b", "a%23", "%C3%A9", "x" * 64, "x" * 2000, "a%40b", "a%3Ab", "a*"]
NO_PATHS = ["a%00b", "%FF", "..%2F..%2Fetc", "%", "%0", "%zz"]  # refused by the parser: in them are no ids


@pytest.mark.parametrize("call", [("PUT", ""), ("DELETE", ""), ("PUT", "/started"), ("PUT", "/stopped"), ("PUT", "/restarted"),
                                  ("GET", "/status"), ("GET", "/log"), ("GET", "/ports"), ("GET", "/env"), ("PUT", "/env")],
                         ids=lambda call: "".join(call))
def test_ids_in_the_path(host, unchanged, call):
    method, rest = call
    body = b'{"image":"test/busybox"}' if call == ("PUT", "") else b"{}" if rest == "/env" and method == "PUT" else None
    wrong = []
    for gear in BAD_IDS + NO_PATHS:
        answer = host.peer(method, f"/container/{gear}{rest}", body, JSON)
        if gear in NO_PATHS:
            if answer.status != 400:
                wrong.append(f"{gear}: {answer}")
        elif fault := complaint(answer, "id"):
            wrong.append(f"{gear}: {fault}")
    assert not wrong, "\n".join(wrong)


def test_ids_that_lead_elsewhere(host, unchanged):
    for target in ("/container/..", "/container/../containers", "/container/.", "/container/%2e%2e", "/container//status"):
        answer = host.curl("PUT", f"http://localhost{target}", b'{"image":"test/busybox"}', unix=SOCKET,
                           options=("--path-as-is",))
        assert 400 <= answer.status < 500, f"{target}: {answer}"


def test_claims(host, unchanged):
    rows = [({"r": value}, "r") for value in (None, "", "-x", "a b", "%n", "a\nb", "a/b", "../x", "x" * 64, "é", "--rm")]
    rows += [({"r": "1", "t": value}, "image") for value in ("-v", "UPPER/x", "a b", "%n", "a\nb", "a:b:c", "x" * 700, "é")]
    rows += [({"r": "1", "t": "test/busybox", "i": value}, "i") for value in ("", "xyz", "-1", "0x1", "1" * 33, "1 ", "%n", "é")]
    rows += [({"r": "1", "t": "test/busybox", "u": "x" * 257}, "u")]
    wrong = []
    for claims, field in rows:
        answer = host.token("PUT", "container", {}, JSON, **claims)
        if fault := complaint(answer, field):
            wrong.append(f"{claims}: {fault}")
    assert not wrong, "\n".join(wrong)
    answer = host.token("PUT", "container", {"image": "test/show"}, JSON, r="1", t="test/busybox")
    assert complaint(answer, "image", 403) is None, answer


def test_request_ids_in_headers(host, unchanged):
    for name in ("X-Request-Id", "Idempotency-Key"):
        for value in ("xyz", "1" * 33, "-", "0x1", "%n"):
            answer = host.peer("PUT", "/container/1", {"image": "test/busybox"}, {**JSON, name: value})
            assert answer.status == 400 and name.lower() in answer.text.lower(), f"{name}: {value}: {answer}"


def test_a_call_that_takes_no_body_refuses_one(host, unchanged):
    for method, target in (("GET", "/containers"), ("GET", "/container/1/status"), ("GET", "/version")):
        assert complaint(host.peer(method, target, b"{}", JSON), "body") is None


# --- what others hold ---------------------------------------------------------


def test_a_port_that_a_stranger_holds(host):
    before = listing(host)
    host.sh("systemd-run --quiet --unit=stranger busybox httpd -f -p 127.0.0.1:4711")
    try:
        wait_until(lambda: host.sh("curl -s -o /dev/null http://127.0.0.1:4711/; echo $?") == "0", 20, "the stranger listens")
        answer = create(host, ports=[{"internal": 1}, {"internal": 80, "external": 4711}])
        assert complaint(answer, "ports[1].external", 409) is None, answer
        answer = create(host, ports=[{"internal": 80, "external": 4711, "address": "127.0.0.1"}])
        assert complaint(answer, "ports[0].external", 409) is None, answer
    finally:
        host.systemctl("stop", "stranger")
    assert listing(host) == before
    made(host, ports=[{"internal": 80, "external": 4711}])


def test_a_port_that_another_gear_holds(host):
    made(host, "holder", ports=[{"internal": 80, "external": 4712, "address": "127.0.0.1"}])
    before = listing(host)
    answer = create(host, "2", ports=[{"internal": 80, "external": 4712}])
    assert complaint(answer, "ports[0].external", 409) is None, answer
    assert "holder" in answer.json["detail"]
    assert listing(host) == before
    made(host, "2", ports=[{"internal": 80, "external": 4712, "protocol": "udp"}])


def test_a_missing_image_is_named(host, unchanged):
    answer = create(host, image="nowhere.invalid/no/such:image", pull="never")
    assert complaint(answer, "image", 404) is None and "nowhere.invalid/no/such:image" in answer.text, answer


def test_another_definition_is_refused_and_the_first_stays(host):
    made(host, labels={"a": "1"})
    before = listing(host)
    answer = create(host, labels={"a": "2"})
    assert complaint(answer, "replace", 409) is None, answer
    assert listing(host) == before


def test_bad_environments_of_a_gear_that_is_there(host):
    made(host, env={"A": "1"})
    before = listing(host)
    rows = [("A B", "x"), ("1A", "x"), ("A", "x\ny"), ("A", 1), ("A", "x" * 32769)]
    for method in ("PUT", "PATCH"):
        for name, value in rows:
            answer = host.peer(method, "/container/1/env", {name: value}, JSON)
            assert answer.status == 400 and answer.json["field"].startswith("env"), f"{method} {name}: {answer}"
            assert "x" * 100 not in answer.text
    assert listing(host) == before
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1"}


# --- reaching into the host ----------------------------------------------------

REACHING = {
    "volumes": [{"source": "/srv/open/x", "target": "/x"}], "cap_add": ["NET_ADMIN"], "devices": ["/dev/null"],
    "privileged": True, "pid_mode": "host", "network": "host",
}


@pytest.fixture
def open_path(host):
    """A host path below VolumePaths=, and things beside it."""
    host.configure("60-open", "[Daemon]\nVolumePaths=/srv/open\n")
    host.sh("mkdir -p /srv/open/x /srv/opener /srv/other; ln -sfn /etc /srv/open/out; systemctl reload geard")
    wait_until(lambda: create(host, "probe", query="?plan=yes",
                              volumes=[{"source": "/srv/open/x", "target": "/x"}]).status == 200, 20, "it is allowed")
    yield
    host.sh("rm -rf /srv/open /srv/opener /srv/other /etc/geard/geard.conf.d/60-open.conf; systemctl reload geard")


@pytest.mark.parametrize("field", REACHING)
def test_no_test_token_reaches_into_the_host(host, open_path, field):
    before = listing(host)
    answer = host.token("PUT", "container", {field: REACHING[field]}, JSON, r="1", t="test/busybox")
    assert complaint(answer, field, 403) is None, answer
    plan = host.token("PUT", "container", {field: REACHING[field]}, JSON, r="1", t="test/busybox", plan="yes")
    assert plan.status == 403, plan
    assert listing(host) == before


@pytest.mark.parametrize("field", REACHING)
def test_root_reaches_into_the_host(host, open_path, field):
    # A throwaway host has not all the capabilities that a privileged container gets.
    if field == "privileged":
        answer = create(host, query="?plan=yes", privileged=True)
        assert answer.status == 200 and "--privileged" in answer.text, answer
    else:
        made(host, **{field: REACHING[field]})


@pytest.mark.parametrize("source, status", [
    ("/etc", 403), ("/srv", 403), ("/srv/opener", 403), ("/srv/other", 403), ("/srv/open/out", 403),
    ("/srv/open/out/ssl", 403), ("/srv/open/missing", 400)])
def test_not_even_root_leaves_the_volume_paths(host, open_path, source, status):
    before = listing(host)
    answer = create(host, volumes=[{"source": source, "target": "/x"}])
    assert complaint(answer, "volumes[0].source", status) is None, answer
    assert listing(host) == before


def test_volumes_by_name_are_for_everybody(host):
    answer = host.token("PUT", "container", {"volumes": [{"name": "data", "target": "/data"}]}, r="1", t="test/busybox")
    assert answer.status == 201, answer
    with pytest.raises(CommandFailed):
        host.docker("volume", "inspect", "data")
    assert host.docker("volume", "inspect", "-f", "{{.Name}}", "gear-1-data") == "gear-1-data"
