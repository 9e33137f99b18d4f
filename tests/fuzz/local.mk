# libFuzzer targets: configure CC=clang --enable-fuzzers, then
#   tests/fuzz/fuzz-json -max_total_time=60 SCRATCH-DIR tests/fuzz/corpus/json
# All that automake has to be told of one is its name: its source is the file of that name.
if FUZZERS
noinst_PROGRAMS += \
	tests/fuzz/fuzz-audit \
	tests/fuzz/fuzz-base64 \
	tests/fuzz/fuzz-claims \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-http-head \
	tests/fuzz/fuzz-jose \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-key \
	tests/fuzz/fuzz-log \
	tests/fuzz/fuzz-log-export \
	tests/fuzz/fuzz-push \
	tests/fuzz/fuzz-spec \
	tests/fuzz/fuzz-token
endif
# It is no part of the library.
tests_fuzz_fuzz_log_export_SOURCES = tests/fuzz/fuzz-log-export.c src/cli/log-export.c
# Of every program that has no LDADD of its own: these.
LDADD = libgeard.la $(FUZZ_LDFLAGS)
EXTRA_DIST += tests/fuzz/corpus
