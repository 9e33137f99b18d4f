# SPDX-License-Identifier: Apache-2.0
"""The log of a service is that of all its instances: of those that are, were and
will be, in the order of time, each record with whose it is; or that of one."""

import gzip
import json
import re
from urllib.parse import urlencode

import pytest

from lib.gear import JSON, delete, made
from lib.stream import Stream, entries, log_target
from lib.wait import wait_until

UNITS = "/var/lib/gears/units"
LINES = 20
# What its container does is of no interest here: it says so much, and stays.
SCRIPT = f"i=0; while [ $i -lt {LINES} ]; do echo $0 $i; i=$((i+1)); done; echo over >&2; trap 'exit 3' TERM; while :; do sleep 0.2; done"
TEMPLATE = """[Unit]
Description=instance %i of the service {service}
After=docker.service

{record}
[Service]
SyslogIdentifier=gear-unit
LogExtraFields=GEAR_ID={service}
LogExtraFields=GEAR_SERVICE={service}
LogExtraFields={created}
ExecStartPre=/bin/echo a word of the helper
ExecStart=/usr/bin/systemd-cat --identifier=gear-{service}@%i --stderr-priority=err --level-prefix=no \
        docker run --rm --sig-proxy=true --log-driver=none --name service-{service}-%i test/busybox sh -c {script} %i
ExecStopPost=-/usr/bin/docker rm -f service-{service}-%i
"""


def make_service(host, name="web"):
    """Its template, with the record of a gear that is made and goes again."""
    made(host, name)
    unit = host.sh(f"cat {UNITS}/gear-{name}.service")
    delete(host, name)
    record = re.search(r"^\[X-Gear\]\n(?:.+\n)+", unit, re.MULTILINE)[0]
    created = re.search(r"^LogExtraFields=(GEARD_CREATED=\d+)$", unit, re.MULTILINE)[1]
    script = '"' + SCRIPT.replace("$", "$$").replace('"', '\\"') + '"'
    text = TEMPLATE.format(service=name, record=record, created=created, script=script)
    host.sh(f"cat > {UNITS}/gear-{name}@.service && systemctl link --quiet {UNITS}/gear-{name}@.service && systemctl daemon-reload",
            stdin=text.encode())


def end_service(host, name="web"):
    host.sh(f"systemctl stop 'gear-{name}@*'; systemctl reset-failed 'gear-{name}@*' 2>/dev/null; "
            f"rm -f {UNITS}/gear-{name}@.service /etc/systemd/system/gear-{name}@.service "
            "/run/systemd/units/log-extra-fields:gear-*@*; systemctl daemon-reload")


@pytest.fixture
def web(host):
    make_service(host)
    yield host
    end_service(host)


def log(host, headers=JSON, **query):
    return host.peer("GET", f"/service/web/log?{urlencode({'follow': 'no', 'tail': 'all', **query})}", headers=headers)


def records(host, **query):
    answer = log(host, **query)
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.text.splitlines()]


def is_over(of, instance):
    """On both of its streams, which come one after the other or the other way round."""
    said_last = [record["text"] for record in of if record["name"] == f"gear-web@{instance}"]
    return "over" in said_last and f"{instance} {LINES - 1}" in said_last


def run(host, *instances):
    """They run, and have said all they have to say."""
    host.systemctl("start", *(f"gear-web@{i}" for i in instances))
    for i in instances:
        wait_until(lambda: is_over(records(host, instance=i), i), 60, f"instance {i} has said it all")


def numbers(of, instance):
    return [record["text"] for record in of if record["name"] == f"gear-web@{instance}" and record.get("stream") == "stdout"]


def said(instance):
    return [f"{instance} {n}" for n in range(LINES)]


def test_all_of_its_instances_are_in_it_by_time(web):
    made(web, "web", command=["sh", "-c", "echo of the gear; sleep 1000"])
    run(web, 1, 2, 10)
    web.systemctl("stop", "gear-web@2")
    wait_until(lambda: any(r.get("mark") == "exited" for r in records(web)), 20, "journald has the end of it")
    all_of_it = records(web)
    assert {record["name"] for record in all_of_it} == {"gear-web@1", "gear-web@2", "gear-web@10"}
    assert [record["time"] for record in all_of_it] == sorted(record["time"] for record in all_of_it)
    for instance in 1, 2, 10:
        assert numbers(all_of_it, instance) == said(instance)
        assert [r["text"] for r in all_of_it if r["name"] == f"gear-web@{instance}" and r.get("stream") == "stderr"] == ["over"]
        assert [r["mark"] for r in all_of_it if r["name"] == f"gear-web@{instance}" and "mark" in r][0] == "started"
    assert [(r["name"], r["status"]) for r in all_of_it if r.get("mark") == "exited"] == [("gear-web@2", 3)]
    assert not any("helper" in r["text"] or "of the gear" in r["text"] for r in all_of_it)

    text = log(web, headers={}).text.splitlines()
    assert [line for line in text if line.startswith("gear-web@10: 10 ")] == [f"gear-web@10: {line}" for line in said(10)]
    assert "-- gear-web@2 exited with status 3 --" in text and len(text) == len(all_of_it)


