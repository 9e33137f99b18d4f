# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Configuring and building a tree of geard; for tests/run and contrib/quickstart,
# which source this after common.sh.

# build_tree SOURCE DIR LOG [CONFIGURE ARGUMENT…]: configures DIR when it must
# and builds it.  What went wrong is told; LOG has all of it.
build_tree() {
        local source=$1 dir=$2 log=$3
        shift 3
        mkdir -p "$dir" "${log%/*}"
        if [ ! -x "$source/configure" ] || [ "$source/configure.ac" -nt "$source/configure" ]; then
                say "  autogen"
                "$source/autogen.sh" > "$log" 2>&1 < /dev/null || { build_failed "autogen.sh" "$log"; return 1; }
        fi
        if [ ! -e "$dir/config.status" ] || [ "$(cat "$dir/.arguments" 2>/dev/null)" != "$*" ]; then
                say "  configure ${dir#"$source/"} $*"
                (cd "$dir" && "$source/configure" --quiet --prefix=/usr --sysconfdir=/etc --localstatedir=/var "$@") \
                        > "$log" 2>&1 < /dev/null || { build_failed "configure" "$log"; return 1; }
                echo "$*" > "$dir/.arguments"
        fi
        say "  make ${dir#"$source/"}"
        make_in "$dir" "$log" all || { build_failed "make" "$log"; return 1; }
}

make_in() { # make_in DIR LOG TARGET…
        local dir=$1 log=$2
        shift 2
        make -k -j"$(nproc)" -C "$dir" "$@" < /dev/null 2>&1 | tee "$log" | tick "make, lines:"
        return "${PIPESTATUS[0]}"
}

build_failed() { # build_failed WHAT LOG
        grep -E 'error:|Error [0-9]|\*\*\*' "$2" | head -n 20 >&2 || tail -n 5 "$2" >&2
        say "$1 failed, all it said is in $2"
}
