# SPDX-License-Identifier: Apache-2.0
"""GET /containers: filters, pages, fields, and an ETag that moves when and only when something did."""

import time
from urllib.parse import quote

import pytest

from lib.gear import JSON, delete, made, status, turn
from lib.wait import wait_until

GEARS = ("B", "a", "a.1", "b-2", "b_3", "z")  # in the order of their bytes


@pytest.fixture
def gears(host):
    for gear in reversed(GEARS):
        labels = {"of": "b", gear[0]: "", "text": "x, y=z %"} if gear.startswith("b") else {"of": "others"}
        made(host, gear, labels=labels, started=gear in ("a", "b-2"), ports=[{"internal": 8080}])
    return host


def listing(host, query=""):
    answer = host.peer("GET", f"/containers{query}", headers=JSON)
    assert answer.status == 200, answer
    return answer.json


def ids(host, query=""):
    return [gear["id"] for gear in listing(host, query)["containers"]]


def test_all_of_them_in_one_order_whatever_happened(gears):
    host = gears
    assert ids(host) == list(GEARS)
    turn(host, "z", "started")
    delete(host, "a.1")
    made(host, "a.1", started=False)
    host.systemctl("restart", "geard")
    assert ids(host) == list(GEARS)
    assert [line.split()[0] for line in host.peer("GET", "/containers").text.splitlines()[1:]] == list(GEARS)


FILTERS = {
    "?state=running": ("a", "b-2"), "?state=stopped": ("B", "a.1", "b_3", "z"), "?state=failed": (),
    "?label=of": GEARS, "?label=of=b": ("b-2", "b_3"), "?label=b": ("b-2", "b_3"), "?label=b=": ("b-2", "b_3"),
    "?label=" + quote("text=x, y=z %"): ("b-2", "b_3"), "?label=text=x": (), "?label=nobody": (),
    "?name=a": ("a",), "?name=" + quote("b?[0-9]"): ("b-2", "b_3"), "?name=*": GEARS, "?name=A": (),
    "?label=of=b&state=running": ("b-2",), "?name=b*&state=stopped&label=b": ("b_3",),
    "?after=a.1": ("b-2", "b_3", "z"), "?after=a0": ("b-2", "b_3", "z"), "?after=z": (),
}


def test_filters(gears):
    for query, found in FILTERS.items():
        assert ids(gears, query) == list(found), query


@pytest.mark.parametrize("also", ["", "&label=of", "&state=stopped"])
def test_page_after_page_is_the_whole_list(gears, also):
    for limit in range(1, len(GEARS) + 2):
        query, found = f"?limit={limit}{also}", []
        while True:
            page = listing(gears, query)
            assert len(page["containers"]) <= limit
            found += [gear["id"] for gear in page["containers"]]
            if page["next"] is None:
                break
            query = f"?limit={limit}{also}&after={page['next']}"
        assert found == ids(gears, f"?limit=10000{also}"), limit


def test_a_page_holds_on_to_its_place_when_gears_come_and_go(gears):
    page = listing(gears, "?limit=3")
    delete(gears, page["next"])
    made(gears, "a-0", started=False)  # before the place …
    made(gears, "b", started=False)    # … and behind it
    assert ids(gears, f"?after={page['next']}") == ["b", "b-2", "b_3", "z"]


def test_only_the_fields_that_were_asked_for(gears):
    whole = listing(gears, "?name=b-2")["containers"][0]
    few = listing(gears, "?name=b-2&fields=state,id,ports")["containers"]
    assert few == [{name: whole[name] for name in ("id", "state", "ports")}]
    assert [set(gear) for gear in listing(gears, "?fields=id")["containers"]] == [{"id"}] * len(GEARS)


def test_what_the_list_says_of_a_gear_is_its_status(gears):
    for gear in listing(gears)["containers"]:
        told = status(gears, gear["id"])
        assert {name: told[name] for name in gear} == gear


def test_an_etag_says_that_nothing_changed(gears):
    host = gears

    def ask(tag):
        answer = host.peer("GET", "/containers", headers={**JSON, "If-None-Match": tag})
        return answer.status, answer.headers["etag"], answer.body

    def settled():
        """A tag that is good for a second."""
        code, tag, body = ask('"none"')
        assert code == 200 and body
        time.sleep(1)
        return ask(tag)[0] == 304 and tag

    tag = wait_until(settled, 20, "all that was made has settled")
    assert ask(tag) == (304, tag, b"")
    assert host.peer("GET", "/containers", headers={"If-None-Match": tag}).status == 200, "text is another representation"
    for change in (lambda: turn(host, "z", "started"), lambda: host.systemctl("stop", "gear-z"),
                   lambda: host.docker("kill", "gear-a"), lambda: delete(host, "B")):
        change()
        code, fresh, body = wait_until(lambda: (got := ask(tag))[0] == 200 and got, 10, "the change shows")
        assert fresh != tag and body
        wait_until(lambda: status(host, "a")["state"] == "running", 20, "what was killed is back")
        tag = ask('"none"')[1]
    before = tag
    host.systemctl("restart", "geard")
    assert ask(before)[0] == 200, "another life of geard counts anew"
