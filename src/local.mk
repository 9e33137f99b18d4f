sbin_PROGRAMS += geard
geard_SOURCES = src/main.c
geard_LDADD = libgeard.la
