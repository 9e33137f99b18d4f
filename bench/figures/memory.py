# SPDX-License-Identifier: Apache-2.0
"""Memory idle and with 5,000 gears installed, and exec to READY with them

RssAnon is what the daemon holds for itself, VmRSS counts its libraries too.
READY means that the list is whole: it is read at once and held against systemd
and the Engine.
"""

from collections import Counter

from figures import report

UNITS = 5000
RUNNING = 3


def exec_to_ready(yard):
    """ms from the exec of the daemon to its READY=1, by systemd's own clock."""
    show = yard.show("geard.service")
    return (int(show["ActiveEnterTimestampMonotonic"]) - int(show["ExecMainStartTimestampMonotonic"])) / 1000


def states(yard):
    listing = yard.peer("GET", "/containers?fields=id,state", headers={"Accept": "application/json"}).json
    return Counter(gear["state"] for gear in listing["containers"])


def true_states(yard, units):
    """What systemd and the Engine say, from their own programs."""
    active = yard.sh("systemctl list-units --plain --no-legend --state=active 'gear-*.service' | wc -l")
    running = yard.sh("docker ps --quiet --filter label=io.geard.id | wc -l")
    assert int(active) == int(running) == RUNNING
    return Counter(running=RUNNING, stopped=units - RUNNING)


def measure(yard, args):
    runs = args.runs or 7
    units = args.units[-1] if args.units else UNITS
    yard.restart()
    yard.curl("GET", "/healthz")
    idle = yard.memory()
    report.title("memory, no gears")
    report.single("RssAnon", idle["RssAnon"], "KiB", "<= 4096")
    report.single("VmRSS", idle["VmRSS"], "KiB")

    yard.inside("start", RUNNING)
    yard.populate(units - RUNNING)
    took = []
    for _ in range(runs):
        yard.restart()
        found = states(yard)
        took.append(exec_to_ready(yard))
        wanted = true_states(yard, units)
        assert found == wanted, f"the list after READY says {found}, {wanted} is true"
    full = yard.memory()
    report.title(f"memory, {units:,} gears installed, {RUNNING} of them running, after a list of all")
    for name in "RssAnon", "VmRSS":
        report.single(name, full[name], "KiB")
        report.single(f"{name} a gear", (full[name] - idle[name]) / units, "KiB", "<= 2" if name == "RssAnon" else "")
    report.title(f"exec to READY with {units:,} gears installed, {runs} starts, each with a true list")
    report.side("exec to READY", took, "ms")
    report.note("goal <= 250 ms")
