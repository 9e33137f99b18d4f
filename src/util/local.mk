libgeard_la_SOURCES += \
	src/util/base.h \
	src/util/fault.c src/util/fault.h
