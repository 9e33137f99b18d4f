# SPDX-License-Identifier: Apache-2.0
"""What one gear writes, eats and breaks is its own affair."""

import time

import pytest

from lib.gear import container_of, log_lines, made, runs, status, turn
from lib.wait import wait_until

pytestmark = pytest.mark.timeout(900)

FLOOD = 200_000
COUNTER = ["sh", "-c", "trap 'exit 0' TERM; n=0; while [ $n -lt 200 ]; do n=$((n + 1)); echo said $n; sleep 0.02; done; "
                       "while :; do sleep 0.2; done"]
SAID = [f"said {n}" for n in range(1, 201)]


def has_flooded(host, gear):
    """It has printed everything: from then on it holds, and its printers are gone."""
    return "seq" not in host.docker("top", gear, "-o", "pid,comm") and "hold" in host.docker("top", gear, "-o", "pid,args")


@pytest.fixture
def strict(host):
    """A host whose gears may log a thousand lines a minute."""
    host.configure("60-case", "[Daemon]\nLogRate=1000/60s\n")
    host.systemctl("reload", "geard")
    yield host
    host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl reload geard")


def test_a_burst_of_200000_lines_arrives_whole(host):
    made(host, "burst", image="test/flood", command=["flood", str(FLOOD)])
    wait_until(lambda: has_flooded(host, "gear-burst"), 200, "it has printed everything")
    host.sh("journalctl --sync")
    count = "journalctl -q -o cat SYSLOG_IDENTIFIER=gear-burst _SYSTEMD_INVOCATION_ID=" + host.show("gear-burst")["InvocationID"]
    wait_until(lambda: int(host.sh(f"{count} | wc -l", timeout=120)) == FLOOD, 90, "every line is in the journal")
    numbers = host.sh(f"{count} | awk '$2 != NR' | head -n 1", timeout=120)
    assert numbers == "", "and in its place"


def test_jobs_that_burn_the_processors_delay_nobody(host):
    """As many as there may be at once, and some that wait."""
    burn = {"image": "test/busybox", "command": ["sh", "-c", "while :; do :; done"], "stop_timeout": "1s"}
    jobs = [f"burn-{n}" for n in range(12)]
    for job in jobs:
        assert host.peer("PUT", f"/jobs/{job}?wait=0", burn).status == 202
    wait_until(lambda: len(host.docker("ps", "-q", "-f", "label=io.geard.job").split()) == 8, 90, "they burn")
    assert int(host.show("gear-jobs.slice")["CPUWeight"]) < 100
    began = time.monotonic()
    made(host, command=COUNTER)
    wait_until(lambda: log_lines(host)[-1:] == SAID[-1:], 90, "it has said all")
    assert host.peer("GET", "/container/1/log?follow=no&tail=all").text.splitlines()[-1] == SAID[-1]
    assert status(host)["state"] == "running"
    print(f"took {time.monotonic() - began:.1f} s beside them")
    for job in reversed(jobs):
        assert host.peer("DELETE", f"/jobs/{job}").status == 204
    host.sh("systemctl reset-failed 'job-burn-*'")


def test_no_limit_is_none(host):
    """More than journald lets through by itself, however large its disk is."""
    host.configure("60-case", "[Daemon]\nLogRate=0\n")
    host.systemctl("reload", "geard")
    try:
        made(host, "loud", command=["sh", "-c", f"seq 1 {FLOOD // 2}; echo end; while :; do sleep 0.2; done"], stop_timeout="1s")
        wait_until(lambda: log_lines(host, "loud")[-1:] == ["end"], 200, "it has printed everything", every=2)
        assert len(log_lines(host, "loud")) == FLOOD // 2 + 1
    finally:
        host.sh("rm /etc/geard/geard.conf.d/60-case.conf; systemctl reload geard")


def test_a_flood_suppresses_nobody_elses_lines(strict):
    host = strict
    made(host, "victim", command=COUNTER)
    made(host, "flood", image="test/flood", command=["flood", str(FLOOD)])
    wait_until(lambda: has_flooded(host, "gear-flood"), 200, "it has printed everything")
    made(host, "later", command=COUNTER)
    for gear in ("victim", "later"):
        wait_until(lambda: log_lines(host, gear)[-1:] == SAID[-1:], 90, f"{gear} came to its last line")
        assert [line for line in log_lines(host, gear) if line.startswith("said")] == SAID
    # the limit is there, or this case says nothing
    assert 1000 <= len(log_lines(host, "flood")) < FLOOD / 2


def test_one_that_crashes_and_one_that_eats_disturb_no_other(host):
    made(host, "calm")
    calm = container_of(host, "calm")
    made(host, "crashes", command=["sh", "-c", "sleep 3; exit 3"])
    made(host, "eats", restart="on-failure", memory="16M", command=["sh", "-c", "sleep 3; exec tail /dev/zero"])
    made(host, "forks", pids=20, stop_timeout="1s", command=["sh", "-c", "(while :; do sleep 600 & done); exec sleep 600"])
    wait_until(lambda: status(host, "eats")["restarts"] >= 2, 120, "it was killed for its memory, and again")
    wait_until(lambda: status(host, "crashes")["restarts"] >= 1, 30, "the other one crashed")
    made(host, "new")
    turn(host, "new", "restarted")
    assert container_of(host, "calm") == calm and runs(host, "calm") and status(host, "calm")["restarts"] == 0
