# SPDX-License-Identifier: Apache-2.0
"""geard is killed in the middle of a change, at a system call that is told."""

from lib.host import SOCKET

MOST = 40  # calls of one kind in one change; more would be a change that never ends

# Kills geard when it enters the given call for the given time; says whether it came to that.
KILL = r"""
call=$1 n=$2 method=$3 target=$4 body=$5 socket=$6 type=$7
systemctl reset-failed geard.service
pid=$(systemctl show -P MainPID geard.service)
strace -f -qq -p "$pid" -o /dev/null -e trace="$call" -e inject="$call:signal=KILL:when=$n" &
tracer=$!
untraced() { grep -l '^TracerPid:.0$' /proc/"$pid"/task/*/status; }
while kill -0 "$tracer" && [ -n "$(untraced)" ]; do sleep 0.01; done
curl -s -o /dev/null --max-time 60 --unix-socket "$socket" -X "$method" ${body:+--data-binary "$body"} ${type:+-H "Content-Type: $type"} "http://localhost$target" &
client=$!
# strace may wait for ever for a process whose other thread it has killed: then it goes first.
dead() { ! grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null; }
while kill -0 "$client" && ! dead; do sleep 0.02; done
dead && kill -KILL "$tracer" 2>/dev/null
wait "$client" # nobody answers it when geard dies
answered=$?
sleep 0.1
dead && kill -KILL "$tracer" 2>/dev/null || kill "$tracer" 2>/dev/null
wait "$tracer"
[ "$answered" -eq 0 ] && ! dead && echo survived || echo killed
"""


def killed_at(host, call, n, method, target, body="", content_type=""):
    """"killed" at the n-th of these calls, or "survived", since it makes fewer."""
    return host.run("bash", "-c", KILL, "kill", call, str(n), method, target, body, SOCKET, content_type,
                    timeout=150).stdout.decode().strip()
