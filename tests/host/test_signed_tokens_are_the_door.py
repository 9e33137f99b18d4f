# SPDX-License-Identifier: Apache-2.0
"""Who holds a signed token can do what it says, until it expires, and nothing
else.  The tokens are made by another program than ours: python3-jwcrypto."""

import json

import pytest
from jwcrypto import jwk

from lib.gear import HOLD, JSON, made, runs, traces
from lib.host import SOCKET, URL
from lib.tokens import KEYS, REFUSED, Holder, Issuer, ask, b64, digest, get, is_refused, own_key, put, seal, sign, soon
from lib.wait import wait_until

# --- what it grants ------------------------------------------------------------------------

def test_the_tour_with_a_signed_token(host, issuer):
    once = [issuer.token(r="1", t="test/busybox", i=n) for n in ("a1", "a2", "a3")]
    answer = put(host, once[0], "/container", {"command": HOLD})
    assert answer.status == 201, answer
    assert put(host, once[1], "/container/stopped").status == 200
    assert put(host, once[2], "/container/started").status == 200
    again = put(host, once[1], "/container/stopped")
    assert again.status == 200 and again.headers["geard-replayed"] == "yes", again.headers
    assert runs(host), "a replayed stop stops nothing"
    is_refused(host, ask(host, "DELETE", once[0], "/container"), "does not grant this right")
    assert ask(host, "DELETE", issuer.token(r="1", a=["gear.delete"]), "/container").status == 204


def test_the_header_does_as_well(host, issuer):
    made(host, command=HOLD)
    headers = {"Authorization": "Bearer " + issuer.token(r="1", a="gear.*")}
    assert host.curl("GET", f"{URL}/container/1/status", headers=headers).status == 200
    assert host.curl("GET", f"{URL}/container/1/status").status == 401
    both = f"{URL}/token/{issuer.token(r='1')}/container/1/status"
    is_refused(host, host.curl("GET", both, headers=headers))


def test_a_prefix_covers_its_gears_and_no_other(host, issuer):
    for gear in ("web-1", "web-2", "db-1"):
        made(host, gear, command=HOLD)
    token = issuer.token(r="web-*", a=["gear.read", "gear.state"])
    assert get(host, token, "/container/web-1/status").status == 200
    assert put(host, token, "/container/web-2/stopped").status == 200
    assert get(host, token, "/container/status?r=web-2").status == 200
    is_refused(host, get(host, token, "/container/status?r=db-1"))
    for path in ("/container/db-1/status", "/container/nobody/status"):
        is_refused(host, get(host, token, path))
    listed = get(host, token, "/containers", JSON).json["containers"]
    assert [gear["id"] for gear in listed] == ["web-1", "web-2"]
    everything = get(host, issuer.token(a="gear.read"), "/containers", JSON).json["containers"]
    assert {"db-1", "web-1", "web-2"} <= {gear["id"] for gear in everything}
    is_refused(host, get(host, issuer.token(), "/containers"), "nothing else it could grant")


@pytest.mark.parametrize("path,right", [
    ("/container/1/status", "gear.read"), ("/container/1/env", "gear.env"), ("/containers", "gear.read"),
    ("/container/1/log?timeout=1", "log.read"), ("/metrics", "ops.read")])
def test_each_call_needs_its_right(host, issuer, path, right):
    made(host, command=HOLD)
    others = [a for a in ("gear.read", "gear.create", "gear.state", "gear.env", "log.read", "ops.read") if a != right]
    is_refused(host, get(host, issuer.token(r="1", a=others), path), "does not grant this right")
    assert get(host, issuer.token(r="1", a=[right]), path).status == 200


def test_the_body_can_be_fixed(host, issuer):
    body = json.dumps({"command": HOLD}).encode()
    token = issuer.token(r="1", t="test/busybox", b=digest(body))
    is_refused(host, put(host, token, "/container", body + b" "), "another body")
    is_refused(host, put(host, token, "/container"), "another body")
    assert put(host, token, "/container", body).status == 201


def test_a_claim_wins(host, issuer):
    token = issuer.token(r="1", t="test/busybox", a=["gear.*"])
    assert put(host, token, "/container", {"image": "test/show"}).status == 403
    for query in ("r=2", "t=test/show", "u=bob"):
        is_refused(host, get(host, token, "/container/status?" + query), "another than the token")
    assert traces(host, "1") == []


def test_the_host_only_by_name(host, issuer):
    spec = {"cap_add": ["SYS_TIME"], "command": HOLD}
    answer = put(host, issuer.token(r="1", t="test/busybox", a=["gear.*"]), "/container", spec)
    assert answer.status == 403 and "gear.host" in answer.text, answer
    both = issuer.token(r="1", t="test/busybox", a=["gear.*", "gear.host"])
    assert put(host, both, "/container", spec).status == 201


