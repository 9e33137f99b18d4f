# SPDX-License-Identifier: Apache-2.0
"""Making a repository, an archive of 100 MB of one, and a hundred made at once

Against `systemd-run --wait git init --bare`, and against git archive into a pipe.
While the hundred are made, the same paced load on a gear's status and on a bare
evhttp of the same size, both at once.
"""

from figures import report
from figures.burst import HELLO_PORT, RATE, TCP_STATUS

AT_ONCE = 100
ARCHIVE = "http://localhost/repository/large/content/main?format="


def make_large(yard):
    yard.configure("90-bench", "[Daemon]\nClonePaths=/srv/bench\n")
    yard.restart()
    yard.sh("""
mkdir -p /srv/bench; cd /srv/bench; git init -q -b main work; cd work
git config user.name x; git config user.email x@localhost
for i in $(seq 1 1000); do head -c 75000 /dev/urandom | base64 -w 0 > file-$i; done
git add .; git commit -qm all; git clone -q --bare . ../large; chmod -R a+rX /srv/bench
curl -sf -X PUT --unix-socket /run/geard/geard.sock http://localhost/repository/large -d '{"url":"file:///srv/bench/large"}'
""")


def measure(yard, args):
    runs = args.runs or 15
    yard.inside("start", 1)
    report.title(f"an empty repository, {runs} runs")
    took = yard.inside("repositories", runs)
    ours = report.side("geard PUT until 201", took["geard"], "ms")
    theirs = report.side("systemd-run --wait git init --bare", took["systemd-run"], "ms")
    report.ratio("ratio", ours, theirs, "<= 1.3")

    make_large(yard)
    for form, rounds in ("zip", max(3, runs // 3)), ("tar", runs):
        report.title(f"an archive of 100 MB as {form}, {rounds} runs")
        took = yard.inside("timed", rounds,
                           "geard", f"curl -sf --unix-socket /run/geard/geard.sock '{ARCHIVE}{form}' | cat > /dev/null", "git archive",
                           f"git -C /var/lib/gears/git/large -c safe.directory='*' archive --format={form} main | cat > /dev/null")
        report.side("geard", took["geard"], "ms")
        report.side("git archive", took["git archive"], "ms")
        report.rounds("ratio", took["geard"], took["git archive"], "<= 1.1")

    status = yard.token("GET", "container/status", headers={"Accept": "application/json"}, r="run-000")
    yard.start_hello(HELLO_PORT, len(status.body))
    rounds = max(5, runs // 3)
    report.title(f"{AT_ONCE} repositories at once, {rounds} times; meanwhile, {RATE} status requests a second, and as many of evhttp")
    took = yard.inside("repositories-at-once", rounds, AT_ONCE, RATE, TCP_STATUS, f"127.0.0.1:{HELLO_PORT}")
    report.side("all are made", took["all"], "ms")
    for what in "p50", "p99":
        ours = report.side(f"status {what}", took[f"status {what}"], "ms")
        theirs = report.side(f"evhttp {what}", took[f"evhttp {what}"], "ms")
        report.ratio(f"{what} ratio", ours, theirs, "<= 1.5" if what == "p99" else "")
