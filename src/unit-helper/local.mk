helper_PROGRAMS += gear-unit
gear_unit_SOURCES = \
	src/unit-helper/engine.c src/unit-helper/engine.h \
	src/unit-helper/gear-unit.c \
	src/unit-helper/manager.c src/unit-helper/manager.h
gear_unit_LDADD = $(SYSTEMD_LIBS)
