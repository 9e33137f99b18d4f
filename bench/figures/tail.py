# SPDX-License-Identifier: Apache-2.0
"""The last 100 lines of one gear in a journal of 2 GB with 500 units

Against journalctl -n 100 -u, in a journal of about 100 MB and in one twenty times
as large: of a unit that writes as much as the others, and of one that wrote only
at the very beginning.
"""

from figures import report

UNITS = [f"still-{n:06}" for n in range(500)]
QUIET = "quiet"
ENTRIES = 220_000  # to a file
FILES = 20


def ask(yard, runs, gear, lines):
    target = f"/container/{gear}/log?tail={lines}&follow=no"
    got = int(yard.sh(f"curl -s --unix-socket /run/geard/geard.sock 'http://localhost{target}' | grep -c said"))
    assert got == lines, f"{gear}: {got} lines"
    return yard.inside("take", runs, target, f"journalctl -q -o cat -n {lines} -u gear-{gear}.service")


def compare(yard, runs, size):
    medians = {}
    for what, gear, lines in ("a unit among 500", UNITS[77], 100), ("a unit silent for long", QUIET, 100):
        report.title(f"tail={lines} of {what}, journal of {size:.0f} MB, {runs} runs")
        took = ask(yard, runs, gear, lines)
        ours, theirs = (report.side(name, took[name], "ms") for name in ("geard", "journalctl"))
        report.ratio("ratio", ours, theirs, "<= 1.5")
        medians[what] = (ours, theirs)
    return medians


def measure(yard, args):
    runs = args.runs or 15
    yard.inside("populate", len(UNITS))
    yard.inside("still", QUIET)
    yard.restart()
    # the first whole second in which the gears are there: what is older is not theirs
    begin = (int(yard.sh("date +%s")) + 1) * 1_000_000
    size = yard.inside("fill", begin, 0, 1, 1000, QUIET)["MB"][0]
    begin += 1_000_000
    size += yard.inside("fill", begin, 1, 1, ENTRIES, *UNITS)["MB"][0]
    small = compare(yard, runs, size)
    size += yard.inside("fill", begin, 2, FILES - 1, ENTRIES, *UNITS)["MB"][0]
    large = compare(yard, runs, size)
    for what in small:
        report.title(f"growth with the journal: {what}")
        ours, theirs = (large[what][side] - small[what][side] for side in (0, 1))
        report.single("geard", ours, "ms")
        report.single("journalctl", theirs, "ms")
