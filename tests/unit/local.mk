# One program per module: test-<module>.c, table style.
if HAVE_CMOCKA
UNIT_TESTS =
check_PROGRAMS += $(UNIT_TESTS)

check_PROGRAMS += tests/unit/test-loop
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c
tests_unit_test_loop_LDADD = $(UNIT_LIBS)
endif
UNIT_LIBS = libgeard.la $(CMOCKA_LIBS)

# A debugging aid, built when asked for.
EXTRA_PROGRAMS += tests/host/tools/sys-probe
tests_host_tools_sys_probe_SOURCES = tests/host/tools/sys-probe.c
tests_host_tools_sys_probe_LDADD = libgeard.la