@pytest.mark.parametrize("peer,status", [("127.0.0.1", 200), ("127.0.0.0/8", 200), ("10.1.2.3", 403), ("uid:0", 403)])
def test_for_one_peer_alone(host, issuer, peer, status):
    assert get(host, issuer.token(p=peer, a="ops.read"), "/metrics").status == status
    if peer == "uid:0":
        headers = {"Authorization": "Bearer " + issuer.token(p=peer, a="ops.read")}
        assert host.curl("GET", "http://localhost/metrics", headers=headers, unix=SOCKET).status == 200


# --- until when, and for whom -----------------------------------------------------------------

@pytest.mark.parametrize("claim,value,because", [
    ("d", -1_000_000_000, "expired"), ("d", -40, "expired"), ("d", 90_000, "ahead"), ("nbf", 100, "too early"),
    ("aud", "another", "another node")])
def test_out_of_time_or_place(host, issuer, claim, value, because):
    value = soon(value) if isinstance(value, int) else value
    is_refused(host, get(host, issuer.token(**{"a": "ops.read", claim: value}), "/metrics"), because)


def test_the_leeway_is_half_a_minute(host, issuer):
    assert get(host, issuer.token(a="ops.read", d=soon(-20)), "/metrics").status == 200


# --- keys ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("form,alg", [
    ({"kty": "OKP", "crv": "Ed25519"}, "EdDSA"), ({"kty": "EC", "crv": "P-256"}, "ES256"),
    ({"kty": "RSA", "size": 2048, "alg": "RS256"}, "RS256"), ({"kty": "RSA", "size": 3072, "alg": "PS256"}, "PS256"),
    ({"kty": "oct", "size": 256, "alg": "HS256"}, "HS256")])
def test_every_kind_of_key(host, form, alg):
    issuer = Issuer(host, **form)
    issuer.path.touch(0o600)
    issuer.path.write_text(issuer.key.export() if issuer.key.is_symmetric else issuer.key.export_public())
    claims = {"d": soon(), "u": "alice", "a": "ops.read"}
    wait_until(lambda: get(host, sign(issuer.key, claims, alg), "/metrics").status == 200, 20, "the key counts")
    issuer.remove()
    wait_until(lambda: get(host, sign(issuer.key, claims, alg), "/metrics").status == 403, 20, "it counts no more")


def test_a_key_taken_away_takes_its_tokens_along(host, issuer):
    token = issuer.token(a="ops.read")
    assert get(host, token, "/metrics").status == 200
    issuer.remove()
    wait_until(lambda: get(host, token, "/metrics").status == 403, 2, "the token is refused")


def test_a_bad_file_is_named_and_the_others_count(host, issuer):
    bad = {"letter.pem": "no key at all", "huge.pem": "x" * 70000, "odd.jwk": '{"kty":"OKP","crv":"Ed25519","x":"AA"}'}
    for name, text in bad.items():
        (host.root / KEYS / name).write_text(text)
    (host.root / KEYS / "directory.pem").mkdir()
    (host.root / KEYS / "writable.jwk").write_text(Issuer(host).key.export_public())
    (host.root / KEYS / "writable.jwk").chmod(0o666)
    (host.root / KEYS / "secret.jwk").write_text(Issuer(host).key.export_private())
    (host.root / KEYS / "secret.jwk").chmod(0o644)
    names = [*bad, "directory.pem", "writable.jwk", "secret.jwk"]
    try:
        wait_until(lambda: (said := host.journal("geard")) and all(f"{name} is passed over" in said for name in names), 20,
                   "all are named")
        assert issuer.is_believed()
    finally:
        host.sh(f"rm -rf /{KEYS}/letter.pem /{KEYS}/huge.pem /{KEYS}/odd.jwk /{KEYS}/directory.pem "
                f"/{KEYS}/writable.jwk /{KEYS}/secret.jwk")


def test_an_issuer_cannot_act_for_another(host):
    issuer = Issuer(host)
    limits = "Locators=a-*\nRights=gear.read\nUsers=alice\nMaxLife=1h\n"
    issuer.path.with_suffix(".conf").write_text("[Key]\n" + limits)
    issuer.path.write_text(issuer.key.export_public())
    made(host, "a-1", command=HOLD)
    good = {"r": "a-1", "a": "gear.read"}
    try:
        wait_until(lambda: get(host, issuer.token(**good), "/container/status").status == 200, 20, "the key counts")
        for wider in ({"r": "b-1"}, {"r": "*"}, {"a": "gear.*"}, {"u": "bob"}, {"d": soon(7200)}):
            is_refused(host, get(host, issuer.token(**{**good, **wider}), "/container/status"))
    finally:
        issuer.remove()


def test_a_token_can_be_encrypted_to_this_node(host, issuer):
    with own_key(host, jwk.JWK.generate(kty="EC", crv="P-256")) as own:
        assert get(host, seal(issuer.token(a="ops.read"), own), "/metrics").status == 200
        is_refused(host, get(host, seal(b"{}", own), "/metrics"))


# --- narrowed by who holds it ----------------------------------------------------------------------

