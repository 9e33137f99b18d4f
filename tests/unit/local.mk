# One program per module: test-<module>.c, table style.
if HAVE_CMOCKA
UNIT_TESTS =
check_PROGRAMS += $(UNIT_TESTS)

check_PROGRAMS += tests/unit/test-loop
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c
tests_unit_test_loop_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-fetch
tests_unit_test_fetch_SOURCES = tests/unit/test-fetch.c tests/unit/fake-http.c tests/unit/fake-http.h
tests_unit_test_fetch_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-docker
tests_unit_test_docker_SOURCES = tests/unit/test-docker.c tests/unit/fake-http.c tests/unit/fake-http.h
tests_unit_test_docker_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-http-parse tests/unit/test-http-route
tests_unit_test_http_parse_SOURCES = tests/unit/test-http-parse.c
tests_unit_test_http_parse_LDADD = $(UNIT_LIBS)
tests_unit_test_http_route_SOURCES = tests/unit/test-http-route.c
tests_unit_test_http_route_LDADD = $(UNIT_LIBS)
endif
UNIT_LIBS = libgeard.la $(CMOCKA_LIBS)

# A debugging aid, built when asked for.
EXTRA_PROGRAMS += tests/host/tools/sys-probe
tests_host_tools_sys_probe_SOURCES = tests/host/tools/sys-probe.c
tests_host_tools_sys_probe_LDADD = libgeard.la
