# SPDX-License-Identifier: Apache-2.0
"""gear log: the log of a gear, or of several, for people and for pipes."""

import json
import re
import shlex
import time

import pytest

from lib.gear import HOLD, made
from lib.stream import records_of
from lib.wait import wait_until

SAY = "trap 'exit 0' TERM; {}; while :; do sleep 0.2; done"
COLOUR = "\x1b"


def saying(script):
    return ["sh", "-c", SAY.format(script)]


def log(host, *words, check=True):
    return host.run("gear", "log", *words, check=check)


def out(host, *words):
    return log(host, *words).stdout.decode()


def wait_said(host, gear, text):
    wait_until(lambda: text in [record["text"] for record in records_of(host, gear)], 90, f"{gear} has said {text}")


@pytest.fixture
def two(host):
    """Two gears that speak in turns."""
    for gear, first in (("a", 1), ("b", 2)):
        made(host, gear, command=saying(f"sleep 0.{5 * first}; for i in {first} {first + 2} {first + 4}; do echo $i; sleep 1; done; echo end-{gear}"))
    for gear in ("a", "b"):
        wait_said(host, gear, f"end-{gear}")
    return host


def test_lines_have_their_time_and_marks_stand_out(host):
    made(host, command=saying("echo one; echo two >&2"))
    wait_said(host, "1", "two")
    lines = out(host, "1").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ", line) for line in lines), lines
    assert sorted(line[24:] for line in lines) == ["-- started --", "one", "two"]
    assert COLOUR not in out(host, "1")


def test_of_several_each_line_says_whose_it_is_in_the_order_of_time(two):
    lines = [line for line in out(two, "a", "b").splitlines() if "--" not in line]
    assert [line[:23] for line in lines] == sorted(line[:23] for line in lines)
    for gear, numbers in (("a", "135"), ("b", "246")):
        assert [line[24:] for line in lines if f" gear-{gear} " in line] == [f"gear-{gear} {word}" for word in (*numbers, f"end-{gear}")]


def test_the_forms(two):
    host = two
    assert [line for line in out(host, "-o", "cat", "a").splitlines() if "end" not in line] == ["1", "3", "5"]
    records = [json.loads(line) for line in out(host, "-o", "json", "a").splitlines()]
    assert [record["text"] for record in records if "mark" not in record] == ["1", "3", "5", "end-a"]
    host.sh("rm -rf /root/copy; mkdir /root/copy; gear log -o export -n all a b | "
            "/lib/systemd/systemd-journal-remote -o /root/copy/a.journal -")
    copied = host.sh("journalctl -q -D /root/copy -o cat SYSLOG_IDENTIFIER=gear-a").split()
    assert copied == ["1", "3", "5", "end-a"]


def test_what_is_asked_for(two):
    host = two
    assert out(host, "-o", "cat", "-n", "2", "a").split() == ["5", "end-a"]
    assert out(host, "-o", "cat", "--grep", "END", "a") == ""
    assert out(host, "-o", "cat", "--grep", "^END|end", "a") == "end-a\n"
    assert out(host, "-o", "cat", "--since", "-1h", "a").split() == ["1", "3", "5", "end-a"]
    assert out(host, "-o", "cat", "--until", "-1h", "a") == ""
    third = next(record["time"] for record in records_of(host, "a") if record["text"] == "3")
    assert out(host, "-o", "cat", "--until", third, "a").split() == ["1", "3"]
    assert out(host, "-o", "cat", "--until", third, "-n", "1", "a").split() == ["3"]
    assert out(host, "-f", "-o", "cat", "--until", third, "-n", "1", "a").split() == ["3"]
    assert out(host, "-o", "cat", "-p", "err", "a") == ""
    assert out(host, "-f", "-o", "cat", "--since", "-1h", "--until", "+2s", "a").split() == ["1", "3", "5", "end-a"]