def test_one_of_them(web):
    run(web, 1, 2)
    one = records(web, instance=2)
    assert {record["name"] for record in one} == {"gear-web@2"} and numbers(one, 2) == said(2)
    text = log(web, headers={}, instance=2).text.splitlines()
    assert [line for line in text if line.startswith("2 ")] == said(2) and "over" in text, "there is no need to say whose it is"
    assert records(web, instance=3) == []


def test_in_every_form(web):
    run(web, 1, 2)
    plain = records(web)
    export = log(web, headers={"Accept": "application/vnd.fdo.journal"}).text
    assert export.count("__CURSOR=") == len(plain) and export.count("GEAR_SERVICE=web\n") == 2 * (LINES + 1)
    events = log(web, headers={"Accept": "text/event-stream"}).text.split("\n\n")[:-1]
    assert [json.loads(event.split("data: ")[1]) for event in events if "data: " in event] == plain
    assert sorted(r["text"] for r in records(web, grep="^[12] 7$") if "mark" not in r) == ["1 7", "2 7"]
    assert [r["text"] for r in records(web, priority="err") if "mark" not in r] == ["over", "over"]
    assert len([r for r in records(web, tail=5) if "mark" not in r]) == 5
    web.sh("curl -s --unix-socket /run/geard/geard.sock -H 'Accept-Encoding: gzip' -o /root/log.gz "
           "'http://localhost/service/web/log?follow=no&tail=all'")
    assert gzip.decompress((web.root / "root/log.gz").read_bytes()).decode() == log(web, headers={}).text


def test_who_follows_sees_those_that_come_later(web):
    """Without reconnecting; and who reconnects loses none, whoever wrote meanwhile."""
    run(web, 1)
    target = log_target("web", timeout=0, tail=0).replace("/container/log", "/service/log")
    seen = []
    with Stream(web, target, headers=JSON) as stream:
        web.systemctl("start", "gear-web@7")
        for record in entries(stream):
            seen.append(record)
            if record["text"] == "7 9":
                break
    web.systemctl("start", "gear-web@8")
    web.systemctl("restart", "geard")
    with Stream(web, f"{target}&cursor={seen[-1]['cursor']}".replace("tail=0&", "").replace("&tail=0", ""), headers=JSON) as stream:
        for record in entries(stream):
            seen.append(record)
            if is_over(seen, 7) and is_over(seen, 8):
                break
    assert {record["name"] for record in seen} == {"gear-web@7", "gear-web@8"}
    assert numbers(seen, 7) == said(7) and numbers(seen, 8) == said(8)
    assert [record["name"] for record in seen if record.get("mark") == "started"] == ["gear-web@7", "gear-web@8"]


def test_gear_log_shows_it(web):
    run(web, 1, 2)
    of_all = web.run("gear", "log", "--service", "-n", "all", "web").stdout.decode().splitlines()
    for instance in 1, 2:
        assert [line.split(" ", 3)[3] for line in of_all if f" gear-web@{instance} {instance} " in line] == said(instance)
        one = web.run("gear", "log", "--service", "-o", "cat", "-n", "all", f"web@{instance}").stdout.decode().splitlines()
        assert [line for line in one if line != "over"] == said(instance)
    refused = web.run("gear", "log", "--service", "web@x", check=False)
    assert refused.returncode != 0 and b"instance" in refused.stderr, refused


def test_a_service_of_its_name_before_it_is_not_it(web):
    run(web, 1)
    end_service(web)
    assert log(web).status == 404
    make_service(web)
    assert records(web) == []
    web.systemctl("start", "gear-web@1")
    wait_until(lambda: is_over(records(web), 1), 60, "the new one has said it all")
    again = records(web)
    assert numbers(again, 1) == said(1)
    assert [record["mark"] for record in again if "mark" in record] == ["started"]


def test_whose_log_it_may_be(web, issuer):
    run(web, 1)
    for r, rights, status in (("web", ["log.read", "service.*"], 200), ("web", "log.read", 403), ("web", None, 403), ("web", "service.*", 403),
                              ("other", ["log.read", "service.*"], 403)):
        token = issuer.token(r=r, **({"a": rights} if rights else {}))
        assert web.curl("GET", "/service/web/log?follow=no", headers={"Authorization": f"Bearer {token}"}).status == status, (r, rights)
    assert web.token("PUT", "service/log", r="web", follow="no", tail="all").text == log(web, headers={}).text


@pytest.mark.parametrize("query, field", [("instance=0", "instance"), ("instance=x", "instance"), ("instance=-1", "instance"),
                                          ("instance=4294967296", "instance"), ("instance=", "instance"), ("tail=x", "tail")])
def test_what_is_not_asked_well(web, query, field):
    answer = web.peer("GET", f"/service/web/log?{query}", headers=JSON)
    assert answer.status == 400 and answer.json["field"] == field, answer


def test_what_is_no_service(web):
    assert web.peer("GET", "/service/none/log").status == 404
    assert web.peer("GET", "/service/web@1/log").status == 400
    assert web.peer("GET", "/container/web/log").status == 404
    web.sh(f"sed -i s/^Created=.*/Created=soon/ {UNITS}/gear-web@.service")
    answer = log(web)
    assert answer.status == 409 and "Created" in answer.json["detail"], answer
