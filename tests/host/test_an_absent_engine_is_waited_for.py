# SPDX-License-Identifier: Apache-2.0
"""Without dockerd the gears wait, use up nothing, wake nothing, and come back
by themselves.
"""

import time

import pytest

from lib.gear import JSON, container_of, create, delete, made, runs, status, traces, turn, unit_is
from lib.wait import wait_until

LONG = 300

pytestmark = pytest.mark.timeout(LONG + 480)


def engine(host):
    return host.show("docker.service")["ActiveState"]


def waits(host, gear="1"):
    """Between two attempts or in the middle of one; never given up."""
    shown = host.show(f"gear-{gear}")
    assert shown["ActiveState"] == "activating", shown
    assert status(host, gear)["state"] in ("waiting", "restarting", "starting"), status(host, gear)
    return True


def stays_away(host, seconds):
    """Nothing wakes the engine, whatever is asked of geard meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert engine(host) == "inactive"
        wait_until(lambda: waits(host), 5, "it waits")
        assert host.peer("GET", "/containers", headers=JSON).status == 200
        refused = create(host, "new")
        assert refused.status == 503 and int(refused.headers["retry-after"]) > 0, refused
        assert "docker.service" in refused.json["detail"], refused
        time.sleep(1)


def stop_engine(host):
    """As an administrator would; no more than once in this file."""
    if engine(host) != "active":
        return
    for gear in ("1", "stopped-meanwhile", "deleted-meanwhile"):
        made(host, gear, stop_timeout="2s")
    made(host, "rests", started=False)
    host.systemctl("stop", "docker.service")
    wait_until(lambda: waits(host), 20, "the gear waits")


def seconds_away(host):
    """How long it has been away without a break."""
    since = int(host.show("docker.service")["InactiveEnterTimestampMonotonic"]) / 1e6
    return float(host.sh("cut -d' ' -f1 /proc/uptime")) - since


@pytest.mark.takes(30)
def test_an_administrators_stop_lasts(file_host):
    host = file_host
    stop_engine(host)
    assert host.systemctl("is-active", "docker.socket") == "active", "any connection would wake it"
    stays_away(host, 20)

    # what needs no engine works without
    turn(host, "stopped-meanwhile", "stopped")
    delete(host, "deleted-meanwhile")
    assert unit_is(host, "stopped-meanwhile", "inactive")

    # geard started anew tells the same, and wakes nothing either
    host.systemctl("restart", "geard")
    stays_away(host, 5)


@pytest.mark.takes(25)
def test_an_engine_that_cannot_start_is_waited_for(fresh_host):
    host = fresh_host
    made(host, stop_timeout="2s")
    host.sh("mount --bind /bin/false /usr/sbin/dockerd && kill -9 $(systemctl show -P MainPID docker)")
    wait_until(lambda: engine(host) == "failed", 60, "systemd has given up on the engine")
    wait_until(lambda: waits(host), 20, "the gear waits")
    for _ in range(20):
        wait_until(lambda: waits(host), 5, "it waits")
        time.sleep(1)
    host.sh("umount /usr/sbin/dockerd && systemctl reset-failed docker.socket docker.service && "
            "systemctl start docker.socket docker.service")
    wait_until(lambda: runs(host), 60, "it runs again by itself")


def test_a_boot_without_the_engine_is_finished_and_the_gear_comes_with_it(fresh_host):
    host = fresh_host
    made(host, stop_timeout="2s")
    made(host, "once", restart="no")
    host.systemctl("disable", "--quiet", "docker.service", "docker.socket")
    host.reboot()
    assert engine(host) == "inactive"
    wait_until(lambda: waits(host), 60, "the gear waits")
    wait_until(lambda: host.systemctl("is-system-running", check=False) in ("running", "degraded"), 20,
               "the boot has ended")
    # systemd would not try this one again: it waits as a started unit, and says what for
    assert unit_is(host, "once", "active") and host.show("gear-once")["StatusText"] == "waiting for docker.service"
    assert status(host, "once")["state"] == "starting"
    assert status(host)["container"] is None
    stopped = host.peer("PUT", "/container/1/started", headers=JSON)
    assert stopped.status == 503, stopped
    host.systemctl("start", "docker.service")
    for gear in ("1", "once"):
        wait_until(lambda: runs(host, gear), 60, f"gear {gear} runs")


def test_a_gear_that_waits_can_be_stopped(fresh_host):
    host = fresh_host
    made(host, "api")
    made(host, "ctl")
    host.systemctl("stop", "docker.service")
    wait_until(lambda: waits(host, "api") and waits(host, "ctl"), 20, "both wait")
    turn(host, "api", "stopped")
    host.systemctl("stop", "gear-ctl")
    for gear in ("api", "ctl"):
        assert unit_is(host, gear, "inactive"), host.show(f"gear-{gear}")
        assert status(host, gear)["state"] == "stopped"
    assert engine(host) == "inactive"


def test_a_hung_engine_holds_up_no_status_and_no_boot_of_geard(fresh_host):
    host = fresh_host
    made(host, stop_timeout="1s")
    host.sh("kill -STOP $(systemctl show -P MainPID docker)")
    try:
        began = time.monotonic()
        for _ in range(5):
            assert status(host)["unit"]["active"] == "active"
        assert time.monotonic() - began < 20
        host.systemctl("restart", "geard")
        assert status(host)["unit"]["active"] == "active"
    finally:
        host.sh("kill -CONT $(systemctl show -P MainPID docker)")
    wait_until(lambda: runs(host), 60, "and it runs on")

@pytest.mark.takes(240)
def test_a_long_absence_costs_nothing(file_host):
    host = file_host
    stop_engine(host)   # where this case runs alone; else it has been away since the first one
    wait_until(lambda: engine(host) == "inactive" and waits(host) and seconds_away(host) > LONG, LONG + 30,
               f"{LONG} s without the engine", every=2)
    assert int(host.show("gear-1")["NRestarts"]) <= 2 + seconds_away(host) // 60, "it waits, it does not spin"

    host.systemctl("start", "docker.service")
    wait_until(lambda: runs(host), 60, "it runs again by itself")
    assert status(host, "rests")["state"] == "stopped"
    # the start limit is as fresh as before: crashes are still restarted
    for _ in range(3):
        before = container_of(host)
        host.docker("kill", "gear-1")
        wait_until(lambda: container_of(host) not in ("", before), 60, "it is restarted")


def test_what_was_changed_without_the_engine_holds_when_it_is_back(fresh_host):
    host = fresh_host
    for gear in ("stopped", "deleted"):
        made(host, gear, stop_timeout="2s")
    host.systemctl("stop", "docker.service")
    wait_until(lambda: waits(host, "stopped") and waits(host, "deleted"), 20, "both wait")
    turn(host, "stopped", "stopped")
    delete(host, "deleted")
    host.systemctl("start", "docker.service")
    time.sleep(3)
    assert unit_is(host, "stopped", "inactive") and status(host, "stopped")["state"] == "stopped"
    assert host.docker("ps", "-aq") == "" and traces(host, "deleted") == []
