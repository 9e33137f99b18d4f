# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The rings of tests/run, which sources this: ring_NAME [FILE[::CASE]…] runs one
# ("all" stands for all of it) and records every case in the tally.
# shellcheck disable=SC2154 # tests, top, build, logs, word, keep, sanitize are tests/run's

# record pass|fail NAME: one case.
record() {
        printf '%s %s\n' "$1" "$2" >> "$logs/tally"
        if [ "$1" = pass ]; then say "  ok $2"; else say "  FAILED $2"; fi
}

# check NAME COMMAND…: a case that is one command; its output shows when it fails.
check() {
        local name=$1 log=$logs/${1//[^A-Za-z0-9._-]/-}.log
        shift
        if "$@" > "$log" 2>&1 < /dev/null; then
                record pass "$name"
                rm -f "$log"
        else
                tail -n 60 "$log" >&2
                record fail "$name (all of it: $log)"
                return 1
        fi
}

# selected NAME PART…: is NAME asked for, by the parts of this ring and by -k?
selected() {
        local name=${1%.c} part
        shift
        [[ -z $word || $name == *"$word"* ]] || return 1
        for part; do
                [[ $part == all || ${part%.c} == "$name" || ${part%.c} == "${name##*/}" ]] && return 0
        done
        return 1
}

# each_of FUNCTION ARGUMENT…: FUNCTION for every line of stdin, as many at once
# as there are processors.
each_of() {
        local item
        while read -r item; do
                while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
                "$@" "$item" &
        done
        wait
}

only_selected() { # only_selected PART…: filters stdin
        local item
        while read -r item; do ! selected "$item" "$@" || echo "$item"; done
}

# --- building ----------------------------------------------------------------

# built DIR [CONFIGURE ARGUMENT…]: a tree that does not build is a failed case.
built() {
        local dir=$1
        shift
        build_tree "$top" "$dir" "$logs/build-${dir##*/}.log" "$@" || {
                record fail "building ${dir#"$top/"}"
                return 1
        }
}

main_build() { built "$build" --enable-werror; }
# gcc's shared libasan and libubsan each have a log_path, of which only one is set.
sanitized_build() {
        built "$build/sanitized" --enable-werror --enable-sanitizers LDFLAGS="-static-libasan -static-libubsan"
}

# What the rings front and host run: the plain build, or the one of --sanitize.
tested() { echo "$build${sanitize:+/sanitized}"; }
tested_build() { if [ -n "$sanitize" ]; then sanitized_build; else main_build; fi; }

# The compiler flags a tree was configured with.
flags_of() {
        # shellcheck disable=SC2016 # make's own variables
        make -s -C "$1" --eval='geard-flags:; @echo $(DEFS) -I. $(AM_CPPFLAGS) $(AM_CFLAGS)' geard-flags
}

# files PATH…: those of the project below; all there are in a tarball, which has no git.
files() {
        (cd "$top" && { git -c "safe.directory=$top" ls-files -- "$@" 2>/dev/null || find "$@" -type f; })
}

sources() { files src | grep '\.c$'; }

# --- unit --------------------------------------------------------------------

# check_programs DIR: what `make check` runs there.
check_programs() {
        # shellcheck disable=SC2016
        make -s -C "$1" --eval='geard-tests:; @echo $(TESTS)' geard-tests | tr ' ' '\n' | grep .
}

# tally_tests DIR LABEL PROGRAM…: from the logs of `make check`, every cmocka case
# or, of a program without them, the program.
tally_tests() {
        local dir=$1 label=$2 program base
        shift 2
        for program; do
                base=$dir/${program%.sh}
                if ! grep -q ':test-result:' "$base.trs" 2>/dev/null; then
                        record fail "$label $program: it did not run"
                        continue
                fi
                sed -nE "s|^ok [0-9]+ -? ?(.*)|pass $label $program: \1|p; s|^not ok [0-9]+ -? ?(.*)|fail $label $program: \1|p" \
                        "$base.log" > "$logs/cases"
                cat "$logs/cases" >> "$logs/tally"
                if grep -q ':test-result: PASS' "$base.trs"; then
                        [ -s "$logs/cases" ] || echo "pass $label $program" >> "$logs/tally"
                        say "  ok $label $program ($(grep -c . "$logs/cases" || true) cases)"
                else
                        tail -n 30 "$base.log" >&2
                        say "  FAILED $label $program"
                        grep -q '^fail' "$logs/cases" || echo "fail $label $program: ended early or skipped" >> "$logs/tally"
                fi
        done
        rm -f "$logs/cases"
}

# unit_in DIR LABEL PROGRAM…
unit_in() {
        local dir=$1 label=$2 program
        shift 2
        for program; do rm -f "$dir/${program%.sh}".{trs,log}; done
        CMOCKA_MESSAGE_OUTPUT=TAP make_in "$dir" "$logs/check-$label.log" check TESTS="$*" || true
        tally_tests "$dir" "$label" "$@"
}

ring_unit() {
        local program programs=()
        main_build
        for program in $(check_programs "$build"); do
                ! selected "$program" "$@" || programs+=("$program")
        done
        [ ${#programs[@]} -gt 0 ] || return 0
        unit_in "$build" plain "${programs[@]}"
        sanitized_build
        unit_in "$build/sanitized" sanitized "${programs[@]}"
        compiled "${programs[@]}" | each_of valgrind_one
}

compiled() { # compiled PROGRAM…: those that are no scripts
        local program
        for program; do
                [ ! -f "$build/$program" ] || # a script, in an out-of-tree build
                        [ "$(head -c 4 "$build/$program" | tail -c 3)" != ELF ] || echo "$program"
        done
}

valgrind_one() {
        check "valgrind $1" env -C "$build" srcdir="$top" valgrind --quiet --leak-check=full \
                --errors-for-leak-kinds=definite --error-exitcode=99 "./$1" || true
}

# --- static ------------------------------------------------------------------

our_scripts() {
        files tests contrib bench .ci autogen.sh man units | while read -r file; do
                case $(head -c 64 "$top/$file" | head -n 1 | tr -d '\0') in
                '#!'*sh | '#!'*'sh '*) echo "$file" ;;
                *) [[ $file != *.sh ]] || echo "$file" ;;
                esac
        done
}

# What gcc 12 gets wrong in every file: it neither follows ownership into arrays
# nor believes that an out-parameter is written when its function returned 0.
# Leaks and uninitialised memory are left to the sanitizers, valgrind and clang.
analyzer_wrong=(-Wno-analyzer-malloc-leak -Wno-analyzer-use-of-uninitialized-value
        -Wno-analyzer-null-dereference -Wno-analyzer-null-argument)

analyze() { # analyze FLAGS FILE
        # shellcheck disable=SC2086 # flags are words
        check "analyzer $2" env -C "$build" gcc $1 -O2 -g -fanalyzer "${analyzer_wrong[@]}" -Werror \
                -c "$top/$2" -o /dev/null || true
}

tidy() { # tidy FLAGS FILE
        # shellcheck disable=SC2086
        check "clang-tidy $2" env -C "$build/clang" clang-tidy --quiet --warnings-as-errors='*' "$top/$2" -- $1 || true
}

lint_script() { check "shellcheck $1" env -C "$top" shellcheck -x "$1" || true; }

ring_static() {
        our_scripts | only_selected "$@" | each_of lint_script
        main_build
        built "$build/clang" CC=clang --enable-werror
        ! selected clang "$@" || check "clang -Werror" make -s -C "$build/clang" check TESTS= || true
        sources | only_selected "$@" | each_of analyze "$(flags_of "$build")"
        sources | only_selected "$@" | each_of tidy "$(flags_of "$build/clang")"
}

# --- fuzz --------------------------------------------------------------------

FUZZ_RUNS=${FUZZ_RUNS:-50000}

ring_fuzz() {
        local program name
        built "$build/fuzz" CC=clang --enable-werror --enable-fuzzers
        while read -r program; do
                name=${program##*/}
                selected "$name" "$@" || continue
                fuzz_one "$program" "$name" || true
        done < <(find "$build/fuzz/tests/fuzz" -maxdepth 1 -type f -executable -name 'fuzz-*' | sort)
}

# The corpus of the tree is read; what is found goes to build/.
fuzz_one() { # fuzz_one PROGRAM NAME
        local found=$build/fuzz/found/$2 corpus=$top/tests/fuzz/corpus/${2#fuzz-}
        mkdir -p "$found"
        [ -d "$corpus" ] || corpus=
        check "$2, $FUZZ_RUNS runs" env -C "$build/fuzz" "$1" -runs="$FUZZ_RUNS" -max_total_time=120 -seed=1 -timeout=10 \
                -rss_limit_mb=2048 -artifact_prefix="$logs/$2-" "$found" ${corpus:+"$corpus"}
}

# --- front and host ----------------------------------------------------------

# run_pytest RING PART…
run_pytest() {
        local ring=$1 part targets=() arguments=()
        shift
        set -- "${@/differential/}"
        for part; do
                [ -n "$part" ] || continue
                if [ "$part" = all ]; then targets+=("$tests/$ring"); else targets+=("$tests/$ring/$part"); fi
        done
        [ ${#targets[@]} -gt 0 ] || return 0
        [ -z "$word" ] || arguments+=(-k "$word")
        [ "$ring" != host ] || arguments+=(--numprocesses "$HOST_WORKERS" --dist loadfile)
        # 5 says that no case was selected, which -k may well do.
        GEARD_TALLY=$logs/tally GEARD_BUILD=$(tested) GEARD_SANITIZED=$sanitize GEARD_TEST_LOGS=$logs GEARD_KEEP=$keep \
                PYTHONDONTWRITEBYTECODE=1 \
                /usr/bin/python3 -m pytest -qq -rN -o console_output_style=classic "${arguments[@]}" "${targets[@]}" < /dev/null >&2 || case $? in
        1) ;;
        5) [ -n "$word" ] || return 1 ;;
        *) return 1 ;;
        esac
}

# Our parser against Node's.
DIFFERENTIAL_CASES=${DIFFERENTIAL_CASES:-1000000}

ring_front() {
        tested_build
        make_in "$(tested)" "$logs/build-front.log" tests/front/front-server ||
                { build_failed "make of the test server" "$logs/build-front.log"; return 1; }
        FRONT_SERVER=$(tested)/tests/front/front-server run_pytest front "$@"
        ! selected differential "$@" ||
                check "differential, $DIFFERENTIAL_CASES requests" make -s -C "$(tested)" check-differential \
                        CASES="$DIFFERENTIAL_CASES" SEED=1 || true
}

# Cases mostly wait, for a boot or the end of a timeout: one worker more than processors.
HOST_WORKERS=${HOST_WORKERS:-$(($(nproc) + 1))}

hosts_down() { "$tests/lib/testhost" down --all; }

# slowest AFTER: the ten of the tally that took longest, of those behind line AFTER.
slowest() {
        tail -n "+$(($1 + 1))" "$logs/tally" | sed -nE 's/^[a-z]+ (.*) \(([0-9.]+) s\)$/\2 s \1/p' |
                sort -rn | sed -n '1i\  what took longest:
                        1,10s/^/    /p' >&2
}

ring_host() {
        local shared=shared before
        [ -z "$sanitize" ] || shared=sanitized
        need_root
        tested_build
        [ -n "$keep" ] || hosts_down
        "$tests/lib/testhost" base > /dev/null
        before=$(wc -l < "$logs/tally")
        run_pytest host "$@"
        slowest "$before"
        [ -z "$keep" ] || say "  the host stays: GEARD_TESTS_STATE=$GEARD_TESTS_STATE tests/lib/testhost sh $shared"
}

# --- dist --------------------------------------------------------------------

ring_dist() {
        selected distcheck "$@" || return 0
        main_build
        # VERBOSE shows the log of a test that failed: nobody gets at the directory of a CI machine.
        check "make distcheck" make -s -C "$build" -j"$(nproc)" VERBOSE=yes distcheck || true
}

# --- what there is -------------------------------------------------------------

list_all() {
        local ring file
        for ring in "${rings[@]}"; do
                echo "$ring"
                for file in "$tests/$ring"/{test,fuzz,check}[-_]*; do
                        [ ! -e "$file" ] || echo "  $ring/${file##*/}"
                done
        done
}
