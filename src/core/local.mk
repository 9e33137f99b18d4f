
# the gear as a unit, the index, requests
libgeard_la_SOURCES += \
	src/core/gear.c src/core/gear.h \
	src/core/job.c src/core/job.h src/core/job-spec.c src/core/job-text.c src/core/job-text.h \
	src/core/record.c \
	src/core/request.c src/core/request.h \
	src/core/unit.c src/core/unit.h

# names, references, environments, specs
libgeard_la_SOURCES += \
	src/core/engine-refusal.c src/core/engine-refusal.h \
	src/core/environ.c src/core/environ.h \
	src/core/ident.c src/core/ident.h \
	src/core/clone-url.c src/core/clone-url.h \
	src/core/git-ref.c src/core/git-ref.h \
	src/core/ip-scope.c src/core/ip-scope.h \
	src/core/pkt-line.c src/core/pkt-line.h \
	src/core/image.c src/core/image.h \
	src/core/spec.c src/core/spec.h \
	src/core/spec-json.c \
	src/core/spec-list.c \
	src/core/spec-probe.c \
	src/core/spec-read.c src/core/spec-read.h

# tokens: what they claim, and what that grants
libgeard_la_SOURCES += \
	src/core/claims.c src/core/claims.h \
	src/core/claims-narrow.c \
	src/core/peer.c src/core/peer.h \
	src/core/rights.c src/core/rights.h \
	src/core/token.c src/core/token.h \
	src/core/token-write.c

# keys, signatures, encryption
libgeard_la_SOURCES += \
	src/core/evp.h \
	src/core/jose.c src/core/jose.h \
	src/core/jwe.c src/core/jwe.h \
	src/core/jws.c src/core/jws.h \
	src/core/key.c src/core/key.h src/core/key-private.h \
	src/core/key-check.c \
	src/core/key-jwk.c \
	src/core/key-limits.c \
	src/core/key-read.c \
	src/core/key-write.c

# the audit trail
libgeard_la_SOURCES += src/core/audit.c src/core/audit.h src/core/audit-verify.c src/core/audit-verify.h

# logs: what is asked for, and the forms it is given in
libgeard_la_SOURCES += \
	src/core/log-entry.h src/core/run-end.h \
	src/core/log-form.c src/core/log-form.h \
	src/core/log-query.c src/core/log-query.h \
	src/core/log-render.c \
	src/core/log-work.c src/core/log-work.h \
	src/core/moment.c src/core/moment.h