def test_a_holder_narrows_it(host, issuer):
    for gear in ("web-1", "web-2"):
        made(host, gear, command=HOLD)
    first, second = Holder(), Holder()
    root = issuer.token(r="web-*", a=["gear.*"], cnf=first.cnf)
    reader = first.narrow(root, r="web-1", a=["gear.read"])
    assert get(host, reader, "/container/status").status == 200
    is_refused(host, get(host, reader, "/container/web-2/status"))
    is_refused(host, put(host, reader, "/container/stopped"), "does not grant this right")
    middle = first.narrow(root, a=["gear.read", "gear.state"], cnf=second.cnf)
    last = second.narrow(middle, r="web-2", d=soon(60))
    assert put(host, last, "/container/restarted").status == 200

    is_refused(host, get(host, root, "/container/web-1/status"), "a link is missing")
    is_refused(host, get(host, middle, "/container/web-1/status"), "a link is missing")
    is_refused(host, get(host, root + "~" + last.split("~")[2], "/container/web-2/status"), "link 2 of 2")
    is_refused(host, get(host, first.narrow(root, a=["log.read"]), "/container/web-1/log"), "link 2 of 2")
    is_refused(host, get(host, second.narrow(root, a=["gear.read"]), "/container/web-1/status"), "link 2 of 2")
    is_refused(host, get(host, first.narrow(issuer.token(r="web-1"), a=["gear.read"]), "/container/status"), "next signer")


def test_nobody_is_told_of_requests_that_his_token_does_not_cover(host, issuer):
    """Ids are the issuer's, and guessed easily: a token for less says nothing of the rest."""
    holder = Holder()
    root = issuer.token(r="web-*", a=["gear.*"], cnf=holder.cnf)
    mine, other = (holder.narrow(root, r=gear) for gear in ("web-1", "web-2"))
    for gear in ("web-1", "web-2"):
        made(host, gear, command=HOLD)
    stop = {**JSON, "X-Request-Id": "5eed"}
    assert ask(host, "PUT", mine, "/container/stopped", headers=stop).status == 200
    for _ in ("from memory", "from the database"):
        assert get(host, mine, "/requests/5eed", JSON).json["status"] == 200
        guessed, unknown = (get(host, other, f"/requests/{i}") for i in ("5eed", "ffff"))
        assert guessed.status == unknown.status == 404 and guessed.body == unknown.body, guessed
        assert ask(host, "PUT", mine, "/container/stopped", headers=stop).headers["geard-replayed"] == "yes"
        taken = ask(host, "PUT", other, "/container/stopped", headers=stop)
        assert taken.status == 409 and "web-1" not in taken.text and runs(host, "web-2"), taken
        host.systemctl("restart", "geard")
        wait_until(lambda: get(host, mine, "/container/status").status == 200, 10, "geard is back")


# --- forged ------------------------------------------------------------------------------------------

def test_nothing_forged_gets_in(host, issuer):
    good = issuer.token(a="ops.read")
    head, payload, signature = good.split(".")
    claims = {"d": soon(), "a": "ops.read"}
    public = issuer.key.export_public(as_dict=True)
    stranger = jwk.JWK.generate(kty="OKP", crv="Ed25519")
    secret = jwk.JWK(kty="oct", k=public["x"])
    forged = {
        "none": f"{b64({'alg': 'none'})}.{b64(claims)}.",
        "public key as secret": sign(secret, claims, "HS256", kid=issuer.id),
        "a stranger's": sign(stranger, claims, kid=issuer.id),
        "other claims": f"{head}.{b64(claims)}.{signature}",
        "cut": good[:-2], "more": good + "A", "a part more": good + ".A", "empty": "a..c", "padding": good + "==",
        "embedded": f"{b64({'alg': 'EdDSA', 'jwk': stranger.export_public(as_dict=True)})}.{payload}.{signature}",
        "crit": f"{b64({'alg': 'EdDSA', 'crit': ['exp']})}.{payload}.{signature}",
    }
    for why, token in forged.items():
        answer = get(host, token, "/metrics")
        assert answer.status == 403 and REFUSED in answer.text, (why, answer)
    assert get(host, good, "/metrics").status == 200


# --- nothing leaks -----------------------------------------------------------------------------------

@pytest.fixture
def talkative(host):
    host.configure("90-case", "[Daemon]\nLogLevel=debug\n")
    host.systemctl("reload", "geard")
    yield host
    (host.root / "etc/geard/geard.conf.d/90-case.conf").unlink()
    host.systemctl("reload", "geard")


def test_no_token_in_the_journal(talkative, issuer):
    host = talkative
    token, wrong = issuer.token(a="ops.read"), issuer.token(a="ops.read", d=1)
    host.sh("logger -t planted -- " + issuer.token(a="gear.read")[-40:])
    planted = wait_until(lambda: host.journal(None, "cat", "-t", "planted").split(), 10, "it is in the journal")[-1]
    assert get(host, token, "/metrics").status == 200
    assert get(host, wrong, "/metrics").status == 403
    everything = host.journal(None, "export", "-n", "2000")
    assert planted in everything, "what this looks for it would find"
    for secret in (token, wrong):
        assert secret not in everything and secret.split(".")[2] not in everything
