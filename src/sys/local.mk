libgeard_la_SOURCES += \
	src/sys/fetch.c src/sys/fetch.h \
	src/sys/loop.c src/sys/loop.h
