# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with a token, who brings it is told the same; and what is
said twice in other words is still said once."""

import base64
import json

import pytest
from jwcrypto import jwk

from lib.gear import HOLD, JSON, container_of
from lib.tokens import Holder, Issuer, b64, digest, get, own_key, put, seal, sign, soon, twin
from lib.wait import wait_until


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def told(answer):
    """All that a client sees, but for when."""
    passing = ("date", "geard-request-id", "x-request-id")
    return answer.status, answer.body, tuple(sorted(item for item in answer.headers.items() if item[0] not in passing))


def wrong_tokens(issuer):
    good = issuer.token(a="ops.read")
    head, payload, signature = good.split(".")
    stranger, holder = jwk.JWK.generate(kty="OKP", crv="Ed25519"), Holder()
    claims = {"d": soon(), "a": "ops.read"}
    return {
        "no token": "x", "three parts": "a.b.c", "too long": "longer-than-any-" * 250, "links": "~~~~~~~~",
        "JSON": "%7B%22payload%22%3A1%7D",
        "expired": issuer.token(a="ops.read", d=1), "too early": issuer.token(a="ops.read", nbf=soon(500)),
        "too far": issuer.token(a="ops.read", d=soon(10 ** 6)), "another node": issuer.token(a="ops.read", aud="x"),
        "another peer": issuer.token(a="ops.read", p="192.0.2.1"), "another right": issuer.token(a="log.read"),
        "another body": issuer.token(a="ops.read", b=digest(b"x")), "bad claim": issuer.token(a="gear.fly"),
        "names twice": sign(issuer.key, '{"d":%d,"a":"ops.read","a":"ops.read"}' % soon(), kid=issuer.id),
        "no claims": sign(issuer.key, "[]", kid=issuer.id), "nothing granted": issuer.token(),
        "unknown kid": sign(issuer.key, claims, kid="nobody"), "a stranger's": sign(stranger, claims, kid=issuer.id),
        "other signature": f"{head}.{payload}.{b64(bytes(64))}", "short signature": f"{head}.{payload}.{signature[:-4]}",
        "none": f"{b64({'alg': 'none'})}.{b64(claims)}.",
        "crit": f"{b64({'alg': 'EdDSA', 'crit': ['exp']})}.{payload}.{signature}",
        "a link is missing": issuer.token(a="ops.read", cnf=holder.cnf),
        "wider": holder.narrow(issuer.token(a="log.read", cnf=holder.cnf), a="ops.read"),
        "not narrowed by its holder": Holder().narrow(issuer.token(a="ops.read", cnf=holder.cnf)),
        "encrypted to nobody": seal(good, jwk.JWK.generate(kty="EC", crv="P-256")),
    }


@pytest.mark.parametrize("headers", [{}, JSON], ids=["text", "json"])
def test_a_refusal_does_not_tell_why(host, issuer, headers):
    answers = {why: told(get(host, token, "/metrics", headers)) for why, token in wrong_tokens(issuer).items()}
    expected = answers["expired"]
    assert expected[0] == 403
    assert {why: answer for why, answer in answers.items() if answer != expected} == {}
    bearer = {why: told(host.curl("GET", "/metrics", headers={**headers, "Authorization": f"Bearer {token}"}))
              for why, token in wrong_tokens(issuer).items() if why != "JSON"}
    assert {why: answer for why, answer in bearer.items() if answer != expected} == {}


def test_it_does_not_tell_what_there_is(host, issuer):
    token = issuer.token(r="mine", a=["gear.*"])
    host.peer("PUT", "/container/yours", {"image": "test/busybox", "started": False})
    theirs = [told(get(host, token, f"/container/{gear}/status")) for gear in ("yours", "nobodys")]
    assert theirs[0] == theirs[1] and theirs[0][0] == 403


def flip(part):
    """The same length, one bit else."""
    raw = bytearray(unb64(part))
    raw[0] ^= 1
    return b64(bytes(raw))


@pytest.mark.parametrize("form,alg", [
    ({"kty": "RSA", "size": 2048}, "RSA-OAEP-256"), ({"kty": "EC", "crv": "P-256"}, "ECDH-ES"),
    ({"kty": "OKP", "crv": "X25519"}, "ECDH-ES")])
def test_what_cannot_be_decrypted_is_one_case(host, issuer, form, alg):
    """To the client, and to who reads the journal over his shoulder."""
    with own_key(host, jwk.JWK.generate(**form)) as own:
        good = seal(issuer.token(a="ops.read"), own, alg)
        assert get(host, good, "/metrics").status == 200
        parts = good.split(".")
        wrong = {part: ".".join(parts[:i] + [flip(parts[i])] + parts[i + 1:])
                 for i, part in enumerate(["header", "key", "iv", "ciphertext", "tag"]) if parts[i] and part != "header"}
        head = json.loads(unb64(parts[0]))
        for change in ({"enc": "A128GCM"}, {"zip": "DEF"}, {"crit": ["exp"]}, {"alg": "dir"}, {"kid": "other"}, {"typ": "JWT"}):
            wrong[str(change)] = ".".join([b64({**head, **change})] + parts[1:])
        wrong["another's"] = seal(issuer.token(a="ops.read"), jwk.JWK.generate(**form), alg)
        wrong["short tag"] = good[:-5]
        answers = {}
        for why, token in wrong.items():
            cursor = host.cursor()
            answers[why] = told(get(host, token, "/metrics"))
            wait_until(lambda cursor=cursor: "cannot be decrypted" in host.said_since(cursor), 10, f"the journal says so of {why}")
        assert {why for why, answer in answers.items() if answer != answers["tag"]} == set() and answers["tag"][0] == 403


def test_a_signature_in_other_words_is_the_same_request(host):
    """Of ES256 there are two for one statement; the second makes no second change."""
    issuer = Issuer(host, kty="EC", crv="P-256").trust()
    try:
        token = issuer.token(r="1", t="test/busybox", i="e2")
        head, payload, signature = token.split(".")
        raw = unb64(signature)
        other = twin(token)
        assert other != token
        assert put(host, token, "/container", {"command": HOLD}).status == 201
        container = container_of(host)
        again = put(host, other, "/container", {"command": HOLD})
        assert (again.status, again.headers.get("geard-replayed")) == (201, "yes")
        assert container_of(host) == container
        swapped = f"{head}.{payload}.{b64(raw[32:] + raw[:32])}"
        assert put(host, swapped, "/container", {"command": HOLD}).status == 403
    finally:
        issuer.remove()
