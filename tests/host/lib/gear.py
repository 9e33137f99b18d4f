# SPDX-License-Identifier: Apache-2.0
"""What cases ask of geard about gears, and what they hold it against: systemd,
the engine and the disk, asked directly."""

import json
import time

from lib.host import SOCKET
from lib.wait import wait_until

JSON = {"Accept": "application/json"}
HOLD = ["sh", "-c", "trap 'exit 0' TERM; echo up; while :; do sleep 0.2; done"]  # prints a line, ends when asked to

# One line per trace that a gear leaves on a host; drop-ins are the user's own.
TRACES = r"""
gear=$1
find /var/lib/gears /etc/systemd/system /run/systemd -path '*/git' -prune -o \
        \( -name "gear-$gear.service" -o -name "$gear" -o -name "$gear.env" -o -name ".*gear-$gear.*" -o -name "log-extra-fields:gear-$gear.service" \) -print 2>/dev/null
docker ps -aq --filter "name=^/gear-$gear\$" | sed 's/^/container /'
systemctl list-units --all --plain --no-legend "gear-$gear.service" | grep -v not-found | sed 's/^/unit /'
true
"""

# What systemd, the engine and geard say, the first two once more afterwards:
# only what did not move meanwhile can be held against geard.
COMPARE = r"""
truth() {
        systemctl show -p ActiveState -p SubState --value "gear-$1.service"
        if systemctl is-active -q docker; then
                timeout 20 docker ps -q --no-trunc --filter "name=^/gear-$1\$" | cut -c1-12
        fi
}
echo before $(truth "$1")
echo asked $(cut -d' ' -f1 /proc/uptime)
echo told $(curl -s --max-time 5 --unix-socket "$2" http://localhost/container/"$1"/status -H 'Accept: application/json' |
        jq -r '.unit.active, .unit.sub, if .state == "running" then .container else empty end')
echo after $(truth "$1")
"""


def create(host, gear="1", image="test/busybox", *, query="", timeout=90, **spec):
    """PUT /container/ID as root; the answer."""
    return host.peer("PUT", f"/container/{gear}{query}", {"image": image, **spec}, JSON, timeout=timeout)


def made(host, gear="1", image="test/busybox", **spec):
    """A gear that must come into being; the JSON of the answer."""
    answer = create(host, gear, image, **spec)
    assert answer.status == 201, answer
    return answer.json


def turn(host, gear, state, timeout=90):
    """PUT /container/ID/started, stopped or restarted; must work."""
    answer = host.peer("PUT", f"/container/{gear}/{state}", headers=JSON, timeout=timeout)
    assert answer.status == 200, answer
    return answer.json


def delete(host, gear, query=""):
    answer = host.peer("DELETE", f"/container/{gear}{query}")
    assert answer.status == 204, answer


def status(host, gear="1"):
    answer = host.peer("GET", f"/container/{gear}/status", headers=JSON, timeout=10)
    assert answer.status == 200, answer
    return answer.json


def traces(host, gear):
    """All that the host still knows of a gear, [] when nothing."""
    return host.run("bash", "-c", TRACES, "traces", gear).stdout.decode().splitlines()


def inspect(host, gear="1"):
    """The engine's word on a gear's container."""
    return json.loads(host.docker("inspect", f"gear-{gear}"))[0]


def knows_all(host):
    """geard answers, and knows systemd and the engine."""
    told = host.peer("GET", "/healthz", headers=JSON, timeout=5).json
    return told["status"] == "ok" and told["systemd"] and told["engine"]


def container_of(host, gear="1"):
    """The id of the running container, "" when there is none."""
    return host.docker("ps", "-q", "--no-trunc", "--filter", f"name=^/gear-{gear}$")


def runs(host, gear="1"):
    return status(host, gear)["state"] == "running" and container_of(host, gear) != ""


def wait_running(host, gear="1", seconds=90):
    return wait_until(lambda: runs(host, gear) and container_of(host, gear), seconds, f"gear {gear} runs")


def unit_is(host, gear, active, sub=None):
    shown = host.show(f"gear-{gear}")
    return shown["ActiveState"] == active and (sub is None or shown["SubState"] == sub)


def at_boot(host, gear="1"):
    """"enabled", or "linked" for one that is only known; by the files, for PID 1 remembers it until a reload."""
    return host.systemctl("is-enabled", f"gear-{gear}", check=False)


def log_lines(host, gear="1"):
    """What the container printed, by the journal."""
    return host.journal(None, "cat", f"SYSLOG_IDENTIFIER=gear-{gear}").splitlines()


def truth_is_told(host, gear="1", seconds=5, within=1.0):
    """For so many seconds, what GET status says is at most `within` behind systemd and the engine."""
    end = time.monotonic() + seconds
    wrong_since, truth, history = None, None, []
    while time.monotonic() < end or wrong_since:
        output = host.run("bash", "-c", COMPARE, "compare", gear, SOCKET).stdout.decode()
        said = dict(line.partition(" ")[::2] for line in output.splitlines())
        if said["told"] and (said["before"] != said["after"] or said["told"] == said["before"]):
            wrong_since, history = None, []
            continue
        # It may have been so before, but how long a look takes is not geard's doing.
        if wrong_since is None or said["before"] != truth:
            wrong_since, truth = float(said["asked"]), said["before"]
        behind = float(said["asked"]) - wrong_since
        history.append(f"{behind:.2f} s: geard says {said['told']!r}, it is {said['before']!r}")
        assert behind < within, "\n".join(history)
