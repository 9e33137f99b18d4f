# The bare HTTP server that bench/http.sh measures against.
EXTRA_PROGRAMS += bench/evhttp-hello
bench_evhttp_hello_SOURCES = bench/evhttp-hello.c
bench_evhttp_hello_LDADD = -levent_extra -levent_core
