# libFuzzer targets: configure CC=clang --enable-fuzzers, then
#   tests/fuzz/fuzz-json -max_total_time=60 SCRATCH-DIR tests/fuzz/corpus/json
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-json tests/fuzz/fuzz-spec tests/fuzz/fuzz-config
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz-json.c
tests_fuzz_fuzz_json_LDADD = libgeard.la
tests_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_spec_SOURCES = tests/fuzz/fuzz-spec.c
tests_fuzz_fuzz_spec_LDADD = libgeard.la
tests_fuzz_fuzz_spec_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c
tests_fuzz_fuzz_config_LDADD = libgeard.la
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/json tests/fuzz/corpus/spec tests/fuzz/corpus/config
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-http-head
tests_fuzz_fuzz_http_head_SOURCES = tests/fuzz/fuzz-http-head.c
tests_fuzz_fuzz_http_head_LDADD = libgeard.la
tests_fuzz_fuzz_http_head_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/http-head
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-claims tests/fuzz/fuzz-token
tests_fuzz_fuzz_claims_SOURCES = tests/fuzz/fuzz-claims.c
tests_fuzz_fuzz_claims_LDADD = libgeard.la
tests_fuzz_fuzz_claims_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_token_SOURCES = tests/fuzz/fuzz-token.c
tests_fuzz_fuzz_token_LDADD = libgeard.la
tests_fuzz_fuzz_token_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/claims tests/fuzz/corpus/token
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-base64 tests/fuzz/fuzz-jose tests/fuzz/fuzz-key
tests_fuzz_fuzz_base64_SOURCES = tests/fuzz/fuzz-base64.c
tests_fuzz_fuzz_base64_LDADD = libgeard.la
tests_fuzz_fuzz_base64_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_jose_SOURCES = tests/fuzz/fuzz-jose.c
tests_fuzz_fuzz_jose_LDADD = libgeard.la
tests_fuzz_fuzz_jose_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_key_SOURCES = tests/fuzz/fuzz-key.c
tests_fuzz_fuzz_key_LDADD = libgeard.la
tests_fuzz_fuzz_key_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/base64 tests/fuzz/corpus/jose tests/fuzz/corpus/key
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-audit
tests_fuzz_fuzz_audit_SOURCES = tests/fuzz/fuzz-audit.c
tests_fuzz_fuzz_audit_LDADD = libgeard.la
tests_fuzz_fuzz_audit_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/audit
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-log
tests_fuzz_fuzz_log_SOURCES = tests/fuzz/fuzz-log.c
tests_fuzz_fuzz_log_LDADD = libgeard.la
tests_fuzz_fuzz_log_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/log
if FUZZERS
noinst_PROGRAMS += tests/fuzz/fuzz-push
tests_fuzz_fuzz_push_SOURCES = tests/fuzz/fuzz-push.c
tests_fuzz_fuzz_push_LDADD = libgeard.la
tests_fuzz_fuzz_push_LDFLAGS = $(FUZZ_LDFLAGS)
endif
EXTRA_DIST += tests/fuzz/corpus/push
