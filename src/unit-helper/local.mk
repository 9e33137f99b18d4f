helper_PROGRAMS += gear-unit
gear_unit_SOURCES = \
	src/unit-helper/cgroup.c src/unit-helper/cgroup.h \
	src/unit-helper/engine.c src/unit-helper/engine.h \
	src/unit-helper/gear-unit.c \
	src/unit-helper/helper.h src/unit-helper/job.c \
	src/unit-helper/manager.c src/unit-helper/manager.h \
	src/sys/log-fields.c src/sys/log-fields.h
# Names its objects differently from those of the library, which has one of them as well.
gear_unit_CFLAGS = $(AM_CFLAGS)
gear_unit_LDADD = $(SYSTEMD_LIBS)
