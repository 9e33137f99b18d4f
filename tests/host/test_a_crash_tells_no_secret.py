# SPDX-License-Identifier: Apache-2.0
"""A geard that crashes leaves no copy of its memory, which holds tokens and
environments, whatever limits its unit was given."""

import pathlib
import signal
import uuid

import pytest

from lib.gear import HOLD, JSON, made
from lib.host import URL
from lib.wait import wait_until

WHERE = "/var/lib/geard"  # geard may write there
DROP_IN = "/run/systemd/system/geard.service.d/cores.conf"

# How often each of the words on stdin is in the memory of process argv[1].
COUNT = r"""
import re, sys
words = sys.stdin.buffer.read().split()
found = dict.fromkeys(words, 0)
pid = sys.argv[1]
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
    for line in maps:
        start, end = (int(address, 16) for address in line.split()[0].split("-"))
        if line.split()[1].startswith("rw") and end - start < 1 << 30:  # a sanitizer's shadow is larger
            try:
                memory.seek(start)
                content = memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
            for word in words:
                found[word] += content.count(word)
print(*(found[word] for word in words))
"""


def in_memory(host, pid, *secrets):
    counts = host.run("python3", "-c", COUNT, pid, stdin="\n".join(secrets)).stdout.split()
    return [int(count) for count in counts]


def cores(host):
    """What the kernel wrote of processes that crashed in WHERE."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()
    assert not pattern.startswith(("|", "/")), f"cores of this machine go to {pattern}: they cannot be looked for"
    return host.sh(f"find {WHERE} -maxdepth 1 -name '*{pattern.partition('%')[0]}*' -type f").split()


@pytest.fixture
def careless(host):
    """One whose administrator has asked for cores, where they can be written."""
    host.sh(f"mkdir -p {DROP_IN.rpartition('/')[0]}; "
            f"printf '[Service]\\nLimitCORE=infinity\\nWorkingDirectory={WHERE}\\n' > {DROP_IN}; "
            "systemctl daemon-reload; systemctl restart geard")
    yield host
    host.sh(f"rm -f {DROP_IN} {WHERE}/core*; systemctl daemon-reload; systemctl reset-failed geard; systemctl restart geard")


def test_as_installed_no_core_is_asked_for(host):
    assert host.show("geard.service")["LimitCORE"] == "0"


@pytest.mark.parametrize("name", ["ABRT", "SEGV"])
def test_a_crash_leaves_no_core(careless, name):
    host = careless
    token, value, planted = f"{uuid.uuid4().hex}.{uuid.uuid4().hex}.{uuid.uuid4().hex}", uuid.uuid4().hex, uuid.uuid4().hex
    host.sh(f"systemd-run --quiet --wait -p LimitCORE=infinity -p WorkingDirectory={WHERE} -E SECRET={planted} "
            f"sh -c 'kill -{name} $$$$' || true")  # systemd reads $$ as $
    found = cores(host)
    assert found and host.sh(f"grep -lF {planted} {found[0]}") == found[0], "what this looks for it would find"
    host.sh(f"rm {' '.join(found)}")

    made(host, command=HOLD, env={"PASSWORD": value})
    assert host.curl("PUT", f"{URL}/token/{token}/container/started").status == 403
    assert host.peer("GET", "/container/1/env", headers=JSON).json == {"PASSWORD": value}
    pid = host.show("geard.service")["MainPID"]
    assert host.sh(f"grep -c 'Max core file size *unlimited' /proc/{pid}/limits") == "1"
    assert sum(in_memory(host, pid, token, value)) > 0, "there is something to leak"

    host.sh(f"kill -{name} {pid}")
    wait_until(lambda: host.show("geard.service")["MainPID"] not in ("0", pid), 20, "geard is there again")
    number = signal.Signals["SIG" + name].value
    assert f"status={number}/{name}" in host.journal("geard", "cat", "-n", "30"), "it died of that"
    assert cores(host) == []
    leaked = host.sh(f"grep -rlF -e {token} -e {value} {WHERE} /tmp /run/geard || true")
    assert leaked == ""
