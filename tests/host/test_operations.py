# SPDX-License-Identifier: Apache-2.0
"""What geard says of itself: /healthz, /metrics, /openapi.json."""

import re

from lib.gear import JSON, made, turn
from lib.host import SOCKET

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


def test_every_route_of_the_description_answers(host):
    """None is a 404 for its path or a 405: what is described is there."""
    described = host.peer("GET", "/openapi.json", headers=JSON).json
    assert described["openapi"].startswith("3.1")
    made(host)
    asked, wrong = 0, []
    for path, methods in described["paths"].items():
        for method in methods:
            if method not in ("get", "put", "post", "patch", "delete") or path.endswith("/log"):
                continue
            target = re.sub(r"\{[a-z]+\}", "0nobody", path.replace("{token}", "__test__"))
            answer = host.curl(method.upper(), f"http://localhost{target}", headers=JSON, unix=SOCKET)
            asked += 1
            if answer.status == 405 or (answer.status == 404 and "no such path" in answer.text):
                wrong.append(f"{method} {target}: {answer}")
    assert asked > 10 and not wrong, "\n".join(wrong)
