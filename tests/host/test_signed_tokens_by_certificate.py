# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS: a token can be for one client alone, by its certificate or by a
name in it, and a certificate alone opens nothing."""

import hashlib
import json
import ssl
import subprocess
import time

import pytest
from jwcrypto import jwk, jws

from lib.gear import HOLD, JSON
from lib.host import SOCKET, CommandFailed
from lib.wait import wait_until

TLS = "/etc/geard/tls"
URL = "https://localhost:2224"
OPEN = "https://localhost:2225"  # with Auth=none
LISTEN = """
[Listen]
Address=127.0.0.1:2223
[Listen]
Address=%s
Auth=peer
[Listen]
Address=127.0.0.1:2224
Certificate=%s/server.pem
Key=%s/server.key
ClientCA=%s/ca.pem
[Listen]
Address=127.0.0.1:2225
Auth=none
Certificate=%s/server.pem
Key=%s/server.key
ClientCA=%s/ca.pem
""" % (SOCKET, *[TLS] * 6)

CLIENTS = {  # subject alternative names
    "alice": "DNS:alice.example,URI:spiffe://example/alice,email:alice@example.org",
    "bob": "DNS:bob.example,DNS:*.example,IP:192.0.2.1",
    "nul": "DER:30:17:82:15:61:6c:69:63:65:2e:65:78:61:6d:70:6c:65:00:2e:62:61:64:2e:64:65",  # alice.example\0.bad.de
    "plain": None,  # nothing but its common name, alice.example
}


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def make_certificates(where):
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    for name in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-keyout", f"{where}/{name}.key", "-out", f"{where}/{name}.pem", "-subj", f"/CN={name}")
    for name, names in {"server": "DNS:localhost,IP:127.0.0.1", **CLIENTS}.items():
        subject = "/CN=alice.example" if names is None else f"/CN={name}"
        openssl("req", *key, "-keyout", f"{where}/{name}.key", "-out", f"{where}/{name}.csr", "-subj", subject)
        extensions = where / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n" if names else "")
        openssl("x509", "-req", "-in", f"{where}/{name}.csr", "-CA", f"{where}/ca.pem", "-CAkey", f"{where}/ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{where}/{name}.pem", "-extfile", f"{extensions}")


class Side:
    """A host with TLS, and an issuer that it trusts."""

    def __init__(self, host):
        self.host = host
        self.files = host.root / TLS[1:]
        self.key = jwk.JWK.generate(kty="OKP", crv="Ed25519")

    def token(self, **claims):
        token = jws.JWS(json.dumps({"d": int(time.time()) + 600, "a": "ops.read", **claims}))
        token.add_signature(self.key, "EdDSA", json.dumps({"alg": "EdDSA"}))
        return token.serialize(compact=True)

    def fingerprint(self, client):
        der = ssl.PEM_cert_to_DER_cert((self.files / f"{client}.pem").read_text())
        return "sha256:" + hashlib.sha256(der).hexdigest()

    def ask(self, client, token=None, path="/metrics", *, url=URL, method="GET", body=None, headers=None):
        certificate = ["--cert", f"{TLS}/{client}.pem", "--key", f"{TLS}/{client}.key"] if client else []
        headers = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        return self.host.curl(method, url + path, body, headers, options=["--cacert", f"{TLS}/ca.pem", *certificate])

    def bearer(self, client, **claims):
        return self.ask(client, self.token(**claims)).status


@pytest.fixture(scope="module")
def _side(_host_of_the_file):
    host = _host_of_the_file
    side = Side(host)
    side.files.mkdir(parents=True)
    make_certificates(side.files)
    host.configure("90-tls", LISTEN)
    (host.root / "etc/geard/keys.d").mkdir(exist_ok=True)
    (host.root / "etc/geard/keys.d/issuer.jwk").write_text(side.key.export_public())
    host.systemctl("restart", "geard")
    wait_until(lambda: side.bearer("alice") == 200, 10, "TLS answers")
    return side


@pytest.fixture
def side(file_host, _side):
    """Watched as every other host is."""
    assert file_host is _side.host
    return _side


def test_a_token_is_for_one_certificate_by_its_fingerprint(side):
    assert side.bearer("alice", p=side.fingerprint("alice")) == 200
    assert side.bearer("alice", p=side.fingerprint("alice").upper().replace("SHA256", "sha256")) == 200
    assert side.bearer("bob", p=side.fingerprint("alice")) == 403


@pytest.mark.parametrize("peer", ["dns:alice.example", "dns:Alice.EXAMPLE", "uri:spiffe://example/alice",
                                  "email:alice@example.org"])
def test_a_token_is_for_one_name(side, peer):
    assert side.bearer("alice", p=peer) == 200
    for other in ("bob", "nul", "plain"):
        assert side.bearer(other, p=peer) == 403, other
    wait_until(lambda: "for another peer" in side.host.journal("geard", "cat", "-n", "3"), 10, "the journal says why")


@pytest.mark.parametrize("peer", ["dns:bob", "dns:alice.example.", "uri:SPIFFE://example/alice", "email:Alice@example.org",
                                  "dns:*.example", "uid:0", "10.0.0.0/8", "dns:"])
def test_no_other_name_does(side, peer):
    """Nor a star in the certificate, nor its common name, nor a uid that a TCP client has not."""
    for client in CLIENTS:
        assert side.bearer(client, p=peer) == 403, client


def test_where_it_comes_from_counts_as_it_does_without_tls(side):
    assert side.bearer("alice", p="127.0.0.1") == 200
    assert side.bearer("alice", p="127.0.0.0/8") == 200


def test_names_are_worth_nothing_without_the_certificate(side):
    token = side.token(p="dns:alice.example")
    plain = side.host.curl("GET", "http://127.0.0.1:2223/metrics", headers={"Authorization": f"Bearer {token}"})
    assert plain.status == 403
    unix = side.host.curl("GET", "http://localhost/metrics", headers={"Authorization": f"Bearer {token}"}, unix=SOCKET)
    assert unix.status == 403


def test_a_certificate_alone_opens_nothing(side):
    assert side.ask("alice").status == 401


@pytest.mark.parametrize("client", [None, "stranger"])
def test_who_has_none_of_the_ca_is_not_even_heard(side, client):
    with pytest.raises(CommandFailed, match="ended with (35|55|56)"):  # of TLS, while sending, while receiving
        side.ask(client, side.token())


def test_requests_are_told_apart_by_certificate(side):
    """Where everybody may, an id of one is not an id of another."""
    spec = {"image": "test/busybox", "command": HOLD}
    headers = {**JSON, "X-Request-Id": "77"}

    def create(client, gear):
        return side.ask(client, None, f"/container/{gear}", url=OPEN, method="PUT", body=spec, headers=headers)

    assert create("alice", "a").status == 201
    assert create("alice", "a").headers.get("geard-replayed") == "yes"
    assert create("bob", "b").status == 201, "alice's id 77 is not bob's"
    for gear in ("a", "b"):
        assert side.ask("alice", None, f"/container/{gear}", url=OPEN, method="DELETE").status == 204
