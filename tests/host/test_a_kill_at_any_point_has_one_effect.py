# SPDX-License-Identifier: Apache-2.0
"""geard is killed again and again while clients change gears, each of whom asks
with the same request id until it has an outcome.  Whatever the moment, every id
has had one effect: so many containers were created for it, what its outcome says
is so, who asks again is told the same, and in the end nothing is left.

$GEARD_KILLS says how often (200), $GEARD_SEED repeats the chances of a run."""

import contextlib
import http.client
import itertools
import json
import os
import random
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from lib.clean import leftovers
from lib.wait import wait_until

KILLS = int(os.environ.get("GEARD_KILLS", "200"))
SEED = int(os.environ.get("GEARD_SEED", "0")) or random.randrange(1 << 32)
GEARS = 4
CLIENTS = 100
PATIENCE = 300  # seconds within which every request has its outcome, however often geard dies
LONGEST_LIFE = 0.5

# Whose container: the engine's own word, written down as it comes.
WITNESS = ["systemd-run", "--quiet", "--unit=witness", "--property=StandardOutput=file:/var/tmp/created",
           "docker", "events", "--filter", "type=container", "--filter", "event=create",
           "--format", "{{.Actor.Attributes.name}} {{.Actor.ID}}"]

# Each new life of geard begins with a copy of what the last one left in its database.
DROP_IN = """\
[Unit]
StartLimitIntervalSec=0

[Service]
RestartSec=10ms
ExecStartPre=+/bin/sh -c 'd=$(mktemp -d /var/tmp/dying-XXXXXX) && cp /var/lib/geard/geard.db* "$d" && mv "$d" "$d.died"'
"""

# Between two lives there is no such process, and 0 would be everybody's.
KILLER = """
while read -r _; do
        pid=$(systemctl show -P MainPID geard.service)
        [ "$pid" -gt 0 ] && kill -KILL "$pid" && echo killed || echo missed
done
"""


# --- the clients ------------------------------------------------------------------------------------------


@dataclass
class Change:
    """What a client asks for under one id, and what must come of it."""

    method: str
    what: str
    status: int
    created: int = 0  # containers
    body: dict = None
    image: str = None
    id: str = ""
    answer: object = None
    cut: int = 0  # attempts that ended without an answer


@dataclass
class Told:
    status: int
    replayed: bool
    body: bytes


class Unanswered(Exception):
    """geard died, or says that it does not know yet."""


class Client:
    """Asks for the changes of one gear, one after the other, as stubbornly as it takes."""

    ids = itertools.count(1)

    def __init__(self, port, gear):
        self.port, self.gear = port, gear
        self.done = []

    def ask_once(self, change, timeout=30):
        claims = {"u": "0", "d": "1", "r": self.gear, "i": change.id}
        if change.image:
            claims["t"] = change.image
        what, _, query = change.what.partition("?")
        target = f"/token/__test__/{what}?{urlencode(claims)}{'&' if query else ''}{query}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        with contextlib.closing(connection):
            try:
                body = json.dumps(change.body) if change.body is not None else None
                connection.request(change.method, target, body, {"Accept": "application/json"})
                answer = connection.getresponse()
                told = Told(answer.status, answer.getheader("Geard-Replayed") == "yes", answer.read())
            except (OSError, http.client.HTTPException) as error:
                raise Unanswered from error
        if told.status in (202, 503):
            raise Unanswered
        return told

    def ask(self, change):
        """Until there is an outcome."""
        deadline = time.monotonic() + PATIENCE
        change.id = change.id or format(next(self.ids), "x")
        while True:
            try:
                change.answer = self.ask_once(change)
                break
            except Unanswered:
                change.cut += 1
                assert time.monotonic() < deadline, f"no outcome within {PATIENCE} s: {self.gear} {change}"
                time.sleep(0.02)
        self.done.append(change)
        assert change.answer.status == change.status, f"{self.gear}: {change}"

    def gets_the_same(self, change):
        """What the one who asks once more is told."""
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(Unanswered):
                again = self.ask_once(change)
                break
            assert time.monotonic() < deadline, f"no answer within {PATIENCE} s: {self.gear} {change}"
            time.sleep(0.02)
        assert again.replayed and (again.status, again.body) == (change.answer.status, change.answer.body), \
            f"{self.gear}: {change} but then {again}"

    def environment(self):
        change = Change("GET", "container/env", 200)
        deadline = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(Unanswered):
                return json.loads(self.ask_once(change).body)
            assert time.monotonic() < deadline
            time.sleep(0.02)


def put(state, created):
    return Change("PUT", f"container/{state}", 200, created)


def spec(**more):
    return {"volumes": [{"name": "data", "target": "/data"}], "ports": [{"internal": 8080}], "stop_timeout": "1s", **more}


def edits(client, number):
    """An edit that geard died of is not made again over the one that came after it."""
    first = Change("PUT", "container/env", 200, body={"A": f"first {number}"})
    first.id = format(next(client.ids), "x")
    try:
        first.answer = client.ask_once(first)
        assert first.answer.status == 200
        client.done.append(first)
        return
    except Unanswered:
        first.cut += 1
    second = Change("PUT", "container/env", 200, body={"A": f"second {number}"})
    client.ask(second)
    client.ask(first)
    stands = second if first.answer.replayed else first
    assert client.environment() == stands.body, f"{client.gear}: {first} {second}"


