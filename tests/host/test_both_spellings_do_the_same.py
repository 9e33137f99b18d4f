# SPDX-License-Identifier: Apache-2.0
"""/container/ID and /token/TOKEN/container are one implementation: each sees and continues what the other did."""

import json

import pytest

from lib.gear import JSON, at_boot, container_of, delete, inspect, made, status, traces, unit_is


class Plain:
    """The id stands in the path."""

    def __init__(self, host):
        self.host = host

    def __call__(self, method, rest="", body=None):
        if not rest and method == "PUT":
            body = {"image": "test/busybox", **body}
        return self.host.peer(method, f"/container/1{rest}", body, JSON)


class Token(Plain):
    """The id and the image stand in the claims."""

    def __call__(self, method, rest="", body=None):
        image = "test/busybox" if not rest and method == "PUT" else None
        return self.host.token(method, f"container{rest}", body, JSON, r="1", t=image)


FORMS = {"plain": Plain, "token": Token}


@pytest.mark.parametrize("form", FORMS)
def test_a_life_of_a_gear(host, form):
    ask = FORMS[form](host)
    answer = ask("PUT", body={"ports": [{"internal": 8080, "external": 4400}], "labels": {"a": "b"}})
    assert answer.status == 201 and answer.json["state"] == "running", answer
    container = container_of(host)
    assert ask("GET", "/status").json["container"] == ask("GET").json["container"] == container[:12]
    assert ask("PUT", "/started").status == 200 and container_of(host) == container
    for method, rest in (("PUT", "/restarted"), ("POST", "/restart")):
        assert ask(method, rest).status == 200
        assert container_of(host) not in ("", container)
        container = container_of(host)
    assert ask("PUT", "/stopped").status == 200
    assert unit_is(host, "1", "inactive") and at_boot(host) == "linked"
    assert ask("PUT", "/started").json["state"] == "running"
    assert at_boot(host) == "enabled"
    assert "4400" in ask("GET", "/ports").text
    assert ask("DELETE").status == 204
    assert traces(host, "1") == [] and ask("GET", "/status").status in (403, 404)
    assert ask("DELETE").status == 204


def environment(host):
    """What its process is really given."""
    return dict(entry.split("=", 1) for entry in inspect(host)["Config"]["Env"] or [])


def test_the_environment_is_read_replaced_changed_and_emptied(host):
    made(host, env={"A": "1", "B": "2"})
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"A": "1", "B": "2"}
    for method, body, then in (("PATCH", {"B": None, "C": "3"}, {"A": "1", "C": "3"}), ("PUT", {"D": "4"}, {"D": "4"}),
                               ("PATCH", {"E": ""}, {"D": "4", "E": ""}), ("PUT", {}, {}), ("PATCH", {"F": "5"}, {"F": "5"}),
                               ("DELETE", None, {})):
        before = environment(host)
        answer = host.peer(method, "/container/1/env", body, JSON)
        assert answer.status in (200, 204), answer
        assert host.peer("GET", "/container/1/env", headers=JSON).json == then
        assert environment(host) == before, "what runs keeps its own"
        assert host.peer("PUT", "/container/1/restarted").status == 200
        assert environment(host) == then
    host.peer("PUT", "/container/1/env", {"G": "6"})
    host.systemctl("restart", "geard")
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"G": "6"}


def test_each_goes_on_with_what_the_other_did(host):
    plain, token = Plain(host), Token(host)
    assert plain("PUT", body={"labels": {"a": "b"}}).status == 201
    container = container_of(host)
    assert token("PUT", body={"labels": {"a": "b"}}).status == 200 and container_of(host) == container
    other = token("PUT", body={"labels": {"a": "c"}})
    assert other.status == 409 and other.json["field"] == "replace", other
    assert token("PUT", body={"labels": {"a": "c"}, "replace": True}).status == 201
    assert plain("GET", "/status").json["labels"] == {"a": "c"}
    assert plain("PUT", "/stopped").status == 200 and token("PUT", "/stopped").status == 200
    assert token("PUT", "/started").status == 200 and status(host)["state"] == "running"
    seen = [call("GET", "/status").json for call in (plain, token)]
    for one in seen:  # what grows from one look to the next
        assert one.pop("memory") > 0 and one.pop("cpu_usec") > 0
    assert seen[0] == seen[1]


@pytest.mark.parametrize("body, field", [({"image": "test/port"}, "image"), ({"id": "2"}, "id")])
def test_a_body_that_names_another_gear_than_the_claims_is_refused(host, body, field):
    refused = host.token("PUT", "container", body, JSON, r="1", t="test/busybox")
    assert refused.status in (400, 403) and field in json.dumps(refused.json), refused
    assert traces(host, "1") == [] and traces(host, "2") == []


def test_a_token_reaches_its_own_gear_only(host):
    made(host, "1")
    made(host, "2")
    listed = host.token("GET", "containers", None, JSON, r="1")
    assert [gear["id"] for gear in listed.json["containers"]] == ["1"], listed
    refused = host.token("PUT", "container/2/stopped", None, JSON, r="1")
    assert refused.status in (403, 404), refused
    assert unit_is(host, "2", "active")
    delete(host, "2")
