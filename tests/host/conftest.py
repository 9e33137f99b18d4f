# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the host ring.

host        booted once, geard installed and running, shared; after every case
            all gears are deleted and the host must be as it was
fresh_host  for cases that reboot or break things: a host of their own
file_host   one for all cases of a file, for what goes on from one to the next
bare_host   the same without geard, for the harness itself

$GEARD_KEEP=yes leaves the shared host up after the run and takes it up again in
the next, which then starts in seconds.
"""

import os
import pathlib
import re

import pytest

from lib.clean import leftovers, remove_all
from lib.host import BUILD, Host

LOGS = pathlib.Path(os.environ.get("GEARD_TEST_LOGS", BUILD / "test-logs"))
HOSTS = pytest.StashKey()


def log_directory(item):
    return LOGS / re.sub(r"[^A-Za-z0-9._-]+", "-", item.nodeid).strip("-")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for host in item.stash.get(HOSTS, []):
            host.keep_logs(log_directory(item) / host.name)
            report.sections.append(("logs", str(log_directory(item) / host.name)))


def watched(request, host):
    """Keeps the host's journal and units if the case fails."""
    request.node.stash.setdefault(HOSTS, []).append(host)
    return host


@pytest.fixture(scope="session")
def shared_host():
    host = Host("shared")
    keep = os.environ.get("GEARD_KEEP") == "yes"
    if not keep:
        host.down()
    host.up()
    try:
        host.install()
    except AssertionError:
        host.keep_logs(LOGS / "install")
        raise
    remove_all(host)
    yield host
    if not keep:
        host.down()


@pytest.fixture
def host(request, shared_host):
    yield watched(request, shared_host)
    left = remove_all(shared_host)
    assert not left, "left behind by this case:\n" + "\n".join(left)


@pytest.fixture
def make_host(request):
    """make_host(name, *options): any number of hosts for one case, without geard."""
    made = []

    def make(name, *options):
        host = Host(name)
        host.down()
        made.append(host)
        host.up(*options)
        return watched(request, host)

    yield make
    for host in made:
        host.down()


@pytest.fixture
def bare_host(make_host):
    return make_host("bare")


@pytest.fixture
def fresh_host(make_host):
    host = make_host("fresh")
    host.install()
    assert leftovers(host) == []
    return host


@pytest.fixture(scope="module")
def _host_of_the_file():
    host = Host("file")
    host.down()
    host.up()
    host.install()
    yield host
    host.down()


@pytest.fixture
def file_host(request, _host_of_the_file):
    return watched(request, _host_of_the_file)
