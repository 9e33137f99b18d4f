# SPDX-License-Identifier: Apache-2.0
"""A client that leaves stops nothing: what it asked for is there, or undone, when it looks again."""

import json

import pytest

from lib.gear import JSON, container_of, delete, inspect, made, runs, status, traces, unit_is
from lib.host import SOCKET
from lib.wait import wait_until

# Accepts and never answers: a registry that hangs in the middle of a pull.
TARPIT = "import socket; s = socket.create_server(('127.0.0.1', 5998)); held = []\nwhile True: held.append(s.accept())"
SLOW = {"image": "test/busybox", "ready": {"log": "now"}, "stop_timeout": "1s",
        "command": ["sh", "-c", "sleep 2; echo now; exec hold"]}
STREAM = {"Accept": "text/plain;stream=true"}


def leave(host, method, path, body=None, headers=None, seconds="0.3"):
    """Asks, and is gone before there is an answer."""
    argv = ["curl", "-s", "-o", "/dev/null", "-X", method, "--max-time", seconds, "--unix-socket", SOCKET]
    for name, value in (headers or {}).items():
        argv += ["-H", f"{name}: {value}"]
    if body is not None:
        argv += ["-d", json.dumps(body)]
    assert host.run(*argv, f"http://localhost{path}", check=False).returncode == 28, "it was answered before it left"


def is_gone(host, gear="1"):
    return host.peer("GET", f"/container/{gear}/status").status == 404 and traces(host, gear) == []


@pytest.mark.parametrize("headers", [None, STREAM], ids=["waiting", "watching"])
def test_a_create_that_succeeds_is_there(host, headers):
    leave(host, "PUT", "/container/1", SLOW, headers)
    wait_until(lambda: status(host)["state"] in ("creating", "starting", "running"), 10, "it is under way")
    wait_until(lambda: runs(host), 20, "it runs")
    again = host.peer("PUT", "/container/1", SLOW, JSON)
    assert again.status == 200, again


@pytest.mark.parametrize("headers", [None, STREAM], ids=["waiting", "watching"])
def test_a_create_that_fails_is_undone(host, headers):
    spec = {**SLOW, "command": ["sh", "-c", "sleep 1; exit 3"], "env": {"A": "b"}, "ports": [{"internal": 80, "external": 4400}],
            "volumes": [{"name": "data", "target": "/data"}]}
    leave(host, "PUT", "/container/1", spec, headers)
    wait_until(lambda: host.peer("GET", "/container/1/status").status == 200, 10, "it is under way")
    wait_until(lambda: is_gone(host), 20, "nothing of it is left")
    assert host.docker("volume", "ls", "-q") == "" and host.docker("ps", "-aq") == ""
    made(host, "2", ports=[{"internal": 80, "external": 4400}])


def test_it_asks_how_its_request_went(host):
    leave(host, "PUT", "/container/1", SLOW, {"X-Request-Id": "5eaf"})
    wait_until(lambda: host.peer("GET", "/requests/5eaf", headers=JSON).json.get("state") == "running", 10, "it is under way")
    told = wait_until(lambda: (told := host.peer("GET", "/requests/5eaf", headers=JSON).json)["state"] == "done" and told, 20,
                      "it is told")
    assert told["status"] == 201 and runs(host), told
    again = host.peer("PUT", "/container/1", SLOW, {**JSON, "X-Request-Id": "5eaf"})
    assert again.status == 201 and again.headers["geard-replayed"] == "yes", again


def test_a_pull_goes_on_and_can_be_ended(host):
    host.run("systemd-run", "--quiet", "--unit=tarpit", "python3", "-c", TARPIT)
    try:
        wait_until(lambda: ":5998" in host.sh("ss -ltn"), 5, "the registry listens")
        leave(host, "PUT", "/container/1", {"image": "localhost:5998/x"})
        wait_until(lambda: status(host)["state"] == "creating", 5, "it is still being pulled")
        delete(host, "1")
        assert is_gone(host)
    finally:
        host.systemctl("stop", "tarpit")


def test_a_replacement_comes_to_its_end(host):
    made(host, labels={"v": "1"})
    leave(host, "PUT", "/container/1", {**SLOW, "labels": {"v": "2"}, "replace": True})
    wait_until(lambda: inspect(host)["Config"]["Labels"]["v"] == "2" and runs(host), 20, "the new one runs")
    assert status(host)["labels"] == {"v": "2"}
    leave(host, "PUT", "/container/1", {**SLOW, "command": ["sh", "-c", "sleep 1; exit 3"], "replace": True})
    wait_until(lambda: runs(host) and status(host)["labels"] == {"v": "2"} and
               host.sh("ls -A /var/lib/gears/previous") == "", 20, "one that fails gives way to it again")


@pytest.mark.parametrize("method, path, is_done", [
    ("PUT", "/container/1/stopped", lambda host: unit_is(host, "1", "inactive") and status(host)["state"] == "stopped"),
    ("DELETE", "/container/1", is_gone)], ids=["stop", "delete"])
def test_an_end_comes_to_its_end(host, method, path, is_done):
    made(host, image="test/stubborn", stop_timeout="8s")
    leave(host, method, path)
    assert container_of(host), "it was still stopping"
    wait_until(lambda: is_done(host), 40, "it is done")
    assert host.docker("ps", "-aq") == ""
