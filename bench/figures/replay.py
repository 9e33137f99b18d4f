# SPDX-License-Identifier: Apache-2.0
"""200,000 lines of one gear over HTTP against journalctl, and against gatewayd

Into a file each, in turn: text, then JSON with the fields that journalctl is
asked for.
"""

from figures import report

LINES = 200_000
UNIT = "gear-run-000.service"
FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_SYSTEMD_INVOCATION_ID"
OURS = "curl -s --unix-socket /run/geard/geard.sock 'http://localhost/container/run-000/log?tail=all&follow=no'"
GATEWAY = f"curl -s -H 'Accept: text/plain' 'http://127.0.0.1:19531/entries?_SYSTEMD_UNIT={UNIT}'"


def compare(yard, runs, sides, gets):
    figures = yard.inside("timed", runs, *(word for side in sides.items() for word in side))
    for name in sides:
        lines = int(yard.sh(f"grep -c said /tmp/{name.replace(' ', '-')}"))
        assert lines == gets, f"{name}: {lines} lines"
    for name in sides:
        report.side(name, figures[name], "ms")
    return figures


def measure(yard, args):
    runs = args.runs or 9
    yard.configure("90-bench", "[Daemon]\nLogRate=0\n")
    yard.restart()
    yard.inside("speak", LINES)
    yard.systemctl("start", "systemd-journal-gatewayd.socket")
    report.title(f"replay of {LINES:,} lines as text, {runs} runs")
    took = compare(yard, runs, {"geard text": OURS, "journalctl -o cat": f"journalctl -q -o cat -u {UNIT}",
                                "gatewayd text": GATEWAY}, LINES)
    report.rounds("text / journalctl", took["geard text"], took["journalctl -o cat"], "<= 1.3")
    report.rounds("gatewayd / geard text", took["gatewayd text"], took["geard text"], ">= 5")
    report.title(f"… as JSON lines, {runs} runs")
    took = compare(yard, runs, {"geard JSON": f"{OURS} -H 'Accept: application/json'",
                                "journalctl -o json": f"journalctl -q -o json --output-fields={FIELDS} -u {UNIT}"}, LINES)
    report.rounds("journalctl / geard JSON", took["journalctl -o json"], took["geard JSON"], ">= 3")
