# One program per module: test-<module>.c, table style.
RUN_LOOP = tests/unit/run-loop.c tests/unit/run-loop.h
NEW_KEY = tests/unit/new-key.c tests/unit/new-key.h
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/test-loop
tests_unit_test_loop_SOURCES = tests/unit/test-loop.c $(RUN_LOOP)
tests_unit_test_loop_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-base64
tests_unit_test_base64_SOURCES = tests/unit/test-base64.c
tests_unit_test_base64_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-ip-scope
tests_unit_test_ip_scope_SOURCES = tests/unit/test-ip-scope.c
tests_unit_test_ip_scope_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-bare-root tests/unit/test-repositories tests/unit/test-outlet tests/unit/test-slots
tests_unit_test_slots_SOURCES = tests/unit/test-slots.c $(RUN_LOOP)
tests_unit_test_slots_LDADD = $(UNIT_LIBS)
tests_unit_test_bare_root_SOURCES = tests/unit/test-bare-root.c
tests_unit_test_bare_root_LDADD = $(UNIT_LIBS)
tests_unit_test_repositories_SOURCES = tests/unit/test-repositories.c
tests_unit_test_repositories_LDADD = $(UNIT_LIBS)
tests_unit_test_outlet_SOURCES = tests/unit/test-outlet.c $(RUN_LOOP)
tests_unit_test_outlet_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-log-feed
tests_unit_test_log_feed_SOURCES = tests/unit/test-log-feed.c $(RUN_LOOP)
tests_unit_test_log_feed_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-inlet
tests_unit_test_inlet_SOURCES = tests/unit/test-inlet.c $(RUN_LOOP)
tests_unit_test_inlet_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-pkt-line
tests_unit_test_pkt_line_SOURCES = tests/unit/test-pkt-line.c
tests_unit_test_pkt_line_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-chunked
tests_unit_test_chunked_SOURCES = tests/unit/test-chunked.c
tests_unit_test_chunked_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-mapped
tests_unit_test_mapped_SOURCES = tests/unit/test-mapped.c
tests_unit_test_mapped_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-gzip
tests_unit_test_gzip_SOURCES = tests/unit/test-gzip.c
tests_unit_test_gzip_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-key tests/unit/test-jws tests/unit/test-jwe
tests_unit_test_jwe_SOURCES = tests/unit/test-jwe.c $(NEW_KEY) tests/unit/jose-keys.h tests/unit/jose-vectors.h
tests_unit_test_jwe_LDADD = $(UNIT_LIBS)
tests_unit_test_key_SOURCES = tests/unit/test-key.c tests/unit/jose-vectors.h
tests_unit_test_key_LDADD = $(UNIT_LIBS)
tests_unit_test_jws_SOURCES = tests/unit/test-jws.c $(NEW_KEY) tests/unit/jose-keys.h tests/unit/jose-vectors.h
tests_unit_test_jws_LDADD = $(UNIT_LIBS)
EXTRA_DIST += tests/unit/keys

# The linker puts the functions of the test in place of OpenSSL's.
check_PROGRAMS += tests/unit/test-jwe-failures
tests_unit_test_jwe_failures_SOURCES = tests/unit/test-jwe-failures.c $(NEW_KEY) tests/unit/jose-keys.h tests/unit/jose-vectors.h
tests_unit_test_jwe_failures_LDADD = $(UNIT_LIBS) $(SSL_LIBS)
tests_unit_test_jwe_failures_LDFLAGS = -Wl,--wrap=RAND_priv_bytes -Wl,--wrap=EVP_PKEY_decrypt \
	-Wl,--wrap=EVP_PKEY_derive -Wl,--wrap=EVP_DecryptUpdate -Wl,--wrap=EVP_DecryptFinal_ex

check_PROGRAMS += tests/unit/test-fetch
tests_unit_test_fetch_SOURCES = tests/unit/test-fetch.c tests/unit/fake-http.c tests/unit/fake-http.h $(RUN_LOOP)
tests_unit_test_fetch_LDADD = $(UNIT_LIBS)
DOCKER_SCENE = tests/unit/docker-scene.c tests/unit/docker-scene.h tests/unit/fake-http.c tests/unit/fake-http.h $(RUN_LOOP)

