# SPDX-License-Identifier: Apache-2.0
"""Every change and every refusal leaves one record: who asked for what, from
where and by which token, and what became of it."""

import json
import re
import subprocess
import threading
import uuid

import pytest
from jwcrypto import jwk

from lib import secrets
from lib.gear import HOLD, JSON, create, delete, knows_all, made, runs, traces, turn
from lib.host import SOCKET, TESTHOST, URL
from lib.tokens import Holder, Issuer, ask, digest, get, own_key, put, seal, soon, token_id, twin
from lib.wait import wait_until

LINES = {"Accept": "application/x-ndjson"}
MESSAGE = "MESSAGE_ID=3729d6a95c3b4a07a2a1c2cdad42fe68"
FIELDS = {"request": "GEARD_REQUEST_ID", "principal": "GEARD_PRINCIPAL", "token": "GEARD_TOKEN", "chain": "GEARD_CHAIN",
          "user": "GEARD_USER", "peer": "GEARD_PEER", "right": "GEARD_RIGHT", "verb": "GEARD_VERB",
          "resource": "GEARD_RESOURCE", "before": "GEARD_BEFORE", "after": "GEARD_AFTER", "said": "GEARD_SAID"}
HASH = re.compile(r"[0-9a-f]{64}")
SLOW = {"image": "test/busybox", "ready": {"log": "now"}, "stop_timeout": "1s",
        "command": ["sh", "-c", "sleep 2; echo now; exec hold"]}


def lines(answer):
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.text.splitlines()]


def newest(host):
    """The number of the newest record."""
    last = lines(host.peer("GET", "/audit?limit=1", headers=LINES))
    return last[0]["number"] if last else 0


def since(host, place):
    """The records behind that one."""
    return lines(host.peer("GET", f"/audit?limit=1000&after={place}", headers=LINES))


@pytest.fixture
def host(host):
    """With what was counted in the cases before written down: no minute ends during this one."""
    host.systemctl("restart", "geard")
    return host


@pytest.fixture
def issuer(host):
    """Until its key counted its tokens were refused: that is written down, too, and not in a minute."""
    issuer = Issuer(host).trust()
    host.sh("systemctl reset-failed geard; systemctl restart geard")
    wait_until(lambda: knows_all(host), 30, "geard is back")
    yield issuer
    issuer.remove()


def is_like(record, **expected):
    """None: the record does not have it."""
    different = {name: record.get(name) for name, value in expected.items() if record.get(name) != value}
    assert not different, f"{different} in {record}"


def the_one(host, place, **expected):
    """The only record behind that place, which is like this."""
    records = since(host, place)
    assert len(records) == 1, records
    is_like(records[0], **expected)
    return records[0]


# --- changes -----------------------------------------------------------------------------------------

def test_each_change_leaves_one_record(host, issuer):
    def told(method, path, body=None, **claims):
        place, token = newest(host), issuer.token(**claims)
        answer = ask(host, method, token, path, body, JSON)
        record = the_one(host, place, code=answer.status, principal=f"key:{issuer.key.thumbprint()}", user="alice",
                         token=token_id(token), chain=None, request=answer.headers["x-request-id"])
        assert record["peer"].startswith("127.0.0.1:") and 0 < record["took_usec"] < 90e6
        assert abs(record["at_usec"] / 1e6 - soon(0)) < 60
        return record

    every = {"r": "web-1", "t": "test/busybox", "a": ["gear.*"]}
    created = told("PUT", "/container", {"command": HOLD}, **every)
    is_like(created, code=201, verb="created", right="gear.create", resource="web-1", before=None)
    first = created["after"]
    assert HASH.fullmatch(first)
    again = told("PUT", "/container", {"command": HOLD}, **every)
    is_like(again, code=200, verb="created", before=first, after=first)
    for method, call, verb in (("PUT", "stopped", "stopped"), ("PUT", "started", "started"),
                               ("POST", "restart", "restarted")):
        record = told(method, f"/container/{call}", r="web-1", a=["gear.state"])
        is_like(record, code=200, verb=verb, right="gear.state", resource="web-1", before=first, after=first)
    record = told("PUT", "/container/env", {"A": "b"}, r="web-1", a=["gear.env"])
    is_like(record, code=200, verb="environment", right="gear.env", resource="web-1")
    replaced = told("PUT", "/container", {"command": HOLD, "pids": 50, "replace": True}, **every)
    is_like(replaced, code=201, verb="created", before=first)
    assert HASH.fullmatch(replaced["after"]) and replaced["after"] != first
    other = told("PUT", "/container", {"command": HOLD, "pids": 60}, **every)
    is_like(other, code=409, verb="created", before=replaced["after"], after=replaced["after"])
    assert "exists with another definition" in other["said"]
    gone = told("DELETE", "/container", r="web-1", a=["gear.delete"])
    is_like(gone, code=204, verb="deleted", right="gear.delete", before=replaced["after"], after=None)
    unknown = told("DELETE", "/container", r="web-1", a=["gear.delete"])
    is_like(unknown, code=204, verb="deleted", before=None, after=None)
    failed = told("PUT", "/container", {}, r="web-2", t="test/crash", a=["gear.create"])
    is_like(failed, code=500, verb="created", resource="web-2", before=None, after=None)


