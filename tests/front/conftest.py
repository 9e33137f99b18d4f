# SPDX-License-Identifier: Apache-2.0
"""Starts the front-server under test: one with everyday limits for the session, others as cases need."""

import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest


def front_server():
    path = os.environ.get("FRONT_SERVER", "tests/front/front-server")
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is not there: run `make check-front`, or set FRONT_SERVER", 2)
    return path


class Server:
    """A front-server process, its TCP address, and what it has said so far."""

    def __init__(self, *options, bind="127.0.0.1", reach=None, extra=(), preexec=None):
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, bind != "::")
            listener.bind((bind, 0))
            listener.listen(1024)
            self.address = (reach or bind, listener.getsockname()[1])
            self.process = subprocess.Popen(
                [front_server(), *options, f"--fd={listener.fileno()}", *extra],
                pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True, preexec_fn=preexec,
                # Under ASan freed memory stays in quarantine, which the memory cases would count.
                env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=0:thread_local_quarantine_size_kb=0"})
        self.asked = False
        self.lines = []
        self.news = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.expect("ready")

    def _read(self):
        for line in self.process.stderr:
            with self.news:
                self.lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.lines.append("eof")
            self.news.notify_all()

    def expect(self, start, timeout=30.0):
        """The first line that starts so, waiting for it."""
        def find():
            return next((line for line in self.lines if line.startswith(start)), None)
        with self.news:
            self.news.wait_for(lambda: find() or "eof" in self.lines, timeout)
            if not find():
                raise AssertionError(f"no line {start!r} within {timeout} s; there were {self.lines}")
            return find()

    def never(self, start, during):
        time.sleep(during)
        with self.news:
            assert not any(line.startswith(start) for line in self.lines), self.lines

    def connect(self, timeout=10.0, receive_buffer=None):
        family = socket.AF_INET6 if ":" in self.address[0] else socket.AF_INET
        s = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        s.settimeout(timeout)
        s.connect(self.address)
        return s

    def rss_kib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def ask_to_stop(self):
        if not self.asked and self.process.poll() is None:
            self.asked = True
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """An orderly stop: it must end by itself, with status 0 (which under ASan also means: no leak)."""
        self.ask_to_stop()
        try:
            status = self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self.reader.join(5)
            self.process.stderr.close()
        assert status == 0, "\n".join(self.lines)


class Answer:
    """One response, read strictly: status line, headers, body by its own framing."""

    def __init__(self, stream, head_only=False):
        self.interim = []
        while True:
            line = stream.readline()
            assert line.startswith(b"HTTP/1.1 ") and line.endswith(b"\r\n"), f"no status line: {line!r}"
            self.status = int(line[9:12])
            self.headers = self._headers(stream)
            if self.status >= 200:
                break
            self.interim.append(self.status)
        self.body = b"" if head_only or self.status in (204, 304) else self._body(stream)

    @staticmethod
    def _headers(stream):
        headers = {}
        while (line := stream.readline()) != b"\r\n":
            assert line.endswith(b"\r\n"), f"cut head: {line!r}"
            name, value = line[:-2].split(b": ", 1)
            headers.setdefault(name.decode().lower(), []).append(value.decode())
        return headers

    def _body(self, stream):
        if "transfer-encoding" not in self.headers:
            if "content-length" not in self.headers:
                return stream.read()
            length = int(self.headers["content-length"][0])
            body = stream.read(length)
            assert len(body) == length, "cut body"
            return body
        chunks = []
        while size := int(stream.readline().strip() or b"broken", 16):
            chunks.append(stream.read(size))
            assert stream.readline() == b"\r\n"
        assert stream.readline() == b"\r\n"
        return b"".join(chunks)

    @property
    def closes(self):
        return self.headers.get("connection") == ["close"]


def request(line, *headers, body=b"", host="localhost"):
    lines = [line, *([f"Host: {host}"] if host else []), *headers]
    head = "".join(f"{one}\r\n" for one in lines).encode("latin-1") + b"\r\n"
    return head + body


def ask(server, raw, head_only=False):
    """Sends these bytes on a connection of their own and reads one answer."""
    with server.connect() as s:
        s.sendall(raw)
        return Answer(s.makefile("rb"), head_only)


def read_all(s):
    """Everything until the peer closes."""
    chunks = []
    while chunk := s.recv(1 << 16):
        chunks.append(chunk)
    return b"".join(chunks)


@pytest.fixture(scope="session")
def server():
    s = Server()
    yield s
    s.stop()


@pytest.fixture
def start():
    """start(*options) → a Server of its own, stopped at the end."""
    started = []

    def begin(*options, **more):
        started.append(Server(*options, **more))
        return started[-1]
    yield begin
    for s in started:
        s.stop()


@pytest.fixture
def scratch():
    with tempfile.TemporaryDirectory(prefix="front-") as path:
        yield pathlib.Path(path)