def test_it_follows_over_a_restart_of_geard(host):
    made(host, command=saying("for i in $(seq 1 100); do echo $i; sleep 0.1; done; echo end"))
    host.sh("systemd-run --quiet --collect --unit=following sh -c 'exec gear log -f -n all -o cat 1 > /root/followed'")
    try:
        for _ in range(3):
            time.sleep(2)
            host.sh("systemctl reset-failed geard; systemctl restart geard")
        wait_until(lambda: host.sh("tail -n 1 /root/followed") == "end", 90, "it came to the end")
        assert host.sh("cat /root/followed").split() == [*map(str, range(1, 101)), "end"]
    finally:
        host.sh("systemctl stop following", check=False)


def messages(host, form):
    """(gear, line) of what gear log -f has written to /root/followed so far."""
    if form == "export":
        host.sh("rm -rf /root/copy; mkdir /root/copy; /lib/systemd/systemd-journal-remote -o /root/copy/a.journal /root/followed 2>/dev/null")
        words = host.sh("journalctl -q -D /root/copy -o json")
        return [(entry["SYSLOG_IDENTIFIER"], entry["MESSAGE"]) for entry in map(json.loads, words.splitlines())
                if entry["SYSLOG_IDENTIFIER"].startswith("gear-")]
    if form == "json":
        records = map(json.loads, host.sh("cat /root/followed").splitlines())
        return [(record["name"], record["text"]) for record in records if "mark" not in record]
    words = [line.split(" ", 3)[2:] for line in host.sh("cat /root/followed").splitlines() if "--" not in line]
    return [tuple(word) for word in words]


@pytest.mark.parametrize("form", ["text", "json", "export"])
def test_it_follows_several_over_restarts_of_geard(host, form):
    """While all of them speak; of each it has every line once, in its order."""
    for gear in ("a", "b", "c"):
        made(host, gear, command=saying("i=0; trap 'over=yes' USR1; while [ -z \"$over\" ]; do i=$((i+1)); echo $i; sleep 0.05; done; echo end"))
    host.sh(f"systemd-run --quiet --collect --unit=following sh -c 'exec gear log -f -n all -o {form} a b c > /root/followed'")
    try:
        for _ in range(3):
            size = int(host.sh("stat -c %s /root/followed 2>/dev/null || echo 0"))
            wait_until(lambda n=size: int(host.sh("stat -c %s /root/followed 2>/dev/null || echo 0")) > n + 1000, 60, "it follows")
            host.sh("systemctl reset-failed geard; systemctl restart geard")
        for gear in ("a", "b", "c"):
            host.docker("kill", "--signal=USR1", f"gear-{gear}")
        wait_until(lambda: host.sh("grep -c '\\bend\\b' /root/followed || true") == "3", 90, "it came to all ends")
        found = messages(host, form)
    finally:
        host.sh("systemctl stop following", check=False)
    for gear in ("a", "b", "c"):
        lines = [line for name, line in found if name == f"gear-{gear}"]
        assert lines == [*map(str, range(1, len(lines))), "end"] and len(lines) > 20, (gear, lines)


@pytest.mark.parametrize("form", ["text", "json", "export"])
def test_it_has_what_came_before_its_first_line(host, form):
    """… while geard was away."""
    made(host, command=saying("trap 'echo poked' USR1"))
    host.sh(f"systemd-run --quiet --collect --unit=following sh -c 'exec gear log -f -n 0 -o {form} 1 > /root/followed'")
    try:
        wait_until(lambda: "geard_streams 1" in host.peer("GET", "/metrics").text, 30, "it follows")
        host.systemctl("stop", "geard")
        host.docker("kill", "--signal=USR1", "gear-1")
        wait_until(lambda: "poked" in host.journal(None, "cat", "SYSLOG_IDENTIFIER=gear-1"), 30, "it said it")
        host.systemctl("start", "geard")
        wait_until(lambda: host.sh("grep -c poked /root/followed", check=False).strip() == "1", 30, "it is there")
    finally:
        host.sh("systemctl stop following", check=False)


