# SPDX-License-Identifier: Apache-2.0
"""20 creates at once against 20 `docker run -d` at once, and the status meanwhile

The total time of each burst; and while it lasts, the same paced load on a
gear's status and on a bare evhttp of the same size, both at once.  A request
that could not be sent in time because its connection still waited counts from
when it was due.
"""

from figures import report

CREATES = 20
HELLO_PORT = 7790
TCP_STATUS = "/token/__test__/container/status?u=0&d=1&r=run-000"
RATE = 400  # requests a second on each of the two


def measure(yard, args):
    runs = args.runs or 7
    yard.inside("start", 1)
    status = yard.token("GET", "container/status", headers={"Accept": "application/json"}, r="run-000")
    yard.start_hello(HELLO_PORT, len(status.body))

    report.title(f"{CREATES} creates at once, {runs} bursts a side")
    took = yard.inside("burst", runs, CREATES, RATE, TCP_STATUS, f"127.0.0.1:{HELLO_PORT}")
    ours = report.side(f"{CREATES} geard PUTs until the last 201", took["geard"], "ms")
    theirs = report.side(f"{CREATES} docker run -d", took["docker"], "ms")
    report.ratio("ratio", ours, theirs, "<= 1.2")

    report.title(f"meanwhile, {RATE} status requests a second, and as many of evhttp")
    for burst in "geard", "docker":
        for what in "p50", "p99":
            ours = report.side(f"{burst} burst: status {what}", took[f"{burst} status {what}"], "ms")
            theirs = report.side(f"{burst} burst: evhttp {what}", took[f"{burst} evhttp {what}"], "ms")
            report.ratio(f"{burst} burst: {what} ratio", ours, theirs,
                         "<= 1.5" if (burst, what) == ("geard", "p99") else "")
