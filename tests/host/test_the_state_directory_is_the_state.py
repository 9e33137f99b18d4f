# SPDX-License-Identifier: Apache-2.0
"""What stands in /var/lib/gears is what there is: on this host and on the next."""

import subprocess

import pytest

from lib.gear import (HOLD, JSON, at_boot, container_of, create, delete, inspect, log_lines, made, status, traces, turn,
                      unit_is, wait_running)
from lib.wait import wait_until

pytestmark = pytest.mark.timeout(400)

REGISTRY = """\
version: 0.1
storage: {filesystem: {rootdirectory: /var/lib/docker-registry}}
http: {addr: "0.0.0.0:5000"}
"""


def trust(host, registry):
    host.sh(f"mkdir -p /etc/docker && echo '{{\"insecure-registries\": [\"{registry}\"]}}' > /etc/docker/daemon.json && "
            "systemctl restart docker")


def serve_images(host):
    """Debian's registry on this host, holding an image that no other host has."""
    registry = f"{host.address}:5000"
    trust(host, registry)
    host.sh("cat > /etc/docker-registry.yml", stdin=REGISTRY)
    host.sh("systemctl stop -q docker-registry 2>/dev/null; "
            "systemd-run --quiet --unit=registry docker-registry serve /etc/docker-registry.yml")
    wait_until(lambda: host.sh("curl -s http://127.0.0.1:5000/v2/", check=False) == "{}", 15, "the registry answers")
    image = f"{registry}/team/app:v1"
    host.docker("tag", "test/port", image)
    host.docker("push", "--quiet", image)
    host.docker("rmi", image)
    return image


def copy_state(source, target):
    """/var/lib/gears as rsync or tar would take it along, before geard ever ran over there."""
    pack = subprocess.run(["tar", "-C", source.root / "var/lib", "-cp", "gears"], capture_output=True, check=True)
    subprocess.run(["tar", "-C", target.root / "var/lib", "-xp"], input=pack.stdout, check=True)


def test_a_pull_shows_its_progress_and_runs_what_was_pulled(make_host):
    host = make_host("one")
    host.install()
    image = serve_images(host)
    answer = host.peer("PUT", "/container/1", {"image": image}, {"Accept": "text/plain;stream=true"})
    assert answer.status == 200 and answer.text.splitlines()[-1].startswith("done 201"), answer
    assert "Pulling" in answer.text
    assert inspect(host)["Config"]["Image"] == image
    missing = create(host, "2", image.replace("v1", "v2"))
    assert missing.status == 404 and "v2" in missing.json["detail"], missing
    never = create(host, "2", image.replace("v1", "v3"), pull="never")
    assert never.status == 404, never


def test_copied_to_another_host_it_all_is_there(make_host):
    one, two = make_host("one"), make_host("two")
    one.install()
    image = serve_images(one)
    made(one, "pulled", image, ports=[{"internal": 8080, "external": 4343}], env={"A": "x y"})
    made(one, "local", labels={"v": "1"}, memory="64M")
    made(one, "rests", "test/stubborn", started=False)
    made(one, "stopped", stop_timeout="1s")
    turn(one, "stopped", "stopped")

    job = {"image": image, "command": ["sh", "-c", "echo $A"], "env": {"A": "x y"}, "schedule": "yearly"}
    assert one.peer("PUT", "/jobs/s1", job).status == 201

    trust(two, f"{one.address}:5000")
    copy_state(one, two)
    two.docker("rmi", image, check=False)
    two.install()

    for gear in ("pulled", "local"):
        wait_running(two, gear)
    wait_until(lambda: "It runs." in two.sh("curl -s --fail http://127.0.0.1:4343/", check=False), 20, "its server listens")
    assert inspect(two, "pulled")["Config"]["Image"] == image and "A=x y" in inspect(two, "pulled")["Config"]["Env"]
    assert inspect(two, "local")["HostConfig"]["Memory"] == 64 << 20
    assert status(two, "pulled")["ports"] == status(one, "pulled")["ports"]
    for gear in ("rests", "stopped"):
        wait_until(lambda: at_boot(two, gear) == "linked", 20, f"{gear} is at home")
        assert status(two, gear)["state"] == "stopped" and unit_is(two, gear, "inactive")

    wait_until(lambda: two.peer("GET", "/jobs/s1", headers=JSON).json["next"], 20, "the job is due")
    assert two.sh("systemctl is-enabled job-s1.timer") == "enabled"
    assert two.peer("PUT", "/jobs/s1", job).status == 200, "it is the same job"
    two.systemctl("start", "job-s1.service")
    wait_until(lambda: two.peer("GET", "/jobs/s1", headers=JSON).json["output"] == "x y\n", 20, "it runs here")

    # at home now: a boot and a change work as anywhere
    two.reboot()
    for gear in ("pulled", "local"):
        wait_running(two, gear)
    turn(two, "rests", "started")
    assert container_of(two, "rests")
    assert create(two, "local", labels={"v": "1"}, memory="64M").status == 200, "it is the same gear"
    # and the first host was not touched by any of it
    assert container_of(one, "pulled") and status(one, "local")["state"] == "running"


