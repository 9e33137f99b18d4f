# SPDX-License-Identifier: Apache-2.0
"""The status of a gear while ten clients read a log of a million lines each

The same paced load on the status and on a bare evhttp of the same size, both at
once, first alone and then beside the readers.
"""

from figures import report
from figures.burst import HELLO_PORT, RATE, TCP_STATUS

GEAR = "still-000000"
ENTRIES, FILES = 200_000, 5
SECONDS = 20
LOG = f"/container/{GEAR}/log?tail=all&follow=no"


def measure(yard, args):
    yard.inside("populate", 1)
    yard.restart()
    yard.inside("start", 1)
    yard.inside("fill", (int(yard.sh("date +%s")) + 1) * 1_000_000, 0, FILES, ENTRIES, GEAR)
    got = int(yard.sh(f"curl -s --unix-socket /run/geard/geard.sock 'http://localhost{LOG}' | grep -c said"))
    assert got == ENTRIES * FILES, f"{got} lines"
    status = yard.token("GET", "container/status", headers={"Accept": "application/json"}, r="run-000")
    yard.start_hello(HELLO_PORT, len(status.body))
    for readers in 0, 10:
        report.title(f"{readers} readers of {ENTRIES * FILES:,} lines, {RATE} requests a second to each server, {SECONDS} s")
        took = yard.inside("beside", SECONDS, RATE, TCP_STATUS, f"127.0.0.1:{HELLO_PORT}", readers, LOG)
        report.single("read", took["MB read"][0] / SECONDS, "MB/s")
        for what in "p50", "p99":
            ours = report.side(f"status {what}", took[f"status {what}"], "ms")
            theirs = report.side(f"evhttp {what}", took[f"evhttp {what}"], "ms")
            report.ratio(f"{what} ratio", ours, theirs, "<= 3" if readers and what == "p99" else "")
