# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of tests/ and contrib/ share: words for the user, package
# lists, progress.  Sourced, never run, by scripts with set -euo pipefail.

self=${0##*/}

say() { printf '%s\n' "$*" >&2; }

# die CAUSE [REMEDY]: every way out tells what happened and what helps.
die() {
        printf '%s: %s\n' "$self" "$1" >&2
        [ $# -lt 2 ] || printf '%s  remedy: %s\n' "${self//?/ }" "$2" >&2
        exit 1
}

need_root() {
        [ "$(id -u)" -eq 0 ] || die "root is needed" "sudo $0${*:+ $*}"
}

# packages_for USE…: the packages needed for these uses, one a line.
packages_for() {
        awk -v uses="$*" '
                BEGIN { n = split(uses, want, " ") }
                /^[^#]/ { for (f = 2; f <= NF; f++) for (w = 1; w <= n; w++) if ($f == want[w]) print $1 }
        ' "${BASH_SOURCE[0]%/*}/packages" | sort -u
}

# tick LABEL [EXPECTED]: counts the lines of stdin as progress - in place on a
# terminal, every ten seconds elsewhere, also while none comes - and keeps the
# lines to itself.
tick() {
        local label=$1 expected=${2:+/$2} n=0 began=$SECONDS shown=$SECONDS status=0
        while [ "$status" -eq 0 ] || [ "$status" -gt 128 ]; do # above 128: read's time was up
                status=0
                IFS= read -r -t 10 _ || status=$?
                [ "$status" -ne 0 ] || n=$((n + 1))
                if [ -t 2 ]; then
                        printf '\r  %s %d%s, %d s\033[K' "$label" "$n" "$expected" $((SECONDS - began)) >&2
                elif [ $((SECONDS - shown)) -ge 10 ]; then
                        shown=$SECONDS
                        say "  $label $n$expected, $((SECONDS - began)) s"
                fi
        done
        [ -t 2 ] && printf '\r\033[K' >&2
        return 0
}

# missing_packages USE…: those of packages_for that are not installed.
missing_packages() {
        local package
        for package in $(packages_for "$@"); do
                [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
                        printf '%s\n' "$package"
        done
}

# install_packages LOG USE…: installs what is missing; apt's own words go to LOG.
install_packages() {
        local log=$1 missing
        shift
        mapfile -t missing < <(missing_packages "$@")
        [ ${#missing[@]} -gt 0 ] || return 0
        say "  installing ${#missing[@]} packages: ${missing[*]}"
        mkdir -p "${log%/*}"
        { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
                --no-install-recommends "${missing[@]}"; } < /dev/null 2>&1 | tee "$log" | tick "apt-get, lines:" ||
                die "apt-get failed: $(grep -m1 '^E:' "$log" || tail -n1 "$log")" \
                    "see $log; check the network and /etc/apt/sources.list, then run this again"
}