# geard by itself, killed when it renames a file into place for the given time; says whether it came to that.
KILLED_AT = r"""
mkdir -p /run/geard
timeout -k 1 40 strace -f -qq -o /dev/null -e trace=renameat -e inject="renameat:signal=KILL:when=$1" /usr/sbin/geard &
pid=; began=$SECONDS
# strace may wait for ever for a process whose other thread it has killed: then it is ended here.
until [ -n "$pid" ] || ! kill -0 $!; do pid=$(pgrep -x geard); done
ended() { ! grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null; }
settled() { cmp -s /etc/machine-id /var/lib/gears/host; }
until ended || settled; do sleep 0.05; done
settled && echo settled || echo killed
kill -KILL "$pid" $! 2>/dev/null
wait
"""
WISHES = {"a": True, "b": True, "c": True, "rests": False, "stopped": False}


def came_from_elsewhere(host):
    """How often the gears were made at home here, since this host was booted."""
    return [line.split()[1] for line in host.journal("geard", "cat").splitlines() if "came from another host" in line]


def is_adopted(host, gear, wanted):
    """In the words of this host, and as it was wished; no half of a replacement is left."""
    unit = host.sh(f"cat /var/lib/gears/units/gear-{gear}.service")
    assert "LogRateLimitBurst=4321" in unit, unit
    assert host.sh(f"cat /var/lib/gears/wanted/{gear}") == ("started" if wanted else "stopped")
    assert at_boot(host, gear) == ("enabled" if wanted else "linked")
    assert status(host, gear)["state"] == ("running" if wanted else "stopped")
    assert bool(container_of(host, gear)) == wanted
    assert host.sh(f"cat /var/lib/gears/env/{gear}.env") == f"WHO={gear}"
    return True


@pytest.fixture
def copied(make_host):
    """The state of a host, on another one that writes its units otherwise, and on which geard does not run yet."""
    one, two = make_host("one"), make_host("two")
    one.install()
    for gear, wanted in WISHES.items():
        made(one, gear, started=wanted or gear == "stopped", env={"WHO": gear}, labels={"v": gear}, stop_timeout="2s")
    turn(one, "stopped", "stopped")
    two.configure("60-case", "[Daemon]\nLogRate=4321/10s\n")
    two.install()
    two.sh("systemctl stop geard.socket geard.service && rm -rf /var/lib/gears/*")
    copy_state(one, two)
    return two


def at_home(host):
    return host.sh("cmp -s /etc/machine-id /var/lib/gears/host && echo yes", check=False) == "yes"


def test_an_adoption_that_is_killed_begins_again(copied):
    """Killed at the first file it renames, then the next start at its second, and so on, until one comes to its end."""
    host, lives = copied, 0
    for lives in range(1, 60):
        verdict = host.run("bash", "-c", KILLED_AT, "killed", str(lives), timeout=60).stdout.decode().split()[-1]
        if verdict == "settled":
            break
        assert not at_home(host), "the directory is still the other host's"
    assert verdict == "settled" and lives > 8, f"{verdict} in life {lives}"
    host.systemctl("start", "geard.socket", "geard.service")
    for gear, wanted in WISHES.items():
        wait_until(lambda: is_adopted(host, gear, wanted), 20, f"{gear} is adopted", every=0.3)
    assert len(host.docker("ps", "-aq").splitlines()) == sum(WISHES.values())
    assert host.sh("ls -A /var/lib/gears/previous") == ""
    assert came_from_elsewhere(host) == [], "geard as a service had nothing left to do"


