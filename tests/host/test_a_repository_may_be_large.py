# SPDX-License-Identifier: Apache-2.0
"""What a repository holds may be larger than memory, or more than anybody counts; an
archive of it costs geard nothing, and nobody waits for it."""

import re
import time

import pytest

from lib.gear import JSON
from lib.host import URL

GIT = "/var/lib/gears/git"
MIB = 1 << 20

# Branches without a common history, straight into packs.
IMPORT = r"""
set -e
import() { runuser -u gear-git -- git -C /var/lib/gears/git/large -c core.compression="$1" -c core.bigFileThreshold=64m fast-import --quiet; }
commit() { printf 'reset refs/heads/%s\ncommit refs/heads/%s\ncommitter x <x@localhost> 1700000000 +0000\ndata 1\nx\n' "$1" "$1"; }
{
    commit random; echo 'M 100644 inline file'; echo 'data 1073741824'; openssl rand 1073741824; echo
} | import 0
{
    commit many
    seq 1000000 | awk '{ d = int($1 / 1000); print "M 100644 inline d" d "/f" $1 "\ndata " length($1) "\n" $1 }'
    commit blob; echo 'M 100644 inline file'; echo 'data 5368709120'; head -c 5368709120 /dev/zero; echo
    commit odd; printf 'M 120000 inline link\ndata 13\n/etc/geard/..\nM 100644 inline a/..b\ndata 1\nx\n'
} | import 1
"""


@pytest.fixture(scope="module")
def large(shared_host):
    host = shared_host
    host.configure("60-git", "[Daemon]\nJobKeep=0\nRepositoryMax=8G\nClonePaths=/srv/large\n")
    host.systemctl("reload", "geard")
    assert host.peer("PUT", "/repository/large").status == 201
    host.sh(IMPORT, timeout=300)
    yield host
    assert host.peer("DELETE", "/repository/large", timeout=200).status == 204
    host.sh("rm -f /etc/geard/geard.conf.d/60-git.conf; systemctl reload geard")


def memory(host, name):
    pid = host.show("geard")["MainPID"]
    if name == "VmRSS": # the peak is counted from here on
        host.sh(f"echo 5 > /proc/{pid}/clear_refs")
    return int(re.search(rf"{name}:\s+(\d+)", host.sh(f"cat /proc/{pid}/status"))[1])


def archive(host, what, then):
    """Through a pipe into what looks at it; what that says."""
    return host.sh(f"set -o pipefail; curl -sSf '{URL}/token/__test__/repository/large/content/{what}' | {then}", timeout=400)


def test_a_gigabyte(large):
    before = memory(large, "VmRSS")
    assert archive(large, "random?format=tar", "tar -xO | sha256sum") == \
        large.sh("git -C /var/lib/gears/git/large -c safe.directory=* cat-file blob random:file | sha256sum", timeout=200)
    assert memory(large, "VmHWM") - before < 16384


def test_a_million_files(large):
    assert archive(large, "many?format=tar", "tar -t | grep -vc '/$'") == "1000000"
    assert archive(large, "many/d7?format=tar", "tar -t | grep -c .") == "1001"
    told = large.peer("GET", "/repository/large", headers=JSON)
    assert told.status == 200 and told.json["refs_total"] == 4 and told.json["size"] > 1024 * MIB


def test_five_gigabytes_in_one_file(large):
    """Others are served meanwhile, and who leaves in the middle leaves nothing behind."""
    before = memory(large, "VmRSS")
    assert archive(large, "blob?format=tar", "tar -xO | wc -c") == str(5 << 30)
    assert memory(large, "VmHWM") - before < 16384
    archive(large, "blob?format=zip", "head -c 100000 | wc -c || true")
    for _ in range(100):
        if not large.sh("systemctl list-units --all --plain --no-legend 'geard-git-*'"):
            break
        time.sleep(0.2)
    assert large.sh("systemctl list-units --all --plain --no-legend 'geard-git-*'") == ""


@pytest.fixture(scope="module")
def origin(large):
    """What was imported, as repositories of one branch each that can be cloned from."""
    for branch in "random", "many", "blob":
        large.sh(f"git init -q --bare -b {branch} /srv/large/{branch}; cd /srv/large/{branch}; git config pack.compression 0; "
                 f"cp -al {GIT}/large/objects .; cp {GIT}/large/refs/heads/{branch} refs/heads/; chmod -R a+rX .")
    yield large
    large.sh("rm -rf /srv/large")


@pytest.mark.takes(30)
@pytest.mark.parametrize("branch, files", [("many", 1_000_000), ("random", 1), ("blob", 1)])
def test_it_is_cloned_by_geard_and_from_geard(origin, branch, files):
    host, before = origin, memory(origin, "VmRSS")
    try:
        answer = host.peer("PUT", "/repository/copy", {"url": f"file:///srv/large/{branch}"}, JSON, timeout=250)
        assert answer.status == 201, answer
        host.sh(f"git clone -q --bare {URL}/token/__test__/git/copy /srv/fetched", timeout=250)
        assert memory(host, "VmHWM") - before < 16384
        tree = "rev-parse HEAD^{tree}"
        assert host.sh(f"git -C /srv/fetched {tree}") == host.sh(f"git -C /srv/large/{branch} {tree}")
        assert host.sh("git -C /srv/fetched ls-tree -r HEAD | wc -l") == str(files)
    finally:
        host.sh("rm -rf /srv/fetched", timeout=200)
        host.peer("DELETE", "/repository/copy", timeout=100)


def test_links_and_names_are_as_git_has_them(large):
    assert archive(large, "odd?format=tar", "tar -tv | awk '{ print $1, $NF }'").splitlines() == [
        "drwxrwxr-x a/", "-rw-rw-r-- a/..b", "lrwxrwxrwx /etc/geard/.."]
