# What the tarball carries of the tests besides the programs of each ring.
EXTRA_DIST += .ci/run .clang-tidy contrib/quickstart \
	tests/run tests/conftest.py tests/pytest.ini tests/lib tests/host

# Folders go in whole; what running them left behind does not.
dist-hook:
	find $(distdir)/tests -name __pycache__ -prune -exec rm -rf {} +
