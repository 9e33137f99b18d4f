# SPDX-License-Identifier: Apache-2.0
"""A disk that is full takes no push and no repository, says so, and has what it
had before; with room again the same goes well."""

import pytest

from lib.gear import JSON
from lib.host import URL
from lib.wait import wait_until

STATE = "/var/lib/gears"
STORE = f"{STATE}/git"
PAGE = 4096


@pytest.fixture
def small(host):
    """The state directory on 2 MiB, with a repository of one commit and a clone of it."""
    host.configure("60-git", "[Daemon]\nJobKeep=0\n")
    host.systemctl("stop", "geard")
    host.sh(f"mount -t tmpfs -o size=2m,mode=755 tmpfs {STATE}")
    host.systemctl("start", "geard")
    assert host.peer("PUT", "/repository/r").status == 201
    host.sh(f"""
rm -rf /srv/git; git init -q -b main /srv/git; cd /srv/git
git config user.name x; git config user.email x@localhost; git remote add origin {URL}/token/__test__/git/r
echo hello > README; git add .; git commit -qm first; git push -q origin main""")
    yield host
    host.sh(f"rm -rf {STATE}/filler /srv/git")
    for repository in host.peer("GET", "/repositories", headers=JSON).json["repositories"]:
        host.peer("DELETE", f"/repository/{repository['id']}")
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend 'geard-git-*' 'job-*'"), 60, "its units are gone")
    host.sh(f"rm /etc/geard/geard.conf.d/60-git.conf; systemctl stop geard; umount {STATE}; systemctl start geard")


def leave_free(host, pages):
    """Fills the disk up to so many pages."""
    host.sh(f"cd {STATE} && rm -f filler && sync && free=$(stat -f -c %a .) && "
            f"head -c $(( (free - {pages}) * {PAGE} )) /dev/zero > filler")


def push(host):
    return host.run("git", "-C", "/srv/git", "push", "origin", "main", check=False)


def commit(host, size):
    host.sh(f"cd /srv/git && head -c {size} /dev/urandom > noise && git add . && git commit -qm noise")
    return host.sh("git -C /srv/git rev-parse HEAD")


def refs(host):
    """Of a repository that is sound."""
    host.sh(f"git -C {STORE}/r -c safe.directory=* fsck --full --strict")
    return host.sh(f"git -C {STORE}/r -c safe.directory=* for-each-ref")


def files(host):
    return host.sh(f"cd {STORE}/r && find . -type f -printf '%p %s\\n' | sort")


def test_a_push_of_more_than_there_is_room_for(small):
    """Who tries again and again does not fill the disk with it."""
    before = refs(small), files(small)
    pushed = commit(small, 3_000_000)
    for _ in range(3):
        done = push(small)
        assert done.returncode != 0 and b"No space left" in done.stderr, done.stderr
        assert (refs(small), files(small)) == before
    small.sh(f"mount -o remount,size=16m {STATE}")
    done = push(small)
    assert done.returncode == 0, done.stderr
    assert pushed in refs(small)


def test_a_push_when_there_is_hardly_any_room(small):
    """With each page more, one file more can be written: it fails at every one of them.
    The last is the branch; git has kept the pack by then, and the next attempt takes its place."""
    refused, before, room = 0, (refs(small), files(small)), small.sh(f"stat -f -c %a {STATE}")
    pushed = commit(small, 5_000)
    for pages in range(12):
        leave_free(small, pages)
        done = push(small)
        small.sh(f"rm {STATE}/filler")
        if done.returncode == 0:
            break
        refused += 1
        assert any(words in done.stderr for words in (b"No space left", b"Out of diskspace", b"couldn't write")), done.stderr
        assert refs(small) == before[0]
        assert files(small) == before[1] or int(room) - int(small.sh(f"stat -f -c %a {STATE}")) <= 3
    assert refused > 3 and pushed in refs(small)


@pytest.mark.parametrize("full_of", ["bytes", "inodes"])
def test_an_empty_one(small, full_of):
    """It is said why, which git does not say of each file."""
    refused = 0
    small.sh(f"mount -o remount,nr_inodes=500 {STATE}")
    for room in range(30):
        if full_of == "bytes":
            leave_free(small, room)
        else:
            small.sh(f"mkdir {STATE}/filler; cd {STATE}/filler; touch $(seq $(( $(stat -f -c %d .) - {room} )))")
        answer = small.peer("PUT", "/repository/new", headers=JSON)
        small.sh(f"rm -r {STATE}/filler")
        if answer.status == 201:
            break
        refused += 1
        assert answer.status == 500 and any(words in answer.json["detail"] for words in ("its disk is full", "No space left")), answer
        assert small.sh(f"ls -A {STORE}") == "r"
        assert small.peer("GET", "/repository/new").status == 404
    assert refused > 1 and answer.status == 201
    assert small.peer("DELETE", "/repository/new").status == 204
