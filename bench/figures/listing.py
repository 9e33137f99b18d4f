# SPDX-License-Identifier: Apache-2.0
"""GET /containers and a status against the Engine's list of the same 100, and evhttp

Requests per second of one client on 16 kept connections, full answers: geard
and the Engine over their unix sockets, then the status and a bare evhttp of the
same size over TCP.  Then how soon the list knows of a `docker kill`.
"""

import json

from figures import report
from lib.host import SOCKET

GEARS = 100
ENGINE = "/run/docker.sock"
HELLO_PORT = 7790
TCP_STATUS = "/token/__test__/container/status?u=0&d=1&r=run-000"
JSON = ("-H", "Accept: application/json")
OPTIONS = ("-c", "16", "-d", "2")


def same_containers(yard):
    """Both sides must speak of the same running containers; the sizes of their answers."""
    ours = yard.peer("GET", "/containers", headers={"Accept": "application/json"})
    theirs = yard.curl("GET", "http://localhost/containers/json", unix=ENGINE)
    running = {gear["container"] for gear in ours.json["containers"] if gear["state"] == "running"}
    assert len(running) == GEARS and running == {c["Id"][:12] for c in theirs.json}, "the two lists differ"
    return len(ours.body), len(theirs.body)


def compare(yard, runs, sides):
    """Loads the sides in turn; sides: {name: (where, target, option...)}. {name: median rate}"""
    rates = {name: [] for name in sides}
    for _ in range(runs):
        for name, (where, target, *options) in sides.items():
            rates[name].append(yard.load(where, target, *OPTIONS, *options)["rate"])
    return {name: report.side(name, values, "req/s") for name, values in rates.items()}


def measure(yard, args):
    runs = args.runs or 7
    yard.inside("start", GEARS)
    list_size, engine_size = same_containers(yard)
    status = yard.token("GET", "container/status", headers={"Accept": "application/json"}, r="run-000")
    size = len(status.body)
    assert json.loads(status.body)["state"] == "running"
    yard.start_hello(HELLO_PORT, size)

    report.title(f"lists of the same {GEARS} running containers, {runs} runs "
                 f"(bodies: geard {list_size}, Engine {engine_size} bytes)")
    rate = compare(yard, runs, {
        "geard GET /containers": (SOCKET, "/containers", *JSON),
        "geard GET .../status": (SOCKET, "/container/run-000/status", *JSON),
        "Engine GET /containers/json": (ENGINE, "/containers/json"),
    })
    engine = rate["Engine GET /containers/json"]
    report.ratio("list / Engine", rate["geard GET /containers"], engine, ">= 1.5")
    report.ratio("status / Engine", rate["geard GET .../status"], engine, ">= 1.5")

    report.title(f"status over TCP against a bare evhttp reply of {size} bytes, {runs} runs")
    rate = compare(yard, runs, {
        "geard GET .../status": ("127.0.0.1:2223", TCP_STATUS, *JSON),
        "evhttp": (f"127.0.0.1:{HELLO_PORT}", "/"),
    })
    report.ratio("status / evhttp", rate["geard GET .../status"], rate["evhttp"], ">= 0.8")

    report.title(f"a docker kill until the served list knows, {runs} runs")
    report.side("seen in GET /containers after", yard.inside("kill", runs)["seen"], "ms")
    report.note("goal <= 1000 ms, every one")
