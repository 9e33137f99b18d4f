# The front end alone, against sockets: make check-front
EXTRA_PROGRAMS += tests/front/front-server
tests_front_front_server_SOURCES = tests/front/front-server.c
tests_front_front_server_LDADD = libgeard.la

FRONT_TESTS = tests/front/conftest.py tests/front/test_attacks.py tests/front/test_browsers.py \
	tests/front/test_everyday.py tests/front/test_tls.py
EXTRA_DIST += $(FRONT_TESTS)

.PHONY: check-front
check-front: tests/front/front-server
	FRONT_SERVER=$(abs_builddir)/tests/front/front-server \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider $(srcdir)/tests/front
