# SPDX-License-Identifier: Apache-2.0
"""A throwaway host as test cases see it.  Everything in it is done by the real
programs: sh, curl, docker, systemctl, journalctl."""

import itertools
import json
import os
import pathlib
import shlex
import socket
import subprocess
from dataclasses import dataclass
from urllib.parse import urlencode

from lib import sanitizers, secrets

TESTS = pathlib.Path(__file__).resolve().parents[2]
TESTHOST = TESTS / "lib" / "testhost"
BUILD = pathlib.Path(os.environ.get("GEARD_BUILD", TESTS.parent / "build")).resolve()
URL = "http://127.0.0.1:2223"
SOCKET = "/run/geard/geard.sock"

TEST_CONFIG = """\
[Daemon]
TestToken=yes
"""


class CommandFailed(AssertionError):
    """A command ended with a status other than 0."""


@dataclass
class Answer:
    """What curl got."""

    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:2000]!r}"


def call(argv, *, check=True, stdin=None, timeout=120):
    """Runs argv; the CompletedProcess, its output as bytes."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(
        [str(word) for word in argv], input=stdin if stdin is not None else b"",
        capture_output=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise CommandFailed(
            f"{shlex.join(map(str, argv))} ended with {done.returncode}\n"
            f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}".rstrip())
    return done


def parse_answer(raw):
    """The final answer in what `curl -i` printed, interim ones (1xx) left out."""
    while True:
        head, _, rest = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split()[1])
        if status >= 200:
            break
        raw = rest
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Answer(status, headers, rest)


class Host:
    """One host; made by the fixtures `host` and `fresh_host`."""

    def __init__(self, name):
        self.name = name
        self._ids = itertools.count(1)

    def _testhost(self, verb, *args, **how):
        return call([TESTHOST, verb, self.name, *args], timeout=300, **how)

    # --- its life ---

    def up(self, *options):
        self._testhost("up", *options)
        if sanitizers.SANITIZED:
            sanitizers.prepare(self)

    def down(self):
        self._testhost("down")

    def exists(self):
        return self._testhost("ip", check=False).returncode == 0

    def halt(self):
        self._testhost("halt")

    def reboot(self):
        self._testhost("reboot")

    def crash(self):
        self._testhost("crash")

    def forward(self, port):
        """Makes the host's 127.0.0.1:port reachable from out here; the port here."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            here = free.getsockname()[1]
        self._testhost("forward", f"{here}:{port}")
        return here

    def keep_logs(self, directory):
        self._testhost("logs", directory, check=False)

    @property
    def address(self):
        return self._testhost("ip").stdout.decode().strip()

    @property
    def pid(self):
        """Its PID 1, out here."""
        return int(self._testhost("pid").stdout)

    @property
    def root(self):
        """Where its root directory is, out here."""
        return pathlib.Path(self._testhost("root").stdout.decode().strip())

    # --- programs in it ---

    def run(self, *argv, check=True, stdin=None, timeout=120):
        """Runs a program in the host; the CompletedProcess, output as bytes."""
        if sanitizers.SANITIZED:
            argv = sanitizers.words(argv)
        return call([TESTHOST, "sh", self.name, *argv], check=check, stdin=stdin, timeout=timeout)

    def start(self, *argv):
        """Starts a program in the host; a Popen with pipes, to be used in a `with`."""
        return subprocess.Popen([str(TESTHOST), "sh", self.name, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def sh(self, command, check=True, stdin=None, timeout=120):
        """Runs a shell line in the host; its stdout as text without the last newline."""
        done = self.run("bash", "-c", command, check=check, stdin=stdin, timeout=timeout)
        return done.stdout.decode(errors="replace").rstrip("\n")

    def docker(self, *args, check=True, timeout=120):
        return self.run("docker", *args, check=check, timeout=timeout).stdout.decode(errors="replace").rstrip("\n")

    def systemctl(self, *args, check=True):
        return self.run("systemctl", *args, check=check).stdout.decode().rstrip("\n")

    def show(self, unit):
        """The properties of a unit as a dict of strings."""
        lines = self.run("systemctl", "show", unit).stdout.decode(errors="replace").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    def journal(self, unit=None, output="cat", *more):
        """The journal's text, of one unit or of all."""
        which = ["-u", unit] if unit else []
        done = self.run("journalctl", "--no-pager", "--quiet", "-o", output, *which, *more)
        return done.stdout.decode(errors="replace")

    def journal_entries(self, *matches):
        """Journal entries as dicts of fields; matches as for journalctl."""
        lines = self.run("journalctl", "--no-pager", "--quiet", "-o", "json", *matches).stdout.splitlines()
        return [json.loads(line) for line in lines]

    # --- geard ---

    def cursor(self):
        """The place that geard's journal has come to."""
        newest = self.journal("geard", "json", "-n", "1", "--output-fields=MESSAGE")
        return newest.partition('"__CURSOR":"')[2].partition('"')[0]

    def said_since(self, cursor):
        """What geard's journal has behind that place."""
        return self.journal("geard", "cat", f"--after-cursor={cursor}")

    def curl(self, method, target, body=None, headers=None, *, unix=None, timeout=90, options=()):
        """One request with the host's curl; target is a path, or a whole URL.

        body: bytes or text as they are, anything else as JSON.  unix: a socket's
        path instead of TCP, e.g. SOCKET, where root may do everything.
        """
        secrets.notice(target, headers)
        argv = ["curl", "--silent", "--show-error", "--include", "--max-time", str(timeout)]
        argv += ["--head"] if method == "HEAD" else ["--request", method]
        for name, value in (headers or {}).items():
            argv += ["--header", f"{name}: {value}"]
        if body is not None:
            if not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            argv += ["--data-binary", "@-"]
        if unix:
            argv += ["--unix-socket", unix]
        url = target if "://" in target else URL + target
        done = self.run(*argv, *options, url, stdin=body, timeout=timeout + 30)
        return parse_answer(done.stdout)

    def token(self, method, what, body=None, headers=None, *, timeout=90, **claims):
        """A call under /token/__test__/, e.g. token("PUT", "container", r="1", t="test/busybox").

        Claims not given: u=0, d=1, and an i that this host has not seen.
        """
        claims = {"u": "0", "d": "1", "i": format(next(self._ids) + (os.getpid() << 32), "x"), **claims}
        query = urlencode({name: value for name, value in claims.items() if value is not None})
        return self.curl(method, f"/token/__test__/{what}?{query}", body, headers, timeout=timeout)

    def peer(self, method, target, body=None, headers=None, *, timeout=90):
        """A call over the unix socket, as root."""
        return self.curl(method, f"http://localhost{target}", body, headers, unix=SOCKET, timeout=timeout)

    def configure(self, name, text):
        """Writes /etc/geard/geard.conf.d/NAME.conf; geard is not told."""
        directory = self.root / "etc/geard/geard.conf.d"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{name}.conf").write_text(text)

    def install(self):
        """Puts the build of this checkout in and starts it anew, as a package would."""
        call(["make", "--silent", "-C", BUILD, "install", f"DESTDIR={self.root}"], timeout=300)
        self.configure("50-tests", TEST_CONFIG)
        if sanitizers.SANITIZED:
            sanitizers.open_sandbox(self)
        self.sh("systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload && "
                "systemctl enable --quiet geard.socket geard.service && "
                # one after the other: a socket does not open while its service runs
                "systemctl stop geard.service && systemctl restart geard.socket && systemctl start geard.service")
