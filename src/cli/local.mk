# The command: tokens need no daemon, logs and the audit trail do.  Of the library it takes what it uses.
bin_PROGRAMS = gear
gear_SOURCES = \
	src/cli/audit.c \
	src/cli/audit-file.c src/cli/audit-file.h \
	src/cli/audit-source.c src/cli/audit-source.h \
	src/cli/audit-verify.c \
	src/cli/claim-options.c src/cli/claim-options.h \
	src/cli/explain.c src/cli/explain.h \
	src/cli/gear.c \
	src/cli/keygen.c \
	src/cli/log.c \
	src/cli/log-export.c src/cli/log-export.h \
	src/cli/log-show.c src/cli/log-show.h \
	src/cli/material.c src/cli/material.h \
	src/cli/options.c src/cli/options.h \
	src/cli/source.c src/cli/source.h \
	src/cli/token.c \
	src/cli/token-show.c \
	src/cli/verb.h
gear_LDFLAGS = $(AM_LDFLAGS) -Wl,--as-needed
gear_LDADD = libgeard.la