def test_what_an_adoption_had_done_is_not_done_twice(copied):
    host = copied
    host.systemctl("start", "geard.socket", "geard.service")
    for gear, wanted in WISHES.items():
        wait_until(lambda: is_adopted(host, gear, wanted), 30, f"{gear} is adopted", every=0.3)
    wait_until(lambda: at_home(host), 5, "all are at home")
    before = {gear: container_of(host, gear) for gear in WISHES}
    wait_until(lambda: len(came_from_elsewhere(host)) >= len(WISHES), 10, "all of it is in the journal")
    assert sorted(came_from_elsewhere(host)) == sorted(WISHES), "each of them once"

    # As if the last one had not come to its end: it does not run, and the directory is not this host's.
    host.sh("systemctl stop geard.socket geard.service gear-c && rm /var/lib/gears/host")
    host.systemctl("start", "geard.socket", "geard.service")
    wait_until(lambda: at_home(host), 30, "all are at home again")
    for gear, wanted in WISHES.items():
        wait_until(lambda: is_adopted(host, gear, wanted), 5, f"{gear} is adopted", every=0.3)
        if gear != "c":
            assert container_of(host, gear) == before[gear], f"{gear} was left alone"
    assert host.show("gear-a")["NRestarts"] == "0"

    # at home, nothing is adopted any more
    told = len(came_from_elsewhere(host))
    host.systemctl("restart", "geard")
    assert len(came_from_elsewhere(host)) == told


def test_a_gear_that_cannot_be_adopted_holds_up_no_other(copied):
    host = copied
    host.sh("sed -i 's/^Image=.*/Image=evil/' /var/lib/gears/units/gear-a.service")       # damaged
    host.sh("mkdir /var/lib/gears/previous/gear-b.service && touch /var/lib/gears/previous/gear-b.service/x")  # cannot be kept
    host.sh("echo deleting > /var/lib/gears/wanted/stopped")                               # was being deleted over there
    host.systemctl("start", "geard.socket", "geard.service")
    wait_until(lambda: is_adopted(host, "c", True) and is_adopted(host, "rests", False), 30, "the others are adopted")
    wait_until(lambda: at_home(host), 20, "all have come to an end")
    assert status(host, "a")["state"] == "damaged"
    wait_until(lambda: "gear b is not at home here" in host.journal("geard", "cat"), 10, "that is told")
    wait_until(lambda: traces(host, "stopped") == [], 10, "what was being deleted is gone")
    host.sh("rm -r /var/lib/gears/previous/gear-b.service")
    delete(host, "a")
    delete(host, "b")


@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("wish", ["started", "stopped", "restarted"])
def test_a_link_that_an_administrator_took_is_made_again_by_the_next_call(host, runs, wish):
    made(host, command=HOLD)
    if not runs:
        host.systemctl("stop", "gear-1")
    host.systemctl("disable", "--quiet", "gear-1")
    wait_until(lambda: host.show("gear-1")["LoadState"] == "not-found", 5, "systemd has lost it")
    turn(host, "1", wish)
    assert at_boot(host) == ("linked" if wish == "stopped" else "enabled")
    assert status(host)["state"] == ("stopped" if wish == "stopped" else "running")
    assert bool(container_of(host)) == (wish != "stopped")
    assert wish == "stopped" or host.show("gear-1")["LoadState"] == "loaded"
    turn(host, "1", "restarted")
    assert host.show("gear-1")["LoadState"] == "loaded" and status(host)["state"] == "running"


def test_nor_does_it_stand_in_the_way_of_a_replacement(host):
    made(host, command=HOLD)
    host.systemctl("disable", "--quiet", "gear-1")
    answer = create(host, command=HOLD, hostname="second", replace=True)
    assert answer.status == 201 and at_boot(host) == "enabled", answer
    assert inspect(host)["Config"]["Hostname"] == "second" and host.show("gear-1")["LoadState"] == "loaded"


def test_links_that_were_lost_are_made_again(host):
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"])
    made(host, "rests", started=False)
    host.systemctl("disable", "--quiet", "gear-1")   # takes the link of a linked unit, too
    host.sh("rm -f /etc/systemd/system/gear-rests.service && systemctl daemon-reload")
    host.systemctl("restart", "geard")
    wait_until(lambda: host.show("gear-rests")["LoadState"] == "loaded", 5, "it is linked again")
    assert at_boot(host) == "linked", "and disabled as the administrator left it"
    assert container_of(host) and status(host)["state"] == "running"
    assert "up" in log_lines(host)
    turn(host, "1", "started")
    assert at_boot(host) == "enabled"
    turn(host, "rests", "started")
