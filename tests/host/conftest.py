# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the host ring.

host        booted once, geard installed and running, shared; after every case
            all gears are deleted and the host must be as it was; at the end
            nothing that was ever written on it may hold a secret
fresh_host  for cases that reboot or break things: a host of their own
held        lets gear 1 go on, which begins no run before, in the shared host
issuer      whose tokens the shared host believes
file_host   one for all cases of a file, for what goes on from one to the next
bare_host   the same without geard, for the harness itself

Several files run at once, each in a worker of pytest-xdist (tests/run says how
many); every worker has hosts of its own under these names, on a switch of its own.

$GEARD_KEEP=yes leaves the shared hosts up after the run and takes them up again
in the next, which then starts in seconds.

$GEARD_SANITIZED=yes says that geard was built with the sanitizers: then it ends
after every case, which tells its leaks, and a report fails the case.
"""

import collections
import os
import pathlib
import re

import pytest

from lib import sanitizers, secrets
from lib.clean import leftovers, remove_all
from lib.host import BUILD, Host
from lib.tokens import Issuer

LOGS = pathlib.Path(os.environ.get("GEARD_TEST_LOGS", BUILD / "test-logs"))
HOSTS = pytest.StashKey()

# How often a unit may be started in ten seconds is limited, and is forgotten so.
START_AGAIN = "systemctl reset-failed geard.service; systemctl start geard.service"


def log_directory(item):
    return LOGS / re.sub(r"[^A-Za-z0-9._-]+", "-", item.nodeid).strip("-")


def worker(config):
    """The number of this worker of pytest-xdist; 0 as well where there are none."""
    return int(config.workerinput["workerid"].removeprefix("gw")) if hasattr(config, "workerinput") else 0


def pytest_configure(config):
    """The hosts of the first worker are where they are without workers, the others' in directories beside these."""
    if worker(config):
        os.environ["GEARD_TESTS_STATE"] += f"/.{worker(config)}"


def pytest_collection_modifyitems(config, items):
    longest_first(items)
    if sanitizers.SANITIZED:
        leave_out(config, items)


def longest_first(items):
    """Whole files, by what their cases are known to take; a host of one's own takes a few seconds."""
    seconds = collections.Counter()
    for item in items:
        marked = item.get_closest_marker("takes")
        seconds[item.path] += marked.args[0] if marked else 4 if "make_host" in item.fixturenames else 1
    items.sort(key=lambda item: (-seconds[item.path], item.path))


def leave_out(config, items):
    """What a sanitized build cannot pass, and the tally says so."""
    reasons = {item: why for name, why in sanitizers.LEFT_OUT.items() for item in items if item.nodeid.endswith(name)}
    config.hook.pytest_deselected(items=list(reasons))
    items[:] = [item for item in items if item not in reasons]
    if worker(config):
        return
    with open(os.environ["GEARD_TALLY"], "a", encoding="utf-8") as tally:
        tally.writelines(f"left {item.nodeid}: {why}\n" for item, why in reasons.items())


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
    host = Host("sanitized" if sanitizers.SANITIZED else "shared")
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
    if keep: # ids of an earlier run are remembered, too
        host.sh("systemctl stop geard && rm -f /var/lib/geard/geard.db* && systemctl start geard")
    sanitizers.take_reports(host) # of an earlier run, if it was kept
    yield host
    written = secrets.found_in(host)
    if not keep:
        host.down()
    assert not written, f"{len(written)} secrets that some case on this host used were written there"


@pytest.fixture
def host(request, shared_host):
    # geard's restarts in the cases before are not to count against this one's
    shared_host.systemctl("reset-failed", "geard.service", check=False)
    yield watched(request, shared_host)
    left = remove_all(shared_host)
    reports = sanitizers.final_reports(shared_host)
    if sanitizers.SANITIZED: # ... and geard has ended for them
        shared_host.sh(START_AGAIN)
    assert not left, "left behind by this case:\n" + "\n".join(left)
    assert not reports, "\n".join(reports)


@pytest.fixture
def held(host):
    """The unit of gear 1 begins nothing before it is let go."""
    drop_in = host.root / "etc/systemd/system/gear-1.service.d/held.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("[Service]\nExecStartPre=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.05; done'\n")
    yield lambda: host.sh("touch /run/go")
    drop_in.unlink()
    drop_in.parent.rmdir()
    host.sh("rm -f /run/go; systemctl daemon-reload")


@pytest.fixture
def issuer(host):
    issuer = Issuer(host).trust()
    yield issuer
    issuer.remove()


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
    reports = [report for host in made for report in sanitizers.final_reports(host)]
    for host in made:
        host.down()
    assert not reports, "\n".join(reports)


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
    reports = sanitizers.final_reports(host)
    host.down()
    assert not reports, "\n".join(reports)


@pytest.fixture
def file_host(request, _host_of_the_file):
    yield watched(request, _host_of_the_file)
    reports = sanitizers.take_reports(_host_of_the_file)
    assert not reports, "\n".join(reports)