check_PROGRAMS += tests/unit/test-docker
tests_unit_test_docker_SOURCES = tests/unit/test-docker.c $(DOCKER_SCENE)
tests_unit_test_docker_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-docker-pull
tests_unit_test_docker_pull_SOURCES = tests/unit/test-docker-pull.c $(DOCKER_SCENE)
tests_unit_test_docker_pull_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-split
tests_unit_test_split_SOURCES = tests/unit/test-split.c
tests_unit_test_split_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-journal
tests_unit_test_journal_SOURCES = tests/unit/test-journal.c $(RUN_LOOP)
tests_unit_test_journal_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-journal-heads
tests_unit_test_journal_heads_SOURCES = tests/unit/test-journal-heads.c
tests_unit_test_journal_heads_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-journal-runs
tests_unit_test_journal_runs_SOURCES = tests/unit/test-journal-runs.c
tests_unit_test_journal_runs_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-port
tests_unit_test_port_SOURCES = tests/unit/test-port.c $(RUN_LOOP)
tests_unit_test_port_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-http-parse tests/unit/test-http-route tests/unit/test-unread
tests_unit_test_http_parse_SOURCES = tests/unit/test-http-parse.c
tests_unit_test_http_parse_LDADD = $(UNIT_LIBS)
tests_unit_test_http_route_SOURCES = tests/unit/test-http-route.c
tests_unit_test_http_route_LDADD = $(UNIT_LIBS)
tests_unit_test_unread_SOURCES = tests/unit/test-unread.c
tests_unit_test_unread_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-text tests/unit/test-json tests/unit/test-file tests/unit/test-ident \
	tests/unit/test-image tests/unit/test-clone-url tests/unit/test-git-ref tests/unit/test-environ tests/unit/test-spec tests/unit/test-config \
	tests/unit/test-log tests/unit/test-engine-refusal
tests_unit_test_engine_refusal_SOURCES = tests/unit/test-engine-refusal.c
tests_unit_test_engine_refusal_LDADD = $(UNIT_LIBS)
tests_unit_test_log_SOURCES = tests/unit/test-log.c
tests_unit_test_log_LDADD = $(UNIT_LIBS)
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_LDADD = $(UNIT_LIBS)
tests_unit_test_json_SOURCES = tests/unit/test-json.c
tests_unit_test_json_LDADD = $(UNIT_LIBS)
tests_unit_test_file_SOURCES = tests/unit/test-file.c
tests_unit_test_file_LDADD = $(UNIT_LIBS)
tests_unit_test_ident_SOURCES = tests/unit/test-ident.c
tests_unit_test_ident_LDADD = $(UNIT_LIBS)
tests_unit_test_clone_url_SOURCES = tests/unit/test-clone-url.c
tests_unit_test_clone_url_LDADD = $(UNIT_LIBS)
tests_unit_test_git_ref_SOURCES = tests/unit/test-git-ref.c
tests_unit_test_git_ref_LDADD = $(UNIT_LIBS)
tests_unit_test_image_SOURCES = tests/unit/test-image.c
tests_unit_test_image_LDADD = $(UNIT_LIBS)
tests_unit_test_environ_SOURCES = tests/unit/test-environ.c
tests_unit_test_environ_LDADD = $(UNIT_LIBS)
tests_unit_test_spec_SOURCES = tests/unit/test-spec.c
tests_unit_test_spec_LDADD = $(UNIT_LIBS)
tests_unit_test_config_SOURCES = tests/unit/test-config.c
tests_unit_test_config_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-moment tests/unit/test-log-query tests/unit/test-log-form
tests_unit_test_moment_SOURCES = tests/unit/test-moment.c
tests_unit_test_moment_LDADD = $(UNIT_LIBS)
tests_unit_test_log_query_SOURCES = tests/unit/test-log-query.c
tests_unit_test_log_query_LDADD = $(UNIT_LIBS)
tests_unit_test_log_form_SOURCES = tests/unit/test-log-form.c
tests_unit_test_log_form_LDADD = $(UNIT_LIBS)

DATABASE_SCENE = tests/unit/database-scene.c tests/unit/database-scene.h $(RUN_LOOP)
check_PROGRAMS += tests/unit/test-database tests/unit/test-database-damage tests/unit/test-database-pack
tests_unit_test_database_SOURCES = tests/unit/test-database.c $(DATABASE_SCENE)
tests_unit_test_database_LDADD = $(UNIT_LIBS)
tests_unit_test_database_damage_SOURCES = tests/unit/test-database-damage.c $(DATABASE_SCENE)
tests_unit_test_database_damage_LDADD = $(UNIT_LIBS)
tests_unit_test_database_pack_SOURCES = tests/unit/test-database-pack.c $(DATABASE_SCENE)
tests_unit_test_database_pack_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-database-jobs tests/unit/test-job tests/unit/test-job-text
tests_unit_test_database_jobs_SOURCES = tests/unit/test-database-jobs.c $(DATABASE_SCENE)
tests_unit_test_database_jobs_LDADD = $(UNIT_LIBS)
tests_unit_test_job_SOURCES = tests/unit/test-job.c
tests_unit_test_job_LDADD = $(UNIT_LIBS)
tests_unit_test_job_text_SOURCES = tests/unit/test-job-text.c
tests_unit_test_job_text_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-audit tests/unit/test-audit-verify tests/unit/test-database-audit
tests_unit_test_audit_verify_SOURCES = tests/unit/test-audit-verify.c
tests_unit_test_audit_verify_LDADD = $(UNIT_LIBS)
tests_unit_test_audit_SOURCES = tests/unit/test-audit.c
tests_unit_test_audit_LDADD = $(UNIT_LIBS)
tests_unit_test_database_audit_SOURCES = tests/unit/test-database-audit.c $(RUN_LOOP)
tests_unit_test_database_audit_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-health
tests_unit_test_health_SOURCES = tests/unit/test-health.c $(RUN_LOOP)
tests_unit_test_health_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-openapi
tests_unit_test_openapi_SOURCES = tests/unit/test-openapi.c
tests_unit_test_openapi_LDADD = $(UNIT_LIBS)

