# SPDX-License-Identifier: Apache-2.0
"""Who may do what with a repository, and that an order that is repeated is one order."""

import json
import time

import pytest

from lib.gear import JSON
from lib.host import SOCKET
from lib.wait import wait_until

GIT = "/var/lib/gears/git"


@pytest.fixture
def git(host):
    """Repositories mine and theirs, with a commit in each."""
    host.configure("60-git", "[Daemon]\nClonePaths=/srv/origin\nClonePrivate=yes\nJobKeep=0\n")
    host.systemctl("reload", "geard")
    host.sh("""
rm -rf /srv/origin; mkdir -p /srv/origin; cd /srv/origin; git init -q -b main work; cd work
git config user.name x; git config user.email x@localhost; echo word > file; git add .; git commit -qm one
git clone -q --bare . ../one; chmod -R a+rX /srv/origin
""")
    for repository in "mine", "theirs":
        assert host.peer("PUT", f"/repository/{repository}", {"url": "file:///srv/origin/one"}, JSON).status == 201
    yield host
    for repository in host.sh(f"ls -A {GIT}").split():
        host.peer("DELETE", f"/repository/{repository}")
    host.sh("rm /etc/geard/geard.conf.d/60-git.conf; rm -r /srv/origin; systemctl reload geard")


def ask(host, token, method, target, body=None):
    return host.curl(method, f"/token/{token}{target}", body, JSON)


# --- rights ---------------------------------------------------------------------------------------------

READS = ["/repository/{}", "/repository/{}/content/main", "/git/{}/info/refs?service=git-upload-pack"]


@pytest.mark.parametrize("right, reads, writes", [
    ("repo.read", True, False), ("repo.write", False, True), ("gear.read", False, False), ("log.read", False, False)])
def test_each_call_needs_its_right(git, issuer, right, reads, writes):
    token = issuer.token(r="mine", a=right)
    for target in READS:
        answer = ask(git, token, "GET", target.format("mine"))
        assert (answer.status == 200) == reads and (reads or answer.status == 403), (target, answer)
    fresh = issuer.token(r="fresh", a=right)
    assert ask(git, fresh, "PUT", "/repository/fresh").status == (201 if writes else 403)
    assert ask(git, fresh, "DELETE", "/repository/fresh").status == (204 if writes else 403)
    assert ask(git, token, "DELETE", "/repository/mine").status == (204 if writes else 403)


def test_a_token_is_for_its_repository(git, issuer):
    token = issuer.token(r="mine", a="repo.read repo.write")
    for target in READS:
        assert ask(git, token, "GET", target.format("theirs")).status == 403, target
    assert ask(git, token, "GET", "/git/theirs/info/refs?service=git-receive-pack").status == 403
    assert ask(git, token, "PUT", "/repository/other").status == 403
    assert ask(git, token, "DELETE", "/repository/theirs").status == 403
    assert git.sh(f"ls {GIT}").split() == ["mine", "theirs"]


def test_the_list_tells_what_may_be_told(git, issuer):
    listed = ask(git, issuer.token(r="mine", a="repo.read"), "GET", "/repositories")
    assert listed.status == 200 and [one["id"] for one in listed.json["repositories"]] == ["mine"], listed
    assert ask(git, issuer.token(r="mine", a="repo.write"), "GET", "/repositories").status == 403


# --- exactly once ---------------------------------------------------------------------------------------


def put(host, order, body=None, repository="fresh"):
    return host.peer("PUT", f"/repository/{repository}", body, {**JSON, "X-Request-Id": order})


def fresh_id():
    return f"{time.time_ns():x}"


def test_what_is_asked_for_again_is_answered_again(git):
    order = fresh_id()
    first, again = put(git, order), put(git, order)
    assert first.status == again.status == 201 and "geard-replayed" not in first.headers, first
    assert again.headers.get("geard-replayed") == "yes" and again.body == first.body, again
    assert put(git, order, {"branch": "other"}).status == 409, "another order under the same id"
    goes = fresh_id()
    for _ in range(2):
        assert git.peer("DELETE", "/repository/fresh", headers={"X-Request-Id": goes}).status == 204
    assert put(git, fresh_id()).status == 201
    assert git.peer("DELETE", "/repository/fresh", headers={"X-Request-Id": goes}).headers.get("geard-replayed") == "yes"
    assert git.sh(f"ls {GIT}").split() == ["fresh", "mine", "theirs"], "the new one is not what it was about"


def test_what_failed_may_be_tried_again_under_its_id(git):
    order = fresh_id()
    body = {"url": "file:///srv/origin/later"}
    assert put(git, order, body).status == 500
    git.sh("cp -a /srv/origin/one /srv/origin/later")
    assert put(git, order, body).status == 201


def test_a_clone_that_ends_well_without_geard_is_told(git):
    """geard is killed while git waits; when git has gone on, the id tells the truth."""
    order = fresh_id()
    git.sh("mv /usr/bin/git /usr/bin/git.away")
    (git.root / "usr/bin/git").write_text("#!/bin/sh\nwhile [ ! -e /usr/share/go ]; do sleep 0.1; done\nexec /usr/bin/git.away \"$@\"\n")
    git.sh("chmod 755 /usr/bin/git")
    try:
        git.sh(f"systemd-run --quiet --collect --unit=asking curl -s -o /dev/null -X PUT --unix-socket {SOCKET} "
               f"http://localhost/repository/fresh -H 'X-Request-Id: {order}' -d '{json.dumps({'url': 'file:///srv/origin/one'})}'")
        wait_until(lambda: git.show("job-fresh")["SubState"] == "start", 20, "git is at work")
        git.sh("systemctl kill -s KILL geard; touch /usr/share/go")
        told = wait_until(lambda: git.run("curl", "-sf", "--unix-socket", SOCKET, f"http://localhost/requests/{order}", "-H",
                                          "Accept: application/json", check=False).stdout, 60, "geard is back and knows it")
        told = wait_until(lambda: (one := git.peer("GET", f"/requests/{order}", headers=JSON).json)["state"] != "running" and one, 60, told)
    finally:
        git.sh("mv /usr/bin/git.away /usr/bin/git; rm -f /usr/share/go; systemctl reset-failed geard")
    assert told["status"] == 201, told
    assert put(git, order, {"url": "file:///srv/origin/one"}).headers.get("geard-replayed") == "yes"
    assert git.sh(f"git -C {GIT}/fresh -c safe.directory=* log --format=%s main") == "one"
