# The bare HTTP server that bench/http.sh measures against.
EXTRA_PROGRAMS += bench/evhttp-hello
bench_evhttp_hello_SOURCES = bench/evhttp-hello.c
bench_evhttp_hello_LDADD = -levent_extra -levent_core

# The client of the other benchmarks.
EXTRA_PROGRAMS += bench/load
bench_load_SOURCES = bench/load.c
bench_load_LDADD = libgeard.la

# What remembering a million requests costs.
EXTRA_PROGRAMS += bench/remember
bench_remember_SOURCES = bench/remember.c
bench_remember_LDADD = libgeard.la

EXTRA_DIST += bench/README bench/run bench/http.sh \
	bench/figures/__init__.py bench/figures/beside.py bench/figures/burst.py \
	bench/figures/create.py bench/figures/door.py bench/figures/followers.py \
	bench/figures/inside.py bench/figures/listing.py bench/figures/memory.py \
	bench/figures/remember.py bench/figures/replay.py bench/figures/report.py \
	bench/figures/repository.py bench/figures/tail.py bench/figures/token.py bench/figures/yard.py
