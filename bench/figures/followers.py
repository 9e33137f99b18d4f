# SPDX-License-Identifier: Apache-2.0
"""A thousand followers of one gear and of a hundred, and one alone

From the moment journald took a line, as the record has it, to the moment a client
has read it; memory and processor time of geard meanwhile.
"""

from figures import report

SECONDS = 15
ALL = {"followers that miss a line": "0"}


def one(yard, title, count, gears, goals):
    yard.sh("for g in /var/lib/gears/units/gear-say-*; do g=${g##*/gear-}; "
            "curl -sf -X DELETE --unix-socket /run/geard/geard.sock http://localhost/container/${g%.service}; done; true")
    yard.restart()
    figures = yard.inside("followers", count, gears, SECONDS)
    report.title(f"{title}, {SECONDS} s")
    for name, unit in (("median", "ms"), ("p99", "ms"), ("kB a follower", "kB"), ("cores", ""), ("lines a second", "/s"),
                       ("followers that miss a line", "")):
        report.single(name, figures[name][0], unit, goals.get(name, ""))


def measure(yard, args):
    yard.configure("90-bench", "[Daemon]\nLogRate=0\n")
    one(yard, "one follower of a gear that writes 100 lines a second", 1, 1, {"median": "<= 10", "lines a second": ">= 95", **ALL})
    one(yard, "1,000 followers of one gear that writes 100 lines a second", 1000, 1,
        {**ALL, "p99": "<= 250", "kB a follower": "<= 32", "cores": "<= 1"})
    one(yard, "1,000 followers of 100 gears that write 100 lines a second together", 1000, 100,
        {**ALL, "p99": "<= 250", "kB a follower": "<= 32", "cores": "<= 1"})
