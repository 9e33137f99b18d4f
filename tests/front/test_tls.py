# SPDX-License-Identifier: Apache-2.0
"""TLS with certificates made on the spot by the openssl program."""

import hashlib
import json
import ssl
import subprocess
import time
import warnings
import zlib

import pytest

from conftest import Answer, Server, request


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """ca, server and client by that ca, and a client that signed itself."""
    d = tmp_path_factory.mktemp("tls")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    for name in ("ca", "stranger"):
        openssl("req", "-x509", *key, "-keyout", f"{d}/{name}.key", "-out", f"{d}/{name}.pem", "-subj", f"/CN={name}")
    for name in ("server", "client"):
        openssl("req", *key, "-keyout", f"{d}/{name}.key", "-out", f"{d}/{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{d}/{name}.csr", "-CA", f"{d}/ca.pem", "-CAkey", f"{d}/ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{d}/{name}.pem")
    return d


@pytest.fixture(scope="module")
def plain(certificates):
    s = Server(f"--tls={certificates}/server.pem,{certificates}/server.key", "--head-ms=1000")
    yield s
    s.stop()


@pytest.fixture(scope="module")
def mutual(certificates):
    s = Server(f"--tls={certificates}/server.pem,{certificates}/server.key,{certificates}/ca.pem")
    yield s
    s.stop()


def wrap(server, certificates, client=None, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(f"{certificates}/ca.pem")
    if client:
        context.load_cert_chain(f"{certificates}/{client}.pem", f"{certificates}/{client}.key")
    if version:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version = context.maximum_version = version
        if version < ssl.TLSVersion.TLSv1_2:
            context.set_ciphers("ALL:@SECLEVEL=0")
    return context.wrap_socket(server.connect())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_answers(plain, certificates, version):
    with wrap(plain, certificates, version=version) as s:
        stream = s.makefile("rb")
        for _ in range(2):
            s.sendall(request("GET /x HTTP/1.1"))
            assert json.loads(Answer(stream).body)["peer"]["tls"] is True
        s.sendall(request("GET /huge?mib=8 HTTP/1.1"))
        assert len(Answer(stream).body) == 8 << 20
        s.sendall(request("GET /x HTTP/1.1", "Connection: close"))
        assert Answer(stream).closes
        # A truncation would raise here: the end must be a close_notify.
        assert stream.read() == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(plain, certificates, version):
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        wrap(plain, certificates, version=version)


def test_refusal_reaches_the_client(plain, certificates):
    with wrap(plain, certificates) as s:
        s.sendall(request("PUT /x HTTP/1.1", f"Content-Length: {(1 << 20) + 1}", body=b"x" * 100_000))
        assert Answer(s.makefile("rb")).status == 413


def test_client_certificate_is_known(mutual, certificates):
    with wrap(mutual, certificates, client="client") as s:
        s.sendall(request("GET /x HTTP/1.1"))
        seen = json.loads(Answer(s.makefile("rb")).body)["peer"]["certificate"]
    der = ssl.PEM_cert_to_DER_cert((certificates / "client.pem").read_text())
    assert seen == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize("client", [None, "stranger"])
def test_other_clients_are_refused(mutual, certificates, client):
    with pytest.raises((ssl.SSLError, ConnectionResetError, BrokenPipeError, AssertionError)):
        with wrap(mutual, certificates, client=client) as s:
            s.sendall(request("GET /let-me-in HTTP/1.1"))
            Answer(s.makefile("rb"))
    assert not any("/let-me-in" in line for line in mutual.lines)


def test_departure_is_noticed(certificates):
    server = Server(f"--tls={certificates}/server.pem,{certificates}/server.key")
    s = wrap(server, certificates)
    s.sendall(request("GET /silent HTTP/1.1"))
    server.expect("begun /silent")
    s.close()
    server.expect("gone /silent")
    server.stop()


def test_no_handshake(plain):
    with plain.connect() as s:
        began = time.monotonic()
        assert s.recv(10) == b""
        assert time.monotonic() - began < 8


def test_plain_http_on_the_port(plain):
    with plain.connect() as s:
        s.sendall(request("GET /x HTTP/1.1"))
        with pytest.raises((AssertionError, ConnectionResetError)):
            Answer(s.makefile("rb"))


@pytest.mark.parametrize("tls, said", [
    ("/nowhere.pem,/nowhere.key", "certificate"), ("{d}/server.pem,{d}/client.key", "key"),
    ("{d}/server.pem,{d}/server.key,{d}/server.key", "client CA")])
def test_bad_files_are_faults(certificates, tls, said):
    with pytest.raises(AssertionError, match=f"cannot use {said}"):
        Server("--tls=" + tls.format(d=certificates))


# --- bodies that are larger than what is read at once ------------------------------------------------


@pytest.mark.parametrize("target", ["/upload", "/upload?pause=1"])
@pytest.mark.parametrize("n", [100_000, 1_000_000])
def test_uploads(plain, certificates, target, n):
    body = bytes(range(256)) * (n // 256)
    with wrap(plain, certificates) as s:
        s.sendall(request(f"POST {target} HTTP/1.1", f"Content-Length: {len(body)}", body=body))
        answer = Answer(s.makefile("rb"))
    assert answer.body == f"{len(body)} {zlib.adler32(body):08x}\n".encode()


def test_bodies_behind_small_heads(start, certificates):
    """More is in a TLS record than may be read at once."""
    server = start(f"--tls={certificates}/server.pem,{certificates}/server.key", "--head-max=4096")
    for n in (5000, 16000, 200_000):
        with wrap(server, certificates) as s:
            s.sendall(request("PUT /x HTTP/1.1", f"Content-Length: {n}", body=b"a" * n))
            assert json.loads(Answer(s.makefile("rb")).body)["body_len"] == n


def test_who_sends_ahead_waits(plain, certificates):
    """Requests that nobody has asked for yet are read by and by."""
    with wrap(plain, certificates) as s:
        stream = s.makefile("rb")
        s.sendall(request("GET /later?ms=300 HTTP/1.1") + request("GET /hello HTTP/1.1") * 900)
        assert Answer(stream).body == b"late\n"
        for _ in range(900):
            Answer(stream)
