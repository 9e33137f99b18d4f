#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Requests per second of the front end against libevent's own HTTP server, the
# same body from both, interleaved; then the memory of idle keep-alive
# connections of both.
#
#   bench/http.sh [BUILD-DIR]
#
# ROUNDS=5 SECONDS_EACH=3 CONNECTIONS=32 BODY=512 may be set.  Needs wrk.
set -eu
build=${1:-.}
rounds=${ROUNDS:-5} duration=${SECONDS_EACH:-3} connections=${CONNECTIONS:-32} body=${BODY:-512}
ours=$build/tests/front/front-server theirs=$build/bench/evhttp-hello
port=${PORT:-7790}
for program in "$ours" "$theirs"; do
        [ -x "$program" ] || { echo "$program is not there: make tests/front/front-server bench/evhttp-hello" >&2; exit 2; }
done
command -v wrk >/dev/null || { echo "wrk is not there: apt-get install wrk" >&2; exit 2; }

dir=$(mktemp -d)
"$ours" --quiet --hello="$body" --requests-max=1000000000 --per-address-max=0 --listen=127.0.0.1:"$port" 2>"$dir/ours.log" &
ours_pid=$!
"$theirs" $((port + 1)) "$body" &
theirs_pid=$!
trap 'kill $ours_pid $theirs_pid 2>/dev/null; rm -rf "$dir"' EXIT
sleep 0.5

# one NAME PORT: a round, its requests per second appended to that name's file
one() {
        wrk -t1 -c"$connections" -d"${duration}s" "http://127.0.0.1:$2/hello" >"$dir/out"
        if grep -q 'Non-2xx\|Socket errors' "$dir/out"; then
                cat "$dir/out" >&2
                exit 1
        fi
        awk '/^Requests\/sec/ { print $2 }' "$dir/out" >>"$dir/$1"
}
median() {
        sort -n "$dir/$1" | awk '{ a[NR] = $1 } END { print (NR % 2) ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}
rss() {
        awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

i=0
while [ "$i" -lt "$rounds" ]; do
        one ours "$port"
        one theirs $((port + 1))
        i=$((i + 1))
done
echo "$rounds rounds of $duration s, $connections connections, $body bytes, medians:"
awk -v o="$(median ours)" -v t="$(median theirs)" \
        'BEGIN { printf "  front end  %9.0f requests/s\n  evhttp     %9.0f requests/s\n  ratio      %9.2f\n", o, t, o / t }'

# crowd PORT PID: RSS per idle connection, each having had one answer
crowd() {
        before=$(rss "$2")
        /usr/bin/python3 - "$1" "$2" "$before" <<'PY'
import socket, sys
port, pid, before, n = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), 900
held = []
for _ in range(n):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n")
    s.recv(65536)
    held.append(s)
after = next(int(l.split()[1]) for l in open(f"/proc/{pid}/status") if l.startswith("VmRSS"))
print(f"{(after - before) / n:.2f}")
PY
}
echo "  idle keep-alive connection: front end $(crowd "$port" "$ours_pid") KiB, evhttp $(crowd $((port + 1)) "$theirs_pid") KiB"
