# The front end alone, against sockets: make check-front
EXTRA_PROGRAMS += tests/front/front-server
tests_front_front_server_SOURCES = tests/front/front-server.c
tests_front_front_server_LDADD = libgeard.la

FRONT_TESTS = tests/front/conftest.py tests/front/test_attacks.py tests/front/test_browsers.py \
	tests/front/test_everyday.py tests/front/test_tls.py tests/front/test_uploads.py
EXTRA_DIST += $(FRONT_TESTS)

# Holds the parser against Node's: the full run is make check-differential CASES=1000000.
# Its cases are drawn anew each time unless SEED= names one.
EXTRA_PROGRAMS += tests/front/differential/generate
tests_front_differential_generate_SOURCES = tests/front/differential/generate.c
tests_front_differential_generate_LDADD = libgeard.la
EXTRA_DIST += tests/front/differential/compare.js tests/front/differential/run

CASES = 50000
.PHONY: check-front check-differential
check-differential: tests/front/differential/generate
	GENERATE=$(abs_builddir)/tests/front/differential/generate \
		$(srcdir)/tests/front/differential/run $(if $(SEED),--seed $(SEED)) $(CASES)
check-front: tests/front/front-server
	FRONT_SERVER=$(abs_builddir)/tests/front/front-server \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider $(srcdir)/tests/front
