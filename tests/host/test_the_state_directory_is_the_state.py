# SPDX-License-Identifier: Apache-2.0
"""What stands in /var/lib/gears is what there is: on this host and on the next."""

import subprocess

import pytest

from lib.gear import at_boot, container_of, create, inspect, log_lines, made, status, turn, unit_is, wait_running
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

    trust(two, f"{one.address}:5000")
    copy_state(one, two)
    two.install()

    for gear in ("pulled", "local"):
        wait_running(two, gear, 60)
    assert "It runs." in two.sh("curl -s --fail http://127.0.0.1:4343/")
    assert inspect(two, "pulled")["Config"]["Image"] == image and "A=x y" in inspect(two, "pulled")["Config"]["Env"]
    assert inspect(two, "local")["HostConfig"]["Memory"] == 64 << 20
    assert status(two, "pulled")["ports"] == status(one, "pulled")["ports"]
    for gear in ("rests", "stopped"):
        assert status(two, gear)["state"] == "stopped" and unit_is(two, gear, "inactive")
        assert at_boot(two, gear) == "linked"

    # at home now: a boot and a change work as anywhere
    two.reboot()
    for gear in ("pulled", "local"):
        wait_running(two, gear)
    turn(two, "rests", "started")
    assert container_of(two, "rests")
    assert create(two, "local", labels={"v": "1"}, memory="64M").status == 200, "it is the same gear"
    # and the first host was not touched by any of it
    assert container_of(one, "pulled") and status(one, "local")["state"] == "running"


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
