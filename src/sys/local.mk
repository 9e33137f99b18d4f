libgeard_la_SOURCES += \
	src/sys/fetch.c src/sys/fetch.h \
	src/sys/journal.c src/sys/journal.h src/sys/journal-private.h \
	src/sys/journal-bell.c src/sys/journal-bell.h \
	src/sys/journal-handle.c src/sys/journal-handle.h \
	src/sys/journal-roots.c src/sys/journal-roots.h \
	src/sys/journal-match.c src/sys/journal-match.h \
	src/sys/journal-scope.c src/sys/journal-scope.h \
	src/sys/journal-slice.c \
	src/sys/journal-whose.c src/sys/journal-whose.h \
	src/sys/journal-heads.c src/sys/journal-heads.h \
	src/sys/journal-runs.c src/sys/journal-runs.h \
	src/sys/loop.c src/sys/loop.h \
	src/sys/mapped.c src/sys/mapped.h \
	src/sys/inlet.c src/sys/inlet.h src/sys/outlet.c src/sys/outlet.h \
	src/sys/port.c src/sys/port.h \
	src/sys/probe.c src/sys/probe.h

# the engine
libgeard_la_SOURCES += \
	src/sys/docker.c src/sys/docker.h src/sys/docker-internal.h \
	src/sys/docker-json.c src/sys/docker-json.h \
	src/sys/docker-pull.c \
	src/sys/docker-verbs.c \
	src/sys/split.c src/sys/split.h

# systemd: the bus, and what is asked over it
libgeard_la_SOURCES += \
	src/sys/bare-root.c src/sys/bare-root.h \
	src/sys/bus.c src/sys/bus.h \
	src/sys/systemd.c src/sys/systemd.h src/sys/systemd-op.h \
	src/sys/systemd-batch.c src/sys/systemd-job.c src/sys/systemd-transient.c src/sys/transient.h \
	src/sys/systemd-calendar.c \
	src/sys/job-files.c src/sys/job-files.h \
	src/sys/log-fields.c src/sys/log-fields.h \
	src/sys/slots.c src/sys/slots.h \
	src/sys/unit-change.c src/sys/unit-change.h

# the database
libgeard_la_SOURCES += \
	src/sys/database.c src/sys/database.h src/sys/database-file.c src/sys/database-private.h \
	src/sys/database-jobs.c src/sys/database-jobs.h \
	src/sys/database-audit.c src/sys/database-audit.h src/sys/database-audit-private.h \
	src/sys/database-pack.c src/sys/database-requests.c src/sys/database-rotate.c

# the state directory
libgeard_la_SOURCES += src/sys/repositories.c src/sys/repositories.h \
	src/sys/store.c src/sys/store.h src/sys/worker.c src/sys/worker.h \
	src/sys/dirwatch.c src/sys/dirwatch.h

# who may sign tokens
libgeard_la_SOURCES += src/sys/keyring.c src/sys/keyring.h src/sys/pathwatch.c src/sys/pathwatch.h
