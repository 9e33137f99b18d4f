
libgeard_la_SOURCES += \
	src/api/access.c \
	src/api/adopt.c src/api/adopt.h \
	src/api/answer.c src/api/answer.h \
	src/api/audit.c src/api/audit.h \
	src/api/call.c src/api/call.h \
	src/api/change.c src/api/change.h \
	src/api/container.c src/api/container.h \
	src/api/failure.c src/api/failure.h \
	src/api/gear-json.c src/api/gear-json.h \
	src/api/image-get.c src/api/image-get.h \
	src/api/index.c src/api/index.h \
	src/api/install.c src/api/install.h src/api/install-private.h \
	src/api/install-steps.c src/api/install-undo.c \
	src/api/job.c src/api/job.h \
	src/api/job-adopt.c src/api/job-adopt.h \
	src/api/job-cancel.c src/api/job-end.c src/api/job-recall.c \
	src/api/job-json.c src/api/job-json.h \
	src/api/job-output.c src/api/job-output.h \
	src/api/job-run.c src/api/job-run.h src/api/job-run-private.h \
	src/api/job-schedule.c src/api/job-schedule.h src/api/job-schedule-private.h \
	src/api/job-schedule-start.c src/api/job-unschedule.c \
	src/api/job-unit.c src/api/job-unit.h \
	src/api/job-watch.c src/api/job-watch.h src/api/job-watch-private.h src/api/job-watch-start.c \
	src/api/last-words.c src/api/last-words.h \
	src/api/lease.c \
	src/api/list.c src/api/list.h \
	src/api/noted.c src/api/noted.h \
	src/api/parameters.c src/api/parameters.h \
	src/api/plan.c src/api/plan.h \
	src/api/push.c src/api/push.h \
	src/api/recall.c src/api/recall.h \
	src/api/ready.c src/api/ready.h \
	src/api/recover.c src/api/recover.h \
	src/api/refusals.c src/api/refusals.h \
	src/api/registry.c src/api/registry.h \
	src/api/remove.c src/api/remove.h \
	src/api/requests.c src/api/requests.h \
	src/api/resolve.c src/api/resolve.h \
	src/api/routes.c src/api/routes.h \
	src/api/run.c src/api/run.h \
	src/api/state.c src/api/state.h src/api/state-private.h src/api/state-start.c \
	src/api/tokens.c src/api/tokens.h \
	src/api/trust.c src/api/trust.h \
	src/api/usage.c src/api/usage.h \
	src/api/volumes.c src/api/volumes.h \
	src/api/waiter.c src/api/waiter.h \
	src/api/work.c src/api/work.h

# repositories
libgeard_la_SOURCES += \
	src/api/content.c src/api/content.h \
	src/api/errand.c src/api/errand.h src/api/errand-private.h \
	src/api/errand-create.c src/api/errand-recall.c src/api/errand-remove.c \
	src/api/git-http.c src/api/git-http.h \
	src/api/git-talk.c src/api/git-talk.h \
	src/api/git-container.c src/api/git-container.h \
	src/api/git-unit.c src/api/git-unit.h \
	src/api/repository.c src/api/repository.h \
	src/api/repository-log.c src/api/repository-log.h \
	src/api/repository-show.c src/api/repository-show.h \
	src/api/task.c src/api/task.h src/api/task-keep.c

# services
libgeard_la_SOURCES += \
	src/api/service-log.c src/api/service-log.h

# the environment, logs, health, and what tells how geard itself is
libgeard_la_SOURCES += \
	src/api/environment.c src/api/environment.h \
	src/api/health.c src/api/health.h \
	src/api/log.c src/api/log.h \
	src/api/log-feed.c src/api/log-feed.h \
	src/api/log-search.c src/api/log-search.h \
	src/api/lookup.c src/api/lookup.h \
	src/api/moment.c src/api/moment.h \
	src/api/openapi.c src/api/openapi.h \
	src/api/ops.c src/api/ops.h \
	src/api/trail.c src/api/trail.h src/api/trail-follow.c src/api/trail-private.h