def test_those_without_a_token(host):
    place = newest(host)
    made(host)
    is_like(since(host, place)[0], principal="uid:0", user="uid:0", token=None, verb="created")
    place = newest(host)
    assert host.token("PUT", "container/stopped", r="1", u="carol").status == 200
    record = the_one(host, place, principal="test", user="carol", verb="stopped", resource="1", token=None)
    assert record["peer"].startswith("127.0.0.1:")


def test_a_narrowed_token_names_its_holders(host, issuer):
    made(host, "web-1")
    holder = Holder()
    chain = holder.narrow(issuer.token(r="web-*", a=["gear.*"], cnf=holder.cnf), r="web-1", a=["gear.state"])
    place = newest(host)
    assert put(host, chain, "/container/stopped").status == 200
    the_one(host, place, token=token_id(chain), chain=f"key:{holder.key.thumbprint()}", user="alice", verb="stopped")


def test_a_token_has_one_id_whatever_it_is_wrapped_in(host):
    """The twin of its signature, and it encrypted: they are refused as the same, too, and counted into one."""
    issuer, own = Issuer(host, kty="EC", crv="P-256").trust(), jwk.JWK.generate(kty="OKP", crv="X25519")
    try:
        with own_key(host, own):
            made(host, "web-1")
            token = issuer.token(r="web-1", a=["gear.state"])
            forms = [token, twin(token), seal(token, own)]
            assert len(set(forms)) == 3
            for form in forms:
                place = newest(host)
                assert put(host, form, "/container/stopped").status == 200
                the_one(host, place, token=token_id(token), verb="stopped")
            place = newest(host)
            assert [get(host, form, "/metrics").status for form in forms] == [403] * 3
            the_one(host, place, token=token_id(token), verb="refused")
            shown = json.loads(host.run("gear", "token", "show", "-o", "json", stdin=twin(token)).stdout)
            assert shown["id"] == token_id(token)
    finally:
        issuer.remove()


