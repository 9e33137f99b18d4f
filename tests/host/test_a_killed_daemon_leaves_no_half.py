# SPDX-License-Identifier: Apache-2.0
"""geard is killed at every system call of a change by which it alters the disk
or speaks to somebody.  When it is back, the gear is whole and runs, or nothing
of it is left; and the same request again does what it says."""

import json

import pytest

from lib.gear import JSON, container_of, delete, knows_all, made, status, traces
from lib.killing import MOST, killed_at
from lib.wait import wait_until

SPECS = {"create": {"image": "test/busybox", "env": {"A": "1"}},
         "replace": {"image": "test/busybox", "env": {"A": "2"}, "labels": {"a": "b"}, "replace": True}}
SYSCALLS = ("fsync", "renameat", "unlinkat", "sendmsg")
def change(host, call, n, what):
    method, body = ("DELETE", "") if what == "delete" else ("PUT", json.dumps(SPECS[what]))
    return killed_at(host, call, n, method, "/container/1", body)


def whole(host):
    """The labels and the environment of a gear that runs and of which nothing is missing, or None."""
    gear = status(host)
    files = host.sh("cd /var/lib/gears && find units env wanted previous -type f | sort; cat wanted/1; "
                    "ls /etc/systemd/system/multi-user.target.wants | grep gear-", check=False).split()
    if gear["state"] != "running" or not container_of(host) or "damage" in gear or \
            files != ["env/1.env", "units/gear-1.service", "wanted/1", "started", "gear-1.service"]:
        return None
    inside = host.run("docker", "exec", "gear-1", "sh", "-c", "echo $A", check=False).stdout.decode().strip()
    return (gear["labels"], inside)


OLD, NEW = ({}, "1"), ({"a": "b"}, "2")


def settled(host, what):
    """Whole or gone, whichever this change allows."""
    if host.peer("GET", "/container/1/status", timeout=5).status == 404:
        return what != "replace" and traces(host, "1") == [] and host.docker("ps", "-aq") == ""
    found = whole(host)
    return found in ((OLD, NEW) if what == "replace" else (OLD,))


@pytest.mark.takes(10)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("call", SYSCALLS)
@pytest.mark.parametrize("what", ["create", "replace", "delete"])
def test_killed_at(host, what, call):
    n = 0
    for n in range(1, MOST):
        if what != "create":
            made(host, **SPECS["create"])
        verdict = change(host, call, n, what)
        wait_until(lambda: knows_all(host), 60, "geard is back")
        wait_until(lambda: settled(host, what), 60, f"whole or gone, after {call} number {n}", every=0.2)

        if what == "delete":
            delete(host, "1")
        else:
            again = host.peer("PUT", "/container/1", SPECS[what], JSON)
            assert again.status in (200, 201), f"{call} number {n}: {again}"
            assert whole(host) == (OLD if what == "create" else NEW)
            delete(host, "1")
        assert traces(host, "1") == []
        if verdict == "survived":
            break
    print(f"killed at {n - 1} calls of {call}")
    assert 1 <= n < MOST
    assert n > 1 or (what, call) in (("create", "unlinkat"), ("delete", "renameat")), "it was never killed"
