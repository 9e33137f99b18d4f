
# the gear as a unit, the index, requests
libgeard_la_SOURCES += \
	src/core/gear.c src/core/gear.h \
	src/core/record.c \
	src/core/request.c src/core/request.h \
	src/core/unit.c src/core/unit.h