def test_the_one_before_it_is_told_by_its_work(host):
    """Two changes at once: the second one found what the first one left."""
    place = newest(host)
    makers = [threading.Thread(target=create, args=(host, "1"), kwargs={"command": HOLD, "pids": pids, "replace": True})
              for pids in (40, 50)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    first, second = since(host, place)
    is_like(first, before=None)
    is_like(second, before=first["after"])


def test_joins_and_replays_leave_none(host):
    place = newest(host)
    headers = {**JSON, "X-Request-Id": uuid.uuid4().hex}
    answers = []
    clients = [threading.Thread(target=lambda: answers.append(host.peer("PUT", "/container/1", SLOW, headers)))
               for _ in range(5)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [answer.status for answer in answers] == [201] * 5
    assert host.peer("PUT", "/container/1", SLOW, headers).headers["geard-replayed"] == "yes"
    the_one(host, place, verb="created", code=201, request=headers["X-Request-Id"])


def test_reads_and_plans_leave_none(host):
    made(host)
    place = newest(host)
    for path in ("/container/1/status", "/container/1/env", "/containers", "/metrics", "/container/2/status"):
        host.peer("GET", path)
    assert create(host, "2", query="?plan=yes").status == 200
    assert since(host, place) == []


# --- refusals ------------------------------------------------------------------------------------------

def test_each_refusal_of_a_known_caller_leaves_one_record(host, issuer):
    made(host, "db-1", command=HOLD)
    good = {"r": "web-1", "a": ["gear.*", "ops.read"]}
    refusals = [
        ("GET", "/metrics", None, {**good, "d": soon(-100)}, 403, "expired"),
        ("GET", "/metrics", None, {**good, "nbf": soon(100)}, 403, "too early"),
        ("GET", "/metrics", None, {**good, "aud": "another"}, 403, "another node"),
        ("GET", "/metrics", None, {**good, "p": "10.9.8.7"}, 403, "another peer"),
        ("GET", "/containers", None, {"r": "web-1", "a": ["log.read"]}, 403, "does not grant this right"),
        ("GET", "/container/db-1/status", None, good, 403, "another gear"),
        ("GET", "/container/status?r=db-1", None, good, 403, "another than the token"),
        ("PUT", "/container/started", None, {**good, "b": digest(b"another")}, 403, "another body"),
        ("PUT", "/container/started", None, good, 404, "there is no gear web-1"),
        ("PUT", "/container", "no json", {**good, "t": "test/busybox"}, 400, "body"),
        ("PUT", "/container", {"privileged": True}, {**good, "t": "test/busybox"}, 403, "gear.host"),
        ("PUT", "/container?wait=long", {}, {**good, "t": "test/busybox"}, 400, "wait"),
    ]
    for method, path, body, claims, status, why in refusals:
        place, token = newest(host), issuer.token(**claims)
        answer = ask(host, method, token, path, body)
        assert answer.status == status, (why, answer)
        record = the_one(host, place, code=status, verb="refused", principal=f"key:{issuer.key.thumbprint()}",
                         token=token_id(token), before=None, after=None)
        assert why in record["said"] and record["said"].startswith(method + " /"), record
        assert record["peer"].startswith("127.0.0.1:") and record["right"]


def test_an_id_that_is_taken_is_a_refusal(host, issuer):
    made(host, "web-1", command=HOLD)
    first, second = (issuer.token(r=r, i="abc", a=["gear.state"]) for r in ("web-1", "web-1"))
    assert put(host, first, "/container/stopped").status == 200
    for between in ("true", "systemctl restart geard"):  # known from memory, then from the database
        host.sh(between)
        place = newest(host)
        assert put(host, second, "/container/started").status == 409
        record = the_one(host, place, verb="refused", code=409, request="abc".rjust(32, "0"), resource="web-1")
        assert record["said"].startswith("PUT /container/started: i: the request id")


def test_who_may_not_use_the_socket(host):
    place = newest(host)
    host.sh(f"chmod o+rw {SOCKET}")
    try:
        assert "403" in host.sh(f"runuser -u nobody -- curl -si --unix-socket {SOCKET} http://localhost/containers")
    finally:
        host.sh(f"chmod o-rw {SOCKET}")
    record = the_one(host, place, principal="uid:65534", verb="refused", code=403)
    assert "neither root" in record["said"]


def test_a_flood_of_refusals_is_counted(file_host):
    host = file_host
    issuer = Issuer(host).trust()
    try:
        place, token = newest(host), issuer.token(r="web-1", a=["gear.state"])
        for _ in range(7):
            assert put(host, token, "/container/started").status == 404
        the_one(host, place, verb="refused", code=404)
        host.systemctl("restart", "geard")  # what is counted is written before it goes
        first, more = (record for record in since(host, place) if record.get("principal"))
        is_like(more, verb="refused", code=404, resource="web-1", token=token_id(token))
        assert more["said"] == "6 more in a minute: " + first["said"]
    finally:
        issuer.remove()


FLOOD = r"""
import socket
for _ in range(3):
    for n in range(508):
        s = socket.create_connection(("127.0.0.1", 2223), source_address=(f"127.9.{n // 254}.{n % 254 + 1}", 0))
        s.sendall(b"GET /containers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while s.recv(4096):
            pass
        s.close()
"""


@pytest.mark.takes(60)
def test_strangers_are_counted_by_address(file_host):
    host = file_host
    host.systemctl("restart", "geard")  # a minute of its own
    issuer = Issuer(host)
    place = newest(host)
    for _ in range(3):
        assert host.curl("GET", f"{URL}/containers").status == 401
        assert get(host, issuer.token(a="gear.read"), "/containers").status == 403
    assert since(host, place) == []
    made(host, "1")
    assert [record["verb"] for record in since(host, place)] == ["created"]
    place = newest(host)
    wait_until(lambda: since(host, place), 150, "the minute is over")
    record = the_one(host, place, verb="refused", code=401, principal=None, token=None, peer="127.0.0.1")
    assert record["said"] == "6 in a minute, at first: GET /containers: no credentials"
    delete(host, "1")


def test_many_strangers_do_not_fill_the_disk(file_host):
    host = file_host
    host.systemctl("restart", "geard")
    run, place = host.show("geard.service")["InvocationID"], newest(host)
    host.run("python3", "-c", FLOOD)
    host.systemctl("restart", "geard")
    records = since(host, place)
    assert len(records) == 257, len(records)
    assert {record["said"] for record in records[:256]} == {"3 in a minute, at first: GET /containers: no credentials"}
    is_like(records[-1], peer=None, said="756 more in a minute, from other addresses")

    def told():
        """All of it, once the last of it has come."""
        text = host.journal(None, "cat", f"_SYSTEMD_INVOCATION_ID={run}")
        return text.count("refused a GET") >= 1000 and "524 more refusals in a minute have no line here" in text and text

    assert wait_until(told, 20, "the journal has it").count("refused a GET") == 1000


# --- after a crash ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("seconds", ["0.1", "0.5", "2.2"])
def test_a_crash_leaves_one_record(host, issuer, seconds):
    """Killed during a create: what the next start found out is written, with who had asked."""
    token, place = issuer.token(r="web-1", i=seconds.replace(".", "5"), a=["gear.create"], t="test/busybox"), newest(host)
    spec = json.dumps({name: value for name, value in SLOW.items() if name != "image"})
    secrets.remember(token)
    # without its intent on the disk nothing of it would ever be known
    host.sh(f"curl -s -o /dev/null -X PUT -d '{spec}' {URL}/token/{token}/container & "
            f"until curl -sf -o /dev/null --unix-socket {SOCKET} http://localhost/container/web-1/status; do :; done; "
            f"sleep {seconds}; "
            "kill -9 $(systemctl show -P MainPID geard); wait; systemctl reset-failed geard; systemctl start geard")
    wait_until(lambda: since(host, place), 30, "it is known what became of it")
    record = the_one(host, place, verb="created", resource="web-1", principal=f"key:{issuer.key.thumbprint()}",
                     user="alice", token=token_id(token), right="gear.create", before=None)
    assert record["peer"].startswith("127.0.0.1:")
    if record["code"] == 201:
        assert HASH.fullmatch(record["after"]) and runs(host, "web-1")
    else:
        is_like(record, code=503, after=None)
        assert traces(host, "web-1") == []


# --- the journal ---------------------------------------------------------------------------------------------

def test_each_record_is_repeated_in_the_journal(host, issuer):
    place = newest(host)
    made(host, "web-1")
    put(host, issuer.token(r="web-1", a=["gear.state"]), "/container/stopped")
    put(host, issuer.token(r="web-1", a=["gear.read"]), "/container/stopped")
    records = since(host, place)
    assert len(records) == 3
    for record in records:
        its_own = [MESSAGE, f"GEARD_AUDIT_TRAIL={record['trail']}", f"GEARD_AUDIT_NUMBER={record['number']}",
                   "_SYSTEMD_UNIT=geard.service"]
        entry, = wait_until(lambda its_own=its_own: host.journal_entries(*its_own), 10, "it is in the journal")
        assert entry["GEARD_AUDIT_HASH"] == record["hash"]
        assert entry["GEARD_STATUS"] == str(record["code"]) and entry["GEARD_USEC"] == str(record["took_usec"])
        for name, field in FIELDS.items():
            assert entry.get(field) == record.get(name), (field, entry)
        assert record["verb"] in entry["MESSAGE"] and record["said"] in entry["MESSAGE"], entry["MESSAGE"]


def test_the_journal_has_them_whatever_the_log_level_is(host):
    host.configure("60-quiet", "[Daemon]\nLogLevel=err\n")
    try:
        host.systemctl("restart", "geard")
        place = newest(host)
        made(host)
        record, = since(host, place)
        wait_until(lambda: host.journal_entries(MESSAGE, f"GEARD_AUDIT_HASH={record['hash']}"), 10, "it is in the journal")
    finally:
        (host.root / "etc/geard/geard.conf.d/60-quiet.conf").unlink()
        host.systemctl("restart", "geard")


# --- reading it ------------------------------------------------------------------------------------------------

def test_filters(host, issuer):
    place = newest(host)
    made(host, "web-1", command=HOLD)
    token = issuer.token(r="web-1", a=["gear.state"], u="bob", i="77")
    put(host, token, "/container/stopped")
    put(host, issuer.token(r="web-1", a=["gear.read"]), "/container/stopped")
    everything = since(host, place)
    assert [record["verb"] for record in everything] == ["created", "stopped", "refused"]

    def found(query):
        return [record["verb"] for record in lines(host.peer("GET", f"/audit?after={place}&{query}", headers=LINES))]

    assert found("user=bob") == ["stopped"]
    assert found(f"principal=key:{issuer.key.thumbprint()}") == ["stopped", "refused"]
    assert found("resource=web-1&verb=created") == ["created"]
    assert found("request=77") == ["stopped"] and found("request=78") == []
    assert found("code=400") == ["refused"]
    assert found("since=1h") == ["created", "stopped", "refused"] and found("until=1h") == []
    moment = everything[1]["at_usec"] // 1_000_000 + 1
    assert found(f"since={moment + 3600}") == [] and found(f"until={moment + 3600}") == found("since=1h")


def test_pages(host):
    place = newest(host)
    for _ in range(3):
        assert host.peer("DELETE", "/container/nobody").status == 204
    numbers = [place + 1, place + 2, place + 3]

    def page(query, headers=LINES):
        answer = host.peer("GET", f"/audit?{query}", headers=headers)
        return [record["number"] for record in lines(answer)], answer.headers.get("geard-next")

    assert page("limit=2") == ([numbers[2], numbers[1]], str(numbers[1]))
    assert page(f"limit=1&before={numbers[1]}")[0] == [numbers[0]]
    assert page(f"limit=2&after={place}") == (numbers[:2], str(numbers[1]))
    assert page(f"limit=2&after={numbers[1]}") == ([numbers[2]], None)
    answer = host.peer("GET", f"/audit?limit=2&after={place}", headers=JSON)
    assert answer.headers["content-type"] == "application/json" and answer.json["next"] == numbers[1]
    assert [record["number"] for record in answer.json["records"]] == numbers[:2]
    assert host.peer("GET", f"/audit?after={numbers[2]}", headers=JSON).json == {"records": [], "next": None}
    table = host.peer("GET", f"/audit?limit=2&after={place}").text.splitlines()
    assert len(table) == 3 and table[2] == f"more: after={numbers[1]}"
    assert table[0].split()[0] == str(numbers[0]) and "deleted" in table[0] and "uid:0" in table[0]


@pytest.mark.parametrize("query,field", [
    ("limit=0", "limit"), ("limit=1001", "limit"), ("before=0", "before"), ("before=x", "before"), ("after=-1", "after"),
    ("before=5&after=4", "before"), ("before=5&follow=yes", "before"), ("until=5&follow=yes", "until"), ("code=9", "code"),
    ("since=someday", "since"), ("until=x", "until"), ("request=zz", "request"), ("follow=maybe", "follow")])
def test_errors_name_the_field(host, query, field):
    answer = host.peer("GET", f"/audit?{query}", headers=JSON)
    assert answer.status == 400 and answer.json["field"] == field, answer


def test_a_token_sees_what_is_its_own(host, issuer):
    place = newest(host)
    other = Issuer(host).trust()
    try:
        for gear in ("web-1", "db-1"):
            made(host, gear, command=HOLD)
            put(host, issuer.token(r=gear, a=["gear.state"]), "/container/stopped")
        put(host, other.token(r="web-1", a=["gear.state"]), "/container/started")

        def seen(token):
            records = lines(get(host, token, f"/audit?after={place}", LINES))
            return [(record["resource"], record["verb"]) for record in records]

        assert seen(issuer.token(r="web-*", a=["audit.read"])) == [("web-1", "stopped")]
        assert seen(other.token(r="*", a=["audit.read"])) == [("web-1", "started")]
        assert len(seen(issuer.token(a=["audit.read"]))) == 5
        assert get(host, issuer.token(a=["gear.*"]), "/audit").status == 403
        assert host.curl("GET", f"{URL}/audit").status == 401
    finally:
        other.remove()


# --- following it -----------------------------------------------------------------------------------------------

class Follower:
    """A curl in the host that follows the trail, and the lines it got."""

    def __init__(self, host, query="", headers=None, limit_rate=None):
        curl = ["curl", "-sN", "--unix-socket", SOCKET]
        for name, value in (headers or LINES).items():
            curl += ["-H", f"{name}: {value}"]
        curl += ["--limit-rate", limit_rate] if limit_rate else []
        curl.append(f"http://localhost/audit?follow=yes{query}")
        argv = [str(TESTHOST), "sh", host.name, "bash", "-c", 'echo $$; exec "$@"', "curl", *curl]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE)
        self.host, self.pid, self.lines = host, int(self.process.stdout.readline()), []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        self.lines.extend(line.decode().rstrip("\n") for line in self.process.stdout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.host.run("kill", self.pid, check=False)
        self.process.wait(10)
        self.reader.join(5)

    def numbers(self):
        return [json.loads(line.removeprefix("data: "))["number"] for line in self.lines if "{" in line]


def streams(host):
    return int(re.search(r"^geard_streams (\d+)", host.peer("GET", "/metrics").text, re.M).group(1))


def test_it_is_followed(host):
    place = newest(host)
    host.peer("DELETE", "/container/nobody")
    with Follower(host) as new, Follower(host, f"&after={place}") as behind, Follower(host, "&limit=1") as tail:
        wait_until(lambda: streams(host) == 3 and behind.numbers() and tail.numbers(), 10, "all follow")
        for _ in range(3):
            host.peer("DELETE", "/container/nobody")
        wait_until(lambda: len(new.numbers()) == 3, 5, "they come")
        assert new.numbers() == [place + 2, place + 3, place + 4]
        wait_until(lambda: behind.numbers() == tail.numbers() == [place + 1, *new.numbers()], 5, "all have them")
    wait_until(lambda: streams(host) == 0, 10, "they are gone")


def test_it_is_followed_over_a_restart(host):
    events = {"Accept": "text/event-stream"}
    host.peer("DELETE", "/container/nobody")
    place = newest(host)
    with Follower(host, headers=events) as first:
        wait_until(lambda: streams(host) == 1, 10, "it follows")
        host.peer("DELETE", "/container/nobody")
        wait_until(lambda: first.numbers() == [place + 1], 5, "it comes")
        assert f"id: {place + 1}" in first.lines
        host.systemctl("restart", "geard")
        first.process.wait(10)
    host.peer("DELETE", "/container/nobody")
    with Follower(host, headers={**events, "Last-Event-ID": str(place + 1)}) as second:
        host.peer("DELETE", "/container/nobody")
        wait_until(lambda: second.numbers() == [place + 2, place + 3], 10, "nothing is missing or repeated")


def test_a_slow_follower_gets_all_of_it(host):
    """Slower than the trail grows: it reads its place again, and all arrive in order."""
    place = newest(host)
    with Follower(host, f"&after={place}", limit_rate="20K") as slow:
        host.sh(f"curl -s -X DELETE --unix-socket {SOCKET} 'http://localhost/container/x[1-300]'")
        last = newest(host)
        wait_until(lambda: slow.numbers() and slow.numbers()[-1] == last, 60, "it has all")
        assert slow.numbers() == list(range(place + 1, last + 1))


def test_streams_are_bounded(host):
    host.configure("60-streams", "[Daemon]\nStreamsMax=2\n")
    host.systemctl("restart", "geard")
    try:
        with Follower(host), Follower(host):
            wait_until(lambda: streams(host) == 2, 10, "two follow")
            answer = host.peer("GET", "/audit?follow=yes", timeout=5)
            assert answer.status == 503 and "StreamsMax=" in answer.text and "retry-after" in answer.headers
            assert host.peer("GET", "/audit").status == 200
    finally:
        (host.root / "etc/geard/geard.conf.d/60-streams.conf").unlink()
        host.systemctl("restart", "geard")


def test_who_follows_by_a_token_sees_it_until_it_expires(host, issuer):
    token = issuer.token(a="audit.read", d=soon(3))
    answer = get(host, token, "/audit?follow=yes", LINES)
    assert answer.status == 200, "it ended by itself"


# --- what is in none of them --------------------------------------------------------------------------------------

def test_nothing_secret_is_in_any_record(host, issuer):
    value, place = uuid.uuid4().hex, newest(host)
    made(host, "web-1", command=HOLD, env={"PASSWORD": value})
    token = issuer.token(r="web-1", a=["gear.env"])
    ask(host, "PATCH", token, "/container/env", {"PASSWORD": value + "2"}, JSON)
    ask(host, "PATCH", token, "/container/env", {"1" + value: value}, JSON)
    ask(host, "PUT", token, f"/container/stopped?x={value}", {"y": value}, JSON)
    ask(host, "PUT", token, f"/container/{value}{value}{value}/stopped", None, JSON)
    host.curl("GET", f"{URL}/containers?secret={value}", headers={"Authorization": f"Bearer {value}.{value}.{value}"})
    host.systemctl("restart", "geard")  # what is counted is written
    text = host.peer("GET", f"/audit?limit=1000&after={place}", headers=LINES).text
    mirrored = json.dumps(host.journal_entries(MESSAGE))
    assert len(text.splitlines()) >= 5
    for secret in (value, *token.split(".")[1:], token.split(".")[2][:20]):
        assert secret not in text and secret not in mirrored
    planted = uuid.uuid4().hex
    host.token("PUT", "container/stopped", r="web-1", u=planted)
    assert planted in host.peer("GET", f"/audit?limit=1000&after={place}", headers=LINES).text, "a user is told"


def test_on_a_full_disk_what_is_lost_is_counted(fresh_host):
    host = fresh_host
    host.sh("systemctl stop geard && mount -t tmpfs -o size=1M,mode=755 tmpfs /var/lib/geard && systemctl start geard")
    wait_until(lambda: host.peer("GET", "/healthz", headers=JSON).json["systemd"], 20, "geard is back")
    made(host)
    turn(host, "1", "stopped")
    host.sh("dd if=/dev/zero of=/var/lib/geard/filler bs=4k status=none", check=False)

    def lost():
        return int(re.search(r"^geard_audit_lost_total (\d+)", host.peer("GET", "/metrics").text, re.M).group(1))

    for n in range(200):
        host.peer("PUT", f"/container/no-{n}/started")
        if lost():
            break
    assert lost() > 0
    wait_until(lambda: "a record of the audit trail is lost" in host.journal("geard"), 10, "the journal says so")
    assert host.peer("GET", "/audit").status == 200
    assert host.peer("PUT", "/container/1/started").status == 507 and not runs(host)
    host.sh("rm /var/lib/geard/filler")
    assert host.peer("PUT", "/container/1/started").status == 200
    assert since(host, 0)[-1]["verb"] == "started"
