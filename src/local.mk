sbin_PROGRAMS += geard
geard_SOURCES = src/main.c src/listen.c src/listen.h
geard_LDADD = libgeard.la

libgeard_la_SOURCES += \
	src/config.c src/config.h \
	src/config-reload.c \
	src/daemon.h \
	src/config-value.c src/config-value.h
