# One program per module: test-<module>.c, table style.
if HAVE_CMOCKA
UNIT_TESTS =
check_PROGRAMS += $(UNIT_TESTS)
endif
UNIT_LIBS = libgeard.la $(CMOCKA_LIBS)
