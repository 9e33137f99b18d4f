# The front end alone, against sockets; tests/front/run builds and runs it.
EXTRA_PROGRAMS += tests/front/front-server
tests_front_front_server_SOURCES = tests/front/front-server.c
tests_front_front_server_LDADD = libgeard.la