def life(client, number):
    """Changes from nothing to nothing; the containers each of them creates."""
    image = "test/busybox"
    env = {"A": str(number)}
    yield Change("PUT", "container", 201, 1, spec(env=env), image)
    yield Change("PUT", "container", 200, 0, spec(env=env), image)
    edits(client, number)
    yield put("restarted", 1)
    yield put("stopped", 0)
    yield put("started", 1)
    yield Change("PUT", "container", 201, 1, spec(env=env, labels={"life": str(number)}, replace=True), image)
    yield Change("PATCH", "container/env", 200, body={"B": "2"})
    yield Change("DELETE", "container?volumes=yes", 204)


# --- the host ---------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """The host, its witness, and how geard died on it."""

    host: object
    port: int
    killer: object
    counted: set = field(default_factory=set)
    between: int = 0  # deaths between an intent and its outcome

    def created(self, gear):
        lines = (self.host.root / "var/tmp/created").read_text().splitlines()
        return sum(line.split()[0] == f"gear-{gear}" for line in lines)

    def knows_all(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/healthz", headers={"Accept": "application/json"})
                told = json.loads(connection.getresponse().read())
                return told["systemd"] and told["engine"]
            except (OSError, http.client.HTTPException):
                return False

    def kill(self):
        self.killer.stdin.write(b"\n")
        self.killer.stdin.flush()
        return self.killer.stdout.readline() == b"killed\n"

    def count_intents(self):
        """Of the deaths that were not looked at yet."""
        for copy in (self.host.root / "var/tmp").glob("*.died"):
            if copy.name in self.counted:
                continue
            with contextlib.closing(sqlite3.connect(copy / "geard.db")) as database:
                self.between += database.execute("SELECT count(*) > 0 FROM intents").fetchone()[0]
            self.counted.add(copy.name)


@pytest.fixture
def stage(fresh_host):
    host = fresh_host
    drop_in = host.root / "etc/systemd/system/geard.service.d/50-kills.conf"
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(DROP_IN)
    host.systemctl("daemon-reload")
    host.run(*WITNESS)
    with host.start("bash", "-c", KILLER) as killer:
        stage = Stage(host, host.forward(2223), killer)
        yield stage


class Work:
    """A client that goes on until it is told to end with the life it is in."""

    def __init__(self, stage, gear, enough):
        self.stage, self.client, self.enough = stage, Client(stage.port, gear), enough
        self.created = 0

    def run(self):
        for number in itertools.count(1):
            for change in life(self.client, number):
                self.make(change)
            if self.enough.is_set():
                break

    def make(self, change):
        self.client.ask(change)
        self.created += change.created
        wait_until(lambda: self.stage.created(self.client.gear) >= self.created, 60,
                   f"{self.client.gear}: the containers created, after {change}")
        assert self.stage.created(self.client.gear) == self.created, f"{self.client.gear}: too many after {change}"
        self.client.gets_the_same(change)


def kill_often(stage, running, chances):
    """As often as wished, or until one of those who run has failed; how often."""
    kills = 0
    while kills < KILLS and not any(one.done() for one in running):
        if chances.random() < 0.9:  # else it dies while it gathers what there is
            wait_until(stage.knows_all, 120, "geard is back", every=0.02)
        time.sleep(chances.uniform(0, LONGEST_LIFE))
        kills += stage.kill()
        stage.count_intents()
    return kills


@pytest.mark.takes(100)
@pytest.mark.timeout(3000)
def test_killed_again_and_again(stage):
    chances = random.Random(SEED)
    enough = threading.Event()
    works = [Work(stage, f"k{n}", enough) for n in range(GEARS)]
    with ThreadPoolExecutor(GEARS) as clients:
        running = [clients.submit(work.run) for work in works]
        try:
            kills = kill_often(stage, running, chances)
        finally:
            enough.set()
    print(f"seed {SEED}, {kills} kills")
    for one in running:
        one.result()

    wait_until(stage.knows_all, 120, "geard is back")
    stage.count_intents()
    changes = [(work.client, change) for work in works for change in work.client.done]
    print(f"{stage.between} of them between an intent and its outcome; {len(changes)} requests, "
          f"{sum(change.cut > 0 for _, change in changes)} of them cut short")
    assert kills == KILLS and stage.between >= KILLS // 2
    for client, change in changes:
        client.gets_the_same(change)
    for work in works:
        assert stage.created(work.client.gear) == work.created
    assert leftovers(stage.host) == []
    assert stage.host.docker("volume", "ls", "-q") == ""
    stage.host.systemctl("stop", "geard.service")
    with contextlib.closing(sqlite3.connect(stage.host.root / "var/lib/geard/geard.db")) as database:
        assert database.execute("SELECT count(*) FROM intents").fetchone() == (0,)


def test_a_hundred_clients_with_one_id_are_one_create(host):
    """… while it is under way, and one answer for all of them."""
    port = host.forward(2223)
    began = host.sh("date +%s.%N")
    slow = spec(command=["sh", "-c", "sleep 10; echo now; exec hold"], ready={"log": "now"})
    changes = [Change("PUT", "container", 201, 1, slow, "test/busybox", "100c") for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(lambda change: Client(port, "joined").ask_once(change, timeout=80), changes))
    assert {(answer.status, answer.body) for answer in answers} == {(201, answers[0].body)}
    # One that comes when all is over is told so, but these came while it was under way.
    assert sum(answer.replayed for answer in answers) == 0
    created = host.docker("events", "--since", began, "--until", host.sh("date +%s.%N"), "--filter", "event=create",
                          "--filter", "type=container", "--format", "{{.Actor.Attributes.name}}")
    assert created == "gear-joined"
