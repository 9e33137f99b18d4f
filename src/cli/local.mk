# The command of who makes and holds tokens; needs no daemon, and of the library what it uses.
bin_PROGRAMS = gear
gear_SOURCES = \
	src/cli/claim-options.c src/cli/claim-options.h \
	src/cli/explain.c src/cli/explain.h \
	src/cli/gear.c \
	src/cli/keygen.c \
	src/cli/material.c src/cli/material.h \
	src/cli/options.c src/cli/options.h \
	src/cli/token.c \
	src/cli/token-show.c \
	src/cli/verb.h
gear_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed
gear_LDADD = libgeard.la
