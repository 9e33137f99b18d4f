# SPDX-License-Identifier: Apache-2.0
"""The tour of the README, call by call as printed there, on a real host."""

import pathlib
import re
import urllib.request

import pytest

from lib.wait import wait_until

README = pathlib.Path(__file__).resolve().parents[2] / "README"


def printed(fragment):
    """The README's curl command that holds the fragment, exactly as printed."""
    commands = re.findall(r"^    (curl .*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    found = [command for command in commands if fragment in command]
    assert len(found) == 1, f"{len(found)} commands of the README hold {fragment!r}"
    return found[0]


def test_the_tour_works_as_printed(host):
    host.sh(printed("ports") + " --fail --silent --show-error")
    # the gear runs, its server may not listen yet
    again = " --retry 10 --retry-all-errors --retry-delay 1"
    assert "It runs." in host.sh(printed("localhost:4343") + " --fail --silent --show-error" + again)
    assert host.show("gear-1")["ActiveState"] == "active"
    assert host.sh("ls /var/lib/gears/units") == "gear-1.service"

    host.sh(printed("container/started") + " --fail --silent --show-error")
    assert host.show("gear-1")["ActiveState"] == "active"

    host.sh(printed("container/stopped") + " --fail --silent --show-error")
    assert host.show("gear-1")["ActiveState"] == "inactive"
    assert host.docker("ps", "-aq") == ""

    log = host.sh("timeout 3 " + printed("container/log") + " --silent --no-buffer", check=False)
    assert "serving /www on port 8080" in log and "stopping" in log


def printed_lines(first, last):
    """All commands of the README from the one that holds the first fragment to the one that holds the last."""
    commands = re.findall(r"^    (\S.*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    begin, = (n for n, command in enumerate(commands) if first in command)
    end, = (n for n, command in enumerate(commands) if last in command)
    return commands[begin:end + 1]


def test_the_repository_of_the_tour_is_made_read_and_written_as_printed(host):
    lines = printed_lines("repository?u=0&d=1&r=git1&i=5", "-o git1.zip")
    assert len(lines) >= 6 and any(line.startswith("git clone ") for line in lines), lines
    try:
        said = host.sh("set -e; rm -rf /root/tour; mkdir /root/tour; cd /root/tour; export SYSTEMD_PAGER=\n" + "\n".join(lines))
        assert "job-git1.service" in said and "git1" in said
        assert host.sh("head -c 2 /root/tour/git1.zip") == "PK"
        assert host.sh("git -C /root/tour/git1 log --format=%s") == "A first one"
    finally:
        host.sh("rm -rf /root/tour; systemctl stop job-git1", check=False)
        host.peer("DELETE", "/repository/git1")


def test_the_job_of_the_tour_runs_as_printed(host):
    said = host.sh(printed("r=count&i=") + " --fail --silent --show-error").splitlines()
    assert said[0].startswith("Job count succeeded") and int(said[1]) > 10, said
    told = host.sh(printed("jobs/count") + " --fail --silent --show-error")
    assert told.startswith("Job count succeeded") and told.endswith(said[1]), told
    # the host is left as it was found, and its unit would stay in sight
    host.systemctl("stop", "job-count")


def test_the_schedule_of_the_tour_is_made_as_printed(host):
    said = host.sh(printed("r=nightly") + " --fail --silent --show-error")
    assert said.startswith("Job nightly is scheduled (*-*-* 04:30), next at "), said
    assert "job-nightly.service" in host.sh("systemctl list-timers job-nightly.timer")


@pytest.mark.takes(30)
def test_the_log_call_follows_for_thirty_seconds(host):
    host.token("PUT", "container", {"command": ["sh", "-c", "while :; do echo tick; sleep 1; done"], "stop_timeout": 1},
               r="1", t="test/busybox")
    began = float(host.sh("cut -d' ' -f1 /proc/uptime"))
    answer = host.token("PUT", "container/log", r="1", timeout=60)
    took = float(host.sh("cut -d' ' -f1 /proc/uptime")) - began
    assert answer.status == 200
    assert 29 < took < 50
    assert answer.text.count("tick") > 10


def test_a_repeated_id_is_filtered(host):
    host.token("PUT", "container", {}, r="1", i="2a", t="test/busybox")
    pid = host.show("gear-1")["MainPID"]
    host.systemctl("stop", "gear-1")
    again = host.token("PUT", "container", {}, r="1", i="2a", t="test/busybox")
    assert again.headers.get("geard-replayed") == "yes"
    assert host.show("gear-1")["ActiveState"] == "inactive" and pid != "0"


def test_an_image_name_with_a_slash_and_two_ports_arrive(host):
    ports = [{"external": "4343", "internal": "8080"}, {"external": "4344", "internal": "8081"}]
    answer = host.token("PUT", "container", {"ports": ports}, r="two", t="pmorie/sti-html-app")
    assert answer.status == 201, answer
    assert host.docker("inspect", "-f", "{{.Config.Image}}", "gear-two") == "pmorie/sti-html-app"
    bound = host.docker("port", "gear-two")
    assert "8080/tcp -> 0.0.0.0:4343" in bound and "8081/tcp -> 0.0.0.0:4344" in bound


def test_geard_sees_a_loopback_peer_through_a_forward(host):
    host.token("PUT", "container", {}, r="1", t="test/busybox")
    port = host.forward(2223)
    url = f"http://127.0.0.1:{port}/token/__test__/container/status?u=0&d=1&r=1"
    body = wait_until(lambda: urllib.request.urlopen(url, timeout=10).read(), 10, "an answer")
    assert b"running" in body
