# SPDX-License-Identifier: Apache-2.0
"""What geard says of itself: /healthz, /metrics, /openapi.json."""

import json
import re
import shlex

import pytest

from lib.gear import JSON, container_of, made, turn
from lib.host import SOCKET
from lib.wait import wait_until

SAMPLE = re.compile(r'([a-z_:][a-z0-9_:]*)((?:\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})?) ([0-9.eE+-]+)')
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "info": ("_info",), "summary": ("_count", "_sum")}


def metrics(host):
    """The samples, each held against the type that was declared for its family."""
    answer = host.peer("GET", "/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("application/openmetrics-text"), answer
    lines = answer.text.split("\n")
    assert lines[-2:] == ["# EOF", ""]
    types, samples = {}, {}
    for line in lines[:-2]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in types
            types[family] = kind
        elif not line.startswith("# HELP "):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            assert any(name == family + suffix for family, kind in types.items() for suffix in SUFFIXES[kind]), line
            assert name + labels not in samples
            samples[name + labels] = float(value)
    return samples


def test_health_needs_no_credentials(host):
    answer = host.curl("GET", "/healthz", headers=JSON)
    assert answer.status == 200 and answer.json["systemd"] and answer.json["engine"], answer


def test_the_address_itself_says_what_answers_there(host):
    answer = host.curl("GET", "/")
    assert answer.status == 200 and answer.text.startswith("geard ") and answer.text.count("\n") <= 1, answer
    assert host.curl("GET", "/", headers=JSON).json["calls"] == "/openapi.json"


# Two requests that have begun when geard is told to stop, and whose heads are finished
# when it drains.  New connections wait for the next geard, idle ones are closed.
ASK_LATE = r"""
import socket, subprocess, sys, time
heads = ["GET /healthz HTTP/1.1\r\nHost: localhost\r\n", "DELETE /container/1 HTTP/1.1\r\nHost: localhost\r\n"]
asked = [socket.socket(socket.AF_UNIX) for _ in heads]
for s, head in zip(asked, heads):
    s.connect(sys.argv[1])
    s.sendall(head.encode())
time.sleep(0.5)
subprocess.run(["systemctl", "stop", "--no-block", "geard.service"], check=True)
while b"finishing" not in subprocess.check_output(["systemctl", "show", "-P", "StatusText", "geard.service"]):
    time.sleep(0.05)
for s in asked:
    s.sendall(b"Accept: application/json\r\n\r\n")
    print(s.makefile("rb").read().decode().replace("\r\n", "\n"), end="\n====\n")
"""


def test_who_asks_while_geard_stops_is_told_so(host):
    body = json.dumps({"image": "test/busybox", "ready": {"log": "now"},
                       "command": ["sh", "-c", "trap 'exit 0' TERM; until [ -e /tmp/go ]; do sleep 0.1; done; echo now; "
                                           "while :; do sleep 0.2; done"]})
    host.sh(f"systemd-run --quiet --collect --unit=client curl -s -o /root/answer --unix-socket {SOCKET} "
            f"-X PUT http://localhost/container/1 -d {shlex.quote(body)}")
    wait_until(lambda: container_of(host), 30, "a create is under way, which geard finishes first")
    try:
        health, change, _ = host.run("python3", "-c", ASK_LATE, SOCKET, timeout=30).stdout.decode().split("\n====\n")
    finally:
        host.sh("docker exec gear-1 touch /tmp/go; systemctl stop geard.service; systemctl start geard.service")
    assert health.startswith("HTTP/1.1 503 ") and '"status":"stopping"' in health and "Connection: close" in health
    assert change.startswith("HTTP/1.1 503 ") and "geard is stopping" in change and "Retry-After: " in change
    assert container_of(host), "the create was finished, the delete was not begun"


def test_metrics_count_what_happens(host):
    before = metrics(host)
    made(host)
    made(host, "2")
    turn(host, "2", "stopped")
    after = metrics(host)
    assert after['geard_gears{state="running"}'] == 1 and after['geard_gears{state="stopped"}'] == 1
    name = 'geard_changes_total{outcome="good"}'
    assert after[name] - before[name] == 3
    assert after["geard_http_requests_total"] > before["geard_http_requests_total"]
    assert 0 < after["geard_memory_anonymous_bytes"] < 64 << 20


def test_metrics_want_credentials(host):
    assert host.curl("GET", "/metrics").status == 401


@pytest.fixture
def forgetful(host):
    """A host whose jobs leave no unit in sight."""
    host.configure("60-case", "[Daemon]\nJobKeep=0\n")
    host.systemctl("reload", "geard")
    yield host
    host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl reload geard")


def test_every_route_of_the_description_answers(forgetful):
    """None is a 404 for its path or a 405: what is described is there."""
    host = forgetful
    described = host.peer("GET", "/openapi.json", headers=JSON).json
    assert described["openapi"].startswith("3.1")
    made(host)
    asked, wrong = 0, []
    for path, methods in described["paths"].items():
        for method in methods:
            if method not in ("get", "put", "post", "patch", "delete") or path.endswith("/log"):
                continue
            target = re.sub(r"\{[a-z]+\*?\}", "0nobody", path.replace("{token}", "__test__"))
            answer = host.curl(method.upper(), f"http://localhost{target}", headers=JSON, unix=SOCKET)
            asked += 1
            if answer.status == 405 or (answer.status == 404 and "no such path" in answer.text):
                wrong.append(f"{method} {target}: {answer}")
    assert asked > 10 and not wrong, "\n".join(wrong)
