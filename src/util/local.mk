libgeard_la_SOURCES += \
	src/util/base.h \
	src/util/base64.c src/util/base64.h \
	src/util/config-file.c src/util/config-file.h \
	src/util/digest.c src/util/digest.h \
	src/util/fault.c src/util/fault.h \
	src/util/file.c src/util/file.h \
	src/util/gzip.c src/util/gzip.h \
	src/util/json.c src/util/json.h \
	src/util/json-walk.c src/util/json-walk.h \
	src/util/log.c src/util/log.h \
	src/util/text.c src/util/text.h