def lines_of(records):
    """But for what docker's client says of itself, on the stderr that it has from the container: nobody can tell that."""
    return [record["text"] for record in records if "mark" not in record and not record["text"].startswith("time=")]


def words_of_helpers(host, gear):
    entries = host.journal_entries(f"_SYSTEMD_UNIT=gear-{gear}.service")
    return [entry["MESSAGE"] for entry in entries if entry["SYSLOG_IDENTIFIER"] != f"gear-{gear}"]


def test_a_helpers_words_are_not_the_gears(host):
    """While the engine is away gear-unit has some to say, in the gear's unit."""
    made(host, "helped", command=saying("echo here"))
    host.sh("systemd-run --quiet --collect --unit=following sh -c 'exec gear log -f -n all -o json helped > /root/followed'")

    def followed():
        return lines_of(map(json.loads, host.sh("cat /root/followed").splitlines()))

    try:
        wait_until(lambda: followed() == ["here"], 60, "it has spoken")
        host.systemctl("stop", "docker.service")
        wait_until(lambda: "waiting for docker.service" in words_of_helpers(host, "helped"), 60, "its helper waits, and says so")
        host.systemctl("start", "docker.service")
        wait_until(lambda: followed().count("here") == 2, 90, "it has spoken again")
        assert followed() == lines_of(records_of(host, "helped")) == ["here", "here"], words_of_helpers(host, "helped")
    finally:
        host.sh("systemctl start docker.service; systemctl stop following", check=False)


def test_colours_are_for_terminals_and_nothing_else_passes(host):
    made(host, command=saying(r"printf 'red \033[31mword\033[0m, title \033]0;owned\007, home \033[H\n'"))
    wait_until(lambda: records_of(host)[-1]["text"].startswith("red"), 90, "it has spoken")
    seen = host.sh("script -qec 'gear log 1' /dev/null")
    line = next(line for line in seen.splitlines() if "red" in line)
    assert "\x1b[31mword\x1b[0m" in line
    assert "\x1b]" not in line and "\x07" not in line and "\x1b[H" not in line
    assert COLOUR not in host.sh("NO_COLOR=1 script -qec 'gear log 1' /dev/null").replace("\x1b[31m", "").replace("\x1b[0m", "") \
        or "\x1b[2m" not in host.sh("NO_COLOR=1 script -qec 'gear log 1' /dev/null")


@pytest.mark.parametrize("words, status, said", [
    (["nobody"], 66, "there is no gear nobody"),
    ([], 64, "which one?"),
    (["-o", "xml", "1"], 64, "--output"),
    (["--grep", "(", "1"], 64, "grep"),
    (["--since", "never", "1"], 64, "since"),
    (["-n", "-1", "1"], 64, "tail"),
    (["--socket", "/run/nothing", "1"], 75, "/run/nothing"),
], ids=lambda value: shlex.join(value) if isinstance(value, list) else None)
def test_what_cannot_be_is_said(host, words, status, said):
    made(host, command=HOLD)
    done = log(host, *words, check=False)
    assert done.returncode == status and said in done.stderr.decode(), done


def test_of_a_job_and_of_a_repository(host):
    assert host.peer("PUT", "/jobs", {"id": "once", "image": "test/busybox", "command": ["sh", "-c", "echo one; echo two >&2"]}).status == 201
    assert host.peer("PUT", "/repository/once-made").status == 201
    try:
        wait_until(lambda: "ended" in out(host, "--job", "once"), 30, "journald has its end")
        assert sorted(out(host, "--job", "-o", "cat", "once").splitlines()) == ["one", "two"]
        wait_until(lambda: "-- ended --" in out(host, "--repository", "once-made"), 30, "and that of git's")
        assert b"there is no job twice" in log(host, "--job", "twice", check=False).stderr
        assert log(host, "--repository", "once", check=False).returncode != 0, "it is a job's name"
    finally:
        host.peer("DELETE", "/jobs/once")
        host.peer("DELETE", "/repository/once-made")
        host.systemctl("stop", "job-once", "job-once-made", check=False)
