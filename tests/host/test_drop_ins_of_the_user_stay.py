# SPDX-License-Identifier: Apache-2.0
"""A drop-in of the user's own counts for every definition that the gear ever has, and nobody touches it."""

import pytest

from lib.gear import container_of, create, delete, made, turn, wait_running
from lib.wait import wait_until

DROP_IN = "/etc/systemd/system/gear-1.service.d/mine.conf"
TEXT = "# mine\n[Service]\nOOMScoreAdjust=123\n"


@pytest.fixture
def tuned(host):
    """A gear with a drop-in, as `systemctl edit` leaves it."""
    made(host, labels={"v": "1"})
    host.sh(f"mkdir -p $(dirname {DROP_IN}) && cat > {DROP_IN} && systemctl daemon-reload", stdin=TEXT)
    yield host
    host.sh(f"rm -rf $(dirname {DROP_IN}) && systemctl daemon-reload")


def replaced(host):
    assert create(host, labels={"v": "2"}, replace=True).status == 201


def replaced_in_vain(host):
    assert create(host, image="test/crash", replace=True).status == 500
    wait_running(host)


def made_anew(host):
    delete(host, "1")
    assert host.sh(f"cat {DROP_IN}") + "\n" == TEXT, "it outlives its gear"
    made(host, labels={"v": "3"})


def created_in_vain(host):
    delete(host, "1")
    assert create(host, image="test/crash").status == 500
    made(host, labels={"v": "3"})


def moved(host):
    """The gear is adopted, as if its directory had come from another host."""
    host.sh("echo elsewhere > /var/lib/gears/host && systemctl restart geard")
    wait_until(lambda: host.sh("cmp -s /etc/machine-id /var/lib/gears/host && echo yes", check=False) == "yes", 20,
               "it is at home again")


CHANGES = {
    "restarted": lambda host: turn(host, "1", "restarted"),
    "stopped and started": lambda host: (turn(host, "1", "stopped"), turn(host, "1", "started")),
    "replaced": replaced, "replaced in vain": replaced_in_vain, "deleted and created": made_anew,
    "created in vain": created_in_vain, "moved": moved,
    "geard restarted": lambda host: host.systemctl("restart", "geard"),
}


@pytest.mark.parametrize("reload", [False, True], ids=["", "reload"])
@pytest.mark.parametrize("change", CHANGES)
def test_it_counts_after(tuned, change, reload):
    host = tuned
    CHANGES[change](host)
    if reload:
        host.systemctl("daemon-reload")
    turn(host, "1", "restarted")
    shown = host.show("gear-1")
    assert shown["OOMScoreAdjust"] == "123" and DROP_IN in shown["DropInPaths"]
    assert host.sh(f"cat /proc/{shown['MainPID']}/oom_score_adj") == "123", "the process has it, too"
    assert host.sh(f"cat {DROP_IN}") + "\n" == TEXT
    assert container_of(host)
