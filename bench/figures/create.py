# SPDX-License-Identifier: Apache-2.0
"""create-to-running against `docker run -d`, with 1, 1,000 and up to 5,000 gears installed

geard: from before the connection is made until the 201 is read; that the
container's process lives is checked after it.  docker: the client's whole run.
Removing what was made is outside of the clock on both sides.
"""

from figures import report

UNITS = [1, 1000, 2500, 5000]
GOALS = {1: "<= 1.2", 1000: "<= 1.35"}


def measure(yard, args):
    runs = args.runs or 15
    for units in args.units or UNITS:
        yard.populate(units)
        report.title(f"create with {units:,} installed, {runs} runs")
        took = yard.inside("create", runs)
        ours = report.side("geard PUT until 201", took["geard"], "ms")
        theirs = report.side("docker run -d", took["docker"], "ms")
        report.ratio("ratio", ours, theirs, GOALS.get(units, ""))
