libgeard_la_SOURCES += \
	src/sys/loop.c src/sys/loop.h
