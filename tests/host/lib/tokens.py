# SPDX-License-Identifier: Apache-2.0
"""Tokens, and the keys that sign them, by another program than ours:
python3-jwcrypto."""

import base64
import contextlib
import hashlib
import json
import time
import uuid

from jwcrypto import jwe, jwk, jws

from lib.gear import JSON
from lib.host import URL
from lib.wait import wait_until

KEYS = "etc/geard/keys.d"
REFUSED = "these credentials do not allow this, or there is no such thing"


def sign(key, claims, alg="EdDSA", **header):
    token = jws.JWS(json.dumps(claims) if isinstance(claims, dict) else claims)
    token.add_signature(key, alg, json.dumps({"alg": alg, **header}))
    return token.serialize(compact=True)


def soon(seconds=600):
    return int(time.time()) + seconds


def digest(body):
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()


class Issuer:
    """A key that the host trusts, in a file of its own."""

    def __init__(self, host, **form):
        self.host, self.id = host, "k" + uuid.uuid4().hex[:10]
        self.key = jwk.JWK.generate(kid=self.id, **(form or {"kty": "OKP", "crv": "Ed25519"}))
        self.alg = form.get("alg", "ES256" if form.get("kty") == "EC" else "EdDSA")
        self.path = host.root / KEYS / f"{self.id}.jwk"

    def trust(self, limits=None):
        if limits:
            self.path.with_suffix(".conf").write_text("[Key]\n" + limits)
            self.path.with_suffix(".conf").chmod(0o644)
        self.path.write_text(self.key.export_public())
        self.path.chmod(0o644)
        wait_until(lambda: self.is_believed(), 30, "the key counts")
        return self

    def is_believed(self):
        return get(self.host, self.token(a="ops.read"), "/metrics").status == 200

    def remove(self):
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(".conf").unlink(missing_ok=True)

    def token(self, **claims):
        return sign(self.key, {"d": soon(), "u": "alice", **claims}, self.alg, kid=self.id)


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else json.dumps(data).encode()).rstrip(b"=").decode()


def seal(token, key, alg="ECDH-ES", **header):
    """Encrypted to whoever has the private half."""
    payload = token if isinstance(token, bytes) else token.encode()
    sealed = jwe.JWE(payload, json.dumps({"alg": alg, "enc": "A256GCM", **header}))
    sealed.add_recipient(jwk.JWK.from_json(key.export_public()))
    return sealed.serialize(compact=True)


@contextlib.contextmanager
def own_key(host, key):
    """Makes it the one that tokens may be encrypted to there."""
    (host.root / "etc/geard/own.jwk").write_text(key.export_private())
    host.sh("mkdir -p /run/systemd/system/geard.service.d; chmod 600 /etc/geard/own.jwk; "
            "printf '[Service]\\nLoadCredential=token-key:/etc/geard/own.jwk\\n' "
            "> /run/systemd/system/geard.service.d/own.conf; systemctl daemon-reload; systemctl restart geard")
    try:
        yield key
    finally:
        host.sh("rm -r /run/systemd/system/geard.service.d/own.conf /etc/geard/own.jwk; systemctl daemon-reload; "
                "systemctl restart geard")


def token_id(token):
    """As records call it: of what is signed, whatever the signatures."""
    signed = "~".join(link.rpartition(".")[0] for link in token.split("~"))
    return hashlib.sha256(signed.encode()).hexdigest()[:16]


P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551


def twin(token):
    """The same with the other ES256 signature that anybody can make of the last one."""
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    return f"{signed}.{b64(raw[:32] + (P256_ORDER - int.from_bytes(raw[32:], 'big')).to_bytes(32, 'big'))}"


class Holder:
    """Who may hand on a narrower token, without asking anybody."""

    def __init__(self):
        self.key = jwk.JWK.generate(kty="OKP", crv="Ed25519")

    @property
    def cnf(self):
        return {"jwk": self.key.export_public(as_dict=True)}

    def narrow(self, chain, **claims):
        claims["prev"] = digest(chain.encode())
        return chain + "~" + sign(self.key, claims, typ="gear-link")


def ask(host, method, token, path, body=None, headers=None):
    return host.curl(method, f"{URL}/token/{token}{path}", body, headers=headers or {})


def get(host, token, path, headers=None):
    return ask(host, "GET", token, path, headers=headers)


def put(host, token, path, body=None):
    return ask(host, "PUT", token, path, body, JSON)


def is_refused(host, answer, because=None):
    assert answer.status == 403 and REFUSED in answer.text, answer
    if because:
        wait_until(lambda: because in host.journal("geard", "cat", "-n", "3"), 10, f"the journal says {because!r}")