check_PROGRAMS += tests/unit/test-unit tests/unit/test-gear tests/unit/test-request tests/unit/test-store \
	tests/unit/test-worker
tests_unit_test_unit_SOURCES = tests/unit/test-unit.c
tests_unit_test_unit_LDADD = $(UNIT_LIBS)
tests_unit_test_gear_SOURCES = tests/unit/test-gear.c
tests_unit_test_gear_LDADD = $(UNIT_LIBS)
tests_unit_test_request_SOURCES = tests/unit/test-request.c
tests_unit_test_request_LDADD = $(UNIT_LIBS)
tests_unit_test_store_SOURCES = tests/unit/test-store.c
tests_unit_test_store_LDADD = $(UNIT_LIBS)
tests_unit_test_worker_SOURCES = tests/unit/test-worker.c $(RUN_LOOP)
tests_unit_test_worker_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-keyring tests/unit/test-pathwatch tests/unit/test-trust
tests_unit_test_keyring_SOURCES = tests/unit/test-keyring.c
tests_unit_test_keyring_LDADD = $(UNIT_LIBS)
tests_unit_test_pathwatch_SOURCES = tests/unit/test-pathwatch.c $(RUN_LOOP)
tests_unit_test_pathwatch_LDADD = $(UNIT_LIBS)
tests_unit_test_trust_SOURCES = tests/unit/test-trust.c $(RUN_LOOP) $(NEW_KEY)
tests_unit_test_trust_LDADD = $(UNIT_LIBS)
tests_unit_test_trust_LDFLAGS = -Wl,--wrap=keyring_load

check_PROGRAMS += tests/unit/test-rights tests/unit/test-peer
tests_unit_test_rights_SOURCES = tests/unit/test-rights.c
tests_unit_test_rights_LDADD = $(UNIT_LIBS)
tests_unit_test_peer_SOURCES = tests/unit/test-peer.c
tests_unit_test_peer_LDADD = $(UNIT_LIBS)
check_PROGRAMS += tests/unit/test-claims
tests_unit_test_claims_SOURCES = tests/unit/test-claims.c $(NEW_KEY)
tests_unit_test_claims_LDADD = $(UNIT_LIBS)
TOKEN_LINKS = tests/unit/token-links.c tests/unit/token-links.h $(NEW_KEY)
check_PROGRAMS += tests/unit/test-token tests/unit/test-chain tests/unit/test-token-manual
tests_unit_test_token_SOURCES = tests/unit/test-token.c $(TOKEN_LINKS)
tests_unit_test_token_LDADD = $(UNIT_LIBS)
tests_unit_test_chain_SOURCES = tests/unit/test-chain.c $(TOKEN_LINKS)
tests_unit_test_chain_LDADD = $(UNIT_LIBS)
tests_unit_test_token_manual_SOURCES = tests/unit/test-token-manual.c
tests_unit_test_token_manual_LDADD = $(UNIT_LIBS)

EXTRA_DIST += tests/unit/golden/minimal.service tests/unit/golden/strange-host.service \
	tests/unit/golden/on-failure.service tests/unit/golden/once.service tests/unit/golden/everything.service
endif
UNIT_LIBS = libgeard.la $(CMOCKA_LIBS)

# The include picture of HACKING.
TESTS += tests/unit/check-layers

# The table of the configuration against what is written about it.
TESTS += tests/unit/check-manual
EXTRA_DIST += tests/unit/check-layers tests/unit/check-manual

# gear, as its users run it.
TESTS += tests/unit/check-cli
EXTRA_DIST += tests/unit/check-cli

# A debugging aid, built when asked for.
EXTRA_PROGRAMS += tests/host/tools/sys-probe
tests_host_tools_sys_probe_SOURCES = tests/host/tools/sys-probe.c
tests_host_tools_sys_probe_LDADD = libgeard.la

# Keys and tokens against jwcrypto, PyJWT and openssl.
TESTS += tests/unit/check-jose
EXTRA_DIST += tests/unit/check-jose
check_DATA = tests/unit/jose-tool$(EXEEXT)
EXTRA_PROGRAMS += tests/unit/jose-tool
tests_unit_jose_tool_SOURCES = tests/unit/jose-tool.c
tests_unit_jose_tool_LDADD = libgeard.la
CLEANFILES += tests/unit/jose-tool$(EXEEXT)

# What the escaper writes, read by systemd's own parser.
TESTS += tests/unit/check-unit-oracle
EXTRA_DIST += tests/unit/check-unit-oracle
check_DATA += tests/unit/oracle-units$(EXEEXT)
EXTRA_PROGRAMS += tests/unit/oracle-units
tests_unit_oracle_units_SOURCES = tests/unit/oracle-units.c
tests_unit_oracle_units_LDADD = libgeard.la
CLEANFILES += tests/unit/oracle-units$(EXEEXT)
