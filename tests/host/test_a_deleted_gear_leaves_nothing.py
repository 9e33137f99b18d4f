# SPDX-License-Identifier: Apache-2.0
"""DELETE takes everything but volumes, and what comes after it under the same
id is the new definition, whatever systemd still remembers of the old one."""

import pytest

from lib.gear import container_of, create, delete, inspect, made, traces, turn, unit_is, wait_running


def label(host, gear="1"):
    return inspect(host, gear)["Config"]["Labels"].get("v")


def volumes(host):
    return host.docker("volume", "ls", "-q").split()


def test_nothing_is_left_of_it(host):
    made(host, env={"A": "b"}, ports=[{"internal": 8080}])
    assert len(traces(host, "1")) >= 5, "the list below means something"
    delete(host, "1")
    assert traces(host, "1") == []
    assert host.peer("GET", "/container/1/status").status == 404


def test_an_unknown_one_is_as_deleted_as_can_be(host):
    delete(host, "never-there")
    delete(host, "never-there")


def test_one_that_was_stopped_and_one_that_failed_go_too(host):
    made(host, "stopped", started=False)
    made(host, "failed", restart="no")
    host.docker("kill", "--signal=SEGV", "gear-failed", check=False)
    host.docker("kill", "gear-failed", check=False)
    delete(host, "stopped")
    delete(host, "failed")
    assert traces(host, "stopped") == [] and traces(host, "failed") == []
    assert "gear-" not in host.systemctl("list-units", "--failed", "--plain", "--no-legend")


def test_volumes_stay_unless_asked_for(host):
    volume = {"name": "data", "target": "/data"}
    made(host, volumes=[volume])
    host.docker("exec", "gear-1", "sh", "-c", "echo kept > /data/file")
    delete(host, "1")
    assert volumes(host) == ["gear-1-data"]
    made(host, volumes=[volume])
    assert host.docker("exec", "gear-1", "cat", "/data/file") == "kept"
    delete(host, "1", "?volumes=yes")
    assert volumes(host) == []


def test_a_port_is_free_again(host):
    made(host, "a", ports=[{"internal": 8080, "external": 4400}])
    taken = create(host, "b", ports=[{"internal": 8080, "external": 4400}])
    assert taken.status == 409 and "4400" in taken.text, taken
    delete(host, "a")
    made(host, "b", ports=[{"internal": 8080, "external": 4400}])


def test_the_new_definition_runs(host):
    made(host, labels={"v": "1"})
    delete(host, "1")
    made(host, labels={"v": "2"})
    assert label(host) == "2"


@pytest.mark.parametrize("when", ["before", "between", "after"])
def test_the_new_definition_runs_whenever_systemd_was_reloaded(host, when):
    made(host, labels={"v": "1"}, memory="32M")
    if when == "before":
        host.systemctl("daemon-reload")   # now multi-user.target holds the unit
    delete(host, "1")
    assert unit_is(host, "1", "inactive")
    if when == "between":
        host.systemctl("daemon-reload")
    made(host, labels={"v": "2"}, memory="48M")
    if when == "after":
        host.systemctl("daemon-reload")
        turn(host, "1", "restarted")
    assert label(host) == "2" and inspect(host)["HostConfig"]["Memory"] == 48 << 20
    assert host.show("gear-1")["NeedDaemonReload"] == "no"


def test_the_new_definition_runs_although_a_boot_made_systemd_hold_the_old(fresh_host):
    host = fresh_host
    made(host, labels={"v": "1"})
    host.reboot()
    wait_running(host)
    assert label(host) == "1"
    delete(host, "1")
    assert traces(host, "1") == []
    assert host.run("systemctl", "start", "gear-1", check=False).returncode == 5, "no such unit"
    made(host, labels={"v": "2"})
    assert label(host) == "2"
    # the same once more, with a replacement: the boot's definition is held by multi-user.target
    host.reboot()
    wait_running(host)
    assert create(host, labels={"v": "3"}, replace=True).status in (200, 201)
    assert label(host) == "3"


def test_no_reload_is_needed_where_systemd_holds_nothing(host):
    def reloads():
        text = host.peer("GET", "/metrics").text
        return [line for line in text.splitlines() if "reload" in line and not line.startswith("#")]

    assert reloads()
    before = reloads()
    made(host)
    turn(host, "1", "stopped")
    turn(host, "1", "started")
    delete(host, "1")
    assert reloads() == before


def test_drop_ins_of_the_user_survive_everything(host):
    host.sh("mkdir -p /etc/systemd/system/gear-1.service.d && "
            "printf '[Service]\\nEnvironment=MINE=yes\\nOOMScoreAdjust=123\\n' "
            "> /etc/systemd/system/gear-1.service.d/mine.conf && systemctl daemon-reload")
    try:
        made(host, labels={"v": "1"})
        assert host.show("gear-1")["OOMScoreAdjust"] == "123"
        assert create(host, labels={"v": "2"}, replace=True).status in (200, 201)
        assert host.show("gear-1")["OOMScoreAdjust"] == "123"
        turn(host, "1", "stopped")
        turn(host, "1", "started")
        delete(host, "1")
        assert "OOMScoreAdjust=123" in host.sh("cat /etc/systemd/system/gear-1.service.d/mine.conf")
        made(host, labels={"v": "3"})
        assert host.show("gear-1")["OOMScoreAdjust"] == "123" and container_of(host)
    finally:
        host.sh("rm -rf /etc/systemd/system/gear-1.service.d && systemctl daemon-reload")
