# SPDX-License-Identifier: Apache-2.0
"""What a million remembered requests cost: disk, start, one lookup, memory

Answers as PUT /container gives them, written and looked up by the daemon's own
code on the disk that holds /var/tmp; ids in no order.
"""

import os
import subprocess
import tempfile

from figures import report

NUMBER = 1_000_000
GOALS = {"start": "<= 300 ms", "lookup": "<= 50 us", "disk": "<= 500 MB"}


def measure(_yard, args):
    report.title(f"{NUMBER:,} remembered requests")
    program = os.path.join(os.environ["GEARD_BUILD"], "bench/remember")
    for _ in range(args.runs or 1):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
            printed = subprocess.run([program, directory, str(NUMBER)], check=True, stdout=subprocess.PIPE, text=True)
        for line in printed.stdout.splitlines():
            name, value, unit = line.rsplit(" ", 2)
            report.single(name, float(value), unit, GOALS.get(name, ""))
