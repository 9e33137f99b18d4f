# SPDX-License-Identifier: Apache-2.0
"""What only the engine can know of a spec: which networks, users, programs and
devices there are.  A spec that names another is a 4xx for its field, and
nothing of it stays; what an image does by itself is no fault of the spec."""

import pytest

from lib.gear import HOLD, JSON, container_of, create, inspect, made, traces, wait_running

# field, value that the answer names, status, spec
REFUSED = {
    "a user by name": ("user", "nosuch", 404, {"user": "nosuch"}),
    "a group by name": ("user", "root:nosuch", 404, {"user": "root:nosuch"}),
    "a group of a number": ("user", "0:nosuch", 404, {"user": "0:nosuch"}),
    "a program": ("command", "nosuch", 404, {"command": ["nosuch", "-x"]}),
    "an empty program": ("command", "not found", 404, {"command": [""]}),
    "a program by path": ("command", "/no/such", 404, {"command": ["/no/such"]}),
    "a file that is no program": ("command", "/etc/passwd", 400, {"command": ["/etc/passwd"]}),
    "a directory as program": ("command", "/etc", 400, {"command": ["/etc"]}),
    "a file to work in": ("workdir", "/etc/passwd", 400, {"workdir": "/etc/passwd"}),
    "below a file to work in": ("workdir", "/etc/passwd/x", 400, {"workdir": "/etc/passwd/x"}),
    "a capability of later engines": ("cap_add[0]", "PERFMON", 400, {"cap_add": ["PERFMON"]}),
    "… that is dropped": ("cap_drop[0]", "PERFMON", 400, {"cap_drop": ["PERFMON"]}),
    "a device": ("devices[1]", "/dev/nosuch", 404, {"devices": ["/dev/null", "/dev/nosuch"]}),
    "a directory as device": ("devices[0]", "/dev/shm", 400, {"devices": ["/dev/shm"]}),
    "a volume over a file": ("volumes[1].target", "/etc/passwd", 400,
                             {"volumes": [{"name": "a", "target": "/a"}, {"name": "b", "target": "/etc/passwd"}]}),
    "a volume in /sys": ("volumes[0].target", "/sys/x", 400, {"volumes": [{"name": "a", "target": "/sys/x"}]}),
}


def refused(answer, field, value, status):
    assert answer.status == status, answer
    assert answer.json["field"] == field and answer.json["detail"].startswith(f"{field}: "), answer
    assert value in answer.json["detail"] and "docker" not in answer.json["detail"], answer


@pytest.mark.parametrize("what", REFUSED)
def test_what_the_engine_refuses_is_told_by_field_and_undone(host, what):
    field, value, status, spec = REFUSED[what]
    refused(create(host, "bad", **spec, ports=[{"internal": 8080, "external": 4400}], env={"A": "b"}), field, value, status)
    assert traces(host, "bad") == []
    assert host.docker("volume", "ls", "-q", "--filter", "label=io.geard.id=bad") == ""
    assert host.peer("GET", "/container/bad/status").status == 404
    made(host, "good", ports=[{"internal": 8080, "external": 4400}])


def test_in_text_it_is_one_line(host):
    answer = host.peer("PUT", "/container/bad", {"image": "test/busybox", "user": "nosuch"})
    assert answer.status == 404 and answer.text == "user: nosuch is not a user that the image knows\n", answer


@pytest.mark.parametrize("spec, code", [
    ({"user": "4711:4712"}, 201), ({"user": "app"}, 201), ({"user": "root:4712"}, 201),
    # Its shell's own 127 and 126, and words that are not docker's.
    ({"user": "0", "command": ["sh", "-c", "nosuch"]}, 500),
    ({"user": "0", "command": ["sh", "-c", "echo unable to find user 0: no >&2; exit 125"]}, 500)])
def test_what_the_engine_takes_blames_no_field(host, spec, code):
    answer = create(host, **{"command": HOLD, **spec})
    assert answer.status == code and "field" not in answer.json, answer


def test_a_replacement_that_is_refused_brings_the_former_back(host):
    made(host, labels={"a": "1"})
    for field, value in (("user", "nosuch"), ("network", "nosuch")):
        refused(create(host, replace=True, **{field: value}), field, value, 404)
        wait_running(host)
        assert inspect(host)["Config"]["Labels"]["a"] == "1"


# --- networks -----------------------------------------------------------------

@pytest.fixture
def network(host):
    host.docker("network", "create", "--internal", "inner")
    yield "inner"
    host.sh("docker ps -aq --filter network=inner | xargs -r docker rm -f; docker network rm inner")


def starts_of(host, gear):
    """How often its unit was begun with: 0 where it was refused before."""
    return int(host.sh(f"journalctl -b --no-pager -o cat UNIT=gear-{gear}.service | wc -l"))


def test_a_missing_network_is_named_before_anything_is_written(host):
    before = starts_of(host, "bad")
    refused(create(host, "bad", network="nosuch"), "network", "nosuch", 404)
    refused(create(host, "bad", network="nosuch", started=False), "network", "nosuch", 404)
    assert traces(host, "bad") == [] and starts_of(host, "bad") == before
    answer = host.token("PUT", "container", {"network": "nosuch"}, JSON, r="bad", t="test/busybox")
    refused(answer, "network", "nosuch", 404)


def test_a_network_that_is_there_is_used(host, network):
    made(host, network=network)
    assert list(inspect(host)["NetworkSettings"]["Networks"]) == [network]


@pytest.mark.parametrize("name", ["none", "bridge", "default"])
def test_the_networks_of_the_engine_are_always_there(host, name):
    made(host, network=name)
    assert container_of(host)


def test_a_network_that_configures_others_is_told_by_the_start(host):
    host.docker("network", "create", "--config-only", "pattern")
    try:
        refused(create(host, "bad", network="pattern"), "network", "pattern", 400)
        assert traces(host, "bad") == []
    finally:
        host.docker("network", "rm", "pattern")


def test_a_network_that_went_is_told_when_its_gear_is_asked_for_again(host):
    host.docker("network", "create", "--internal", "gone")
    made(host, network="gone", restart="no")
    assert host.peer("PUT", "/container/1/stopped").status == 200
    host.docker("network", "rm", "gone")
    answer = create(host, network="gone", restart="no")
    refused(answer, "network", "gone", 404)
    assert host.peer("GET", "/container/1/status", headers=JSON).json["state"] in ("failed", "stopped")
