libgeard_la_SOURCES += \
	src/http/admit.c \
	src/http/chunked.c src/http/chunked.h \
	src/http/connection.c src/http/connection.h \
	src/http/origin.c src/http/origin.h \
	src/http/parse.c src/http/parse.h \
	src/http/problem.c src/http/problem.h \
	src/http/receive.c \
	src/http/refusal.c \
	src/http/reply.c src/http/reply.h \
	src/http/request.c src/http/request.h \
	src/http/route.c src/http/route.h \
	src/http/server.c src/http/server.h src/http/server-private.h \
	src/http/socket.c src/http/socket.h \
	src/http/target.c \
	src/http/tls.c src/http/tls.h \
	src/http/unread.c src/http/unread.h \
	src/http/upload.c \
	src/http/watch.c
