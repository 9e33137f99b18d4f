# SPDX-License-Identifier: Apache-2.0
"""What a repository holds is told and archived as git has it, whatever its branches
are called, and nothing of that waits for a client who does not read."""

import hashlib
import http.client
import io
import tarfile
import zipfile

import pytest

from lib.gear import HOLD, JSON, made
from lib.host import SOCKET
from lib.stream import connect
from lib.wait import wait_until

GIT = "/var/lib/gears/git"


@pytest.fixture(scope="module")
def origin(shared_host):
    """A repository with branches of every kind, and a tree with what archives find hard."""
    shared_host.sh("""
rm -rf /srv/read; mkdir -p /srv/read; cd /srv/read
git init -q -b main work; cd work
git config user.name x; git config user.email x@localhost
mkdir -p docs/deep; echo hello > README; echo inner > docs/deep/file; ln -s /etc/passwd link; echo x > 'name with space'
git add .; git commit -qm first
git tag v1; git branch release/1.0; git tag -a -m annotated v1a
echo more > later; git add .; git commit -qm second
git branch 'odd#name'; git branch v1/fix; git branch cafe/x v1
printf '!bad text\n' > .gitattributes; git add .; git commit -qm attributes; git branch warned; git reset -q --hard HEAD~1
git clone -q --bare . ../small
git init -q --bare ../empty
chmod -R a+rX /srv/read
""")
    yield "/srv/read"
    shared_host.sh("rm -rf /srv/read")


@pytest.fixture
def read(host, origin):
    host.configure("60-git", f"[Daemon]\nClonePaths={origin}\nJobKeep=1s\n")
    host.systemctl("reload", "geard")
    answer = host.peer("PUT", "/repository/r", {"url": f"file://{origin}/small"}, JSON)
    assert answer.status == 201, answer
    yield host
    for repository in host.peer("GET", "/repositories", headers=JSON).json["repositories"]:
        host.peer("DELETE", f"/repository/{repository['id']}")
    host.sh("rm /etc/geard/geard.conf.d/60-git.conf; systemctl reload geard")


def git(host, words):
    return host.sh(f"git -C {GIT}/r -c safe.directory=* {words}")


def no_reader_is_left(host):
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend 'geard-git-*'"), 60, "its unit is gone")


# --- what there is ----------------------------------------------------------------------------------------


def test_what_is_told_of_it(read):
    host = read
    told = host.peer("GET", "/repository/r", headers=JSON).json
    assert told["head"] == "refs/heads/main"
    assert told["size"] > 1000
    names = {ref["name"]: ref["commit"] for ref in told["refs"]}
    assert names["refs/heads/main"] == git(host, "rev-parse main")
    assert {"refs/heads/release/1.0", "refs/heads/odd#name", "refs/tags/v1", "refs/tags/v1a"} <= set(names)
    assert told["refs_total"] == len(names)
    no_reader_is_left(host)


def test_as_the_token_form_has_it(read):
    answer = read.token("GET", "repository", r="r")
    assert answer.status == 200 and answer.text.startswith("r: ") and "head refs/heads/main\n" in answer.text


def test_one_that_is_not_there(read):
    for target in "/repository/none", "/repository/none/content":
        answer = read.peer("GET", target, headers=JSON)
        assert answer.status == 404 and "none" in answer.json["detail"], answer


# --- archives ---------------------------------------------------------------------------------------------


def content(host, where="", query="", headers=None):
    return host.peer("GET", f"/repository/r/content{where}{query}", headers=headers)


def test_a_zip_of_the_head(read):
    answer = content(read)
    assert answer.status == 200 and answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="r-HEAD.zip"'
    archive = zipfile.ZipFile(io.BytesIO(answer.body))
    assert archive.testzip() is None
    assert archive.read("README") == b"hello\n" and archive.read("docs/deep/file") == b"inner\n"
    assert {"later", "link", "name with space"} <= set(archive.namelist())


@pytest.mark.parametrize("form, mode, kind", [("tar", "r:", "application/x-tar"), ("tar.gz", "r:gz", "application/gzip")])
def test_a_tar(read, form, mode, kind):
    answer = content(read, query=f"?format={form}")
    assert answer.status == 200 and answer.headers["content-type"] == kind
    with tarfile.open(fileobj=io.BytesIO(answer.body), mode=mode) as archive:
        assert archive.extractfile("README").read() == b"hello\n"
        assert archive.getmember("link").linkname == "/etc/passwd"


def test_as_the_seed_has_it(read):
    answer = read.token("GET", "content", r="r", t="gitarchive")
    assert answer.status == 200 and zipfile.ZipFile(io.BytesIO(answer.body)).testzip() is None
    assert read.token("GET", "content/v1", r="r", t="gitarchive").status == 200
    refused = read.token("GET", "content", headers=JSON, r="r", t="svn")
    assert refused.status == 400 and "gitarchive" in refused.json["detail"]


@pytest.mark.parametrize("where, has, hasnt", [
    ("/main", "later", None), ("/v1", "README", "later"), ("/v1a", "README", "later"), ("/refs/heads/main", "later", None),
    ("/release/1.0", "README", "later"), ("/release%2F1.0", "README", "later"), ("/odd%23name", "later", None),
    ("/main/docs", "docs/deep/file", "README"), ("/release/1.0/docs/deep", "docs/deep/file", "README"),
    ("/main/name%20with%20space", "name with space", "README")])
def test_where_a_ref_ends_git_knows(read, where, has, hasnt):
    answer = content(read, where)
    assert answer.status == 200, answer
    names = zipfile.ZipFile(io.BytesIO(answer.body)).namelist()
    assert has in names and hasnt not in names


def test_a_tag_and_a_branch_below_its_name(read):
    assert "later" in zipfile.ZipFile(io.BytesIO(content(read, "/v1/fix").body)).namelist()
    assert "later" not in zipfile.ZipFile(io.BytesIO(content(read, "/cafe/x").body)).namelist()


def test_what_git_warns_of_is_not_in_the_archive(read):
    answer = content(read, "/warned", "?format=tar")
    with tarfile.open(fileobj=io.BytesIO(answer.body), mode="r:") as archive:
        assert ".gitattributes" in archive.getnames()
    assert b"Negative patterns" not in answer.body


def test_a_commit_by_its_name(read):
    commit = git(read, "rev-parse v1")
    for name in commit, commit[:7], commit[:12]:
        assert "later" not in zipfile.ZipFile(io.BytesIO(content(read, f"/{name}").body)).namelist()
    assert content(read, f"/{commit[:6]}").status == 404


@pytest.mark.parametrize("where, status", [
    ("/nothing", 404), ("/main/nothing", 404), ("/HEAD~1", 404), ("/main@%7B0%7D", 404), ("/:README", 404),
    ("/--output=x", 400), ("/%2e%2e/x", 400), ("/" + "x" * 4096, 400), ("/a%00b", 400),
    ("/%ff", 400)])
def test_what_is_no_ref(read, where, status):
    answer = content(read, where, headers=JSON)
    assert answer.status == status, answer
    no_reader_is_left(read)


def test_an_empty_one_has_no_head(read):
    assert read.peer("PUT", "/repository/fresh", headers=JSON).status == 201
    answer = read.peer("GET", "/repository/fresh/content", headers=JSON)
    assert answer.status == 404 and answer.json["field"] == "ref", answer
    told = read.peer("GET", "/repository/fresh", headers=JSON).json
    assert told["refs"] == [] and told["head"] == "refs/heads/main"


def test_it_is_known_by_its_tag(read):
    first = content(read, "/main")
    tag = first.headers["etag"]
    assert content(read, "/main", headers={"If-None-Match": tag}).status == 304
    assert content(read, "/main", headers={"If-None-Match": f'"other", {tag}'}).status == 304
    assert content(read, "/v1", headers={"If-None-Match": tag}).status == 200
    assert content(read, "/main", "?format=tar", headers={"If-None-Match": tag}).status == 200
    assert content(read, "/main", headers={"If-None-Match": "*"}).status == 304
    assert content(read, "/none", headers={"If-None-Match": "*"}).status == 404
    assert content(read, "/main", headers={"If-None-Match": f"W/{tag}"}).status == 304
    assert first.headers["cache-control"] == "private, no-cache"
    head = read.peer("HEAD", "/repository/r/content/main")
    assert head.status == 200 and head.headers["etag"] == tag and head.body == b""
    no_reader_is_left(read)


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz"])
def test_what_git_cannot_read_is_no_archive(read, form):
    """An object is gone: told before anything is sent, where nothing was sent yet."""
    blob = git(read, "rev-parse main:README")
    read.sh(f"cd {GIT}/r; pack=$(ls objects/pack/*.pack); mv $pack /root/; git -c safe.directory=* unpack-objects -q < /root/${{pack##*/}}; "
            f"rm -f objects/pack/* /root/*.pack; rm objects/{blob[:2]}/{blob[2:]}; chown -R gear-git: .")
    answer = content(read, "/main", f"?format={form}", headers=JSON)
    assert answer.status == 500 and "etag" not in answer.headers and "content-disposition" not in answer.headers, answer
    assert "git cannot work on repository r" in answer.json["detail"]
    no_reader_is_left(read)


@pytest.mark.parametrize("target", ["/repository/r", "/repository/r/content/main", "/repository/r/content/deadbeef", "/token/__test__/git/r/info/refs?service=git-upload-pack"])
def test_without_git_it_is_not_said_that_nothing_is_there(read, target):
    read.sh("mv /usr/bin/git /usr/bin/git.away")
    try:
        answer = read.peer("GET", target, headers=JSON)
    finally:
        read.sh("mv /usr/bin/git.away /usr/bin/git")
    assert answer.status == 500 and answer.json["detail"] == "this host has no git that could be run for repository r", answer
    no_reader_is_left(read)


# What stands still in git's place: at once, or where it has said which commit it is; and one that cannot be asked to end.
SILENT = {
    "at once": 'exec sleep 1000',
    "behind its first words": 'case "$*" in *rev-parse*) exec /usr/bin/git.away "$@";; esac; exec sleep 1000',
    "deaf": "trap '' TERM; while :; do sleep 1; done",
}


FETCH = "-X POST -H Content-Type:application/x-git-upload-pack-request -d 0000 /token/__test__/git/r/git-upload-pack"


@pytest.mark.parametrize("what, how", [
    ("/repository/r", "at once"), ("/repository/r/content", "at once"), ("/repository/r/content", "behind its first words"),
    ("/token/__test__/git/r/info/refs?service=git-upload-pack", "at once"), (FETCH, "at once"),
    pytest.param(FETCH, "deaf", marks=pytest.mark.takes(12))])
def test_who_leaves_while_git_is_silent_takes_it_along(read, what, how):
    host = read
    *options, target = what.split()
    host.sh("mv /usr/bin/git /usr/bin/git.away")
    try:
        (host.root / "usr/bin/git").write_text(f"#!/bin/sh\n{SILENT[how]}\n")
        host.sh("chmod 755 /usr/bin/git; systemd-run --quiet --collect --unit=asking curl -s -o /dev/null --unix-socket "
                f"{SOCKET} {' '.join(options)} 'http://localhost{target}'")
        wait_until(lambda: host.sh("pgrep -u gear-git -x sleep"), 30, "git stands still")
        host.systemctl("stop", "asking")
        wait_until(lambda: not host.sh("pgrep -u gear-git || true"), 30, "nothing of git is left")
        no_reader_is_left(host)
    finally:
        host.sh("mv /usr/bin/git.away /usr/bin/git")


@pytest.mark.parametrize("what", ["/repository/r", "/repository/r/content", "/token/__test__/git/r/info/refs?service=git-upload-pack"])
def test_git_that_is_silent_for_too_long(read, what):
    host = read
    host.sh("mv /usr/bin/git /usr/bin/git.away")
    host.configure("61-git", "[Daemon]\nJobTimeout=3s\n")
    try:
        (host.root / "usr/bin/git").write_text(f"#!/bin/sh\n{SILENT['at once']}\n")
        host.sh("chmod 755 /usr/bin/git; systemctl reload geard")
        answer = host.peer("GET", what, headers=JSON)
    finally:
        host.sh("mv /usr/bin/git.away /usr/bin/git; rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    assert answer.status == 504 and "JobTimeout=" in answer.text, answer
    no_reader_is_left(host)


def test_who_asks_while_geard_starts_is_answered(read):
    """What it ends then are the talks of an earlier life."""
    for _ in range(4):
        read.sh("systemctl reset-failed geard; systemctl restart geard")
        answer = read.peer("GET", "/repository/r", headers=JSON)
        assert answer.status == 200, answer
    no_reader_is_left(read)


# --- much of it -------------------------------------------------------------------------------------------


@pytest.fixture
def large(read):
    """60 MB that cannot be made smaller."""
    read.sh("""
cd /srv/read; rm -rf more; git init -q -b main more; cd more
git config user.name x; git config user.email x@localhost
head -c 60000000 /dev/urandom > noise; git add .; git commit -qm noise; chmod -R a+rX /srv/read
""")
    assert read.peer("PUT", "/repository/large", {"url": "file:///srv/read/more"}, JSON).status == 201
    return read


def ask(host, target, token="__test__"):
    connection = http.client.HTTPConnection("localhost")
    connection.sock = connect(host, receive_buffer=65536)
    claims = f"u=0&d=1&i={id(connection):x}&r=large&t=gitarchive&" if token == "__test__" else ""
    connection.request("GET", f"/token/{token}/{target}?{claims}format=tar")
    return connection, connection.getresponse()


def memory(host):
    pid = host.show("geard")["MainPID"]
    return int(host.sh(f"awk '/^RssAnon/ {{ print $2 }}' /proc/{pid}/status"))


def test_whoever_stands_still_costs_nothing(large):
    host = large
    before = memory(host)
    clients = [ask(host, "content") for _ in range(4)]
    try:
        assert all(answer.status == 200 for _, answer in clients)
        wait_until(lambda: host.sh("systemctl list-units --plain --no-legend 'geard-git-*' | wc -l") == "4", 60, "git waits, too")
        assert memory(host) - before < 8000, "kB"
        with tarfile.open(fileobj=clients[0][1], mode="r|") as archive:
            noise = next(member for member in archive if member.name == "noise")
            digest = hashlib.sha256(archive.extractfile(noise).read()).hexdigest()
        assert digest == host.sh("sha256sum /srv/read/more/noise").split()[0]
    finally:
        for connection, _ in clients:
            connection.close()
    no_reader_is_left(host)


def begin_push(host):
    """A push of which no more comes."""
    line = f"{'0' * 40} {'1' * 40} refs/heads/pushed\0 report-status".encode()
    connection = connect(host)
    connection.sendall(b"POST /token/__test__/git/r/git-receive-pack HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
                       b"Content-Type: application/x-git-receive-pack-request\r\n\r\n" +
                       f"{len(line) + 4:04x}".encode() + line + b"0000PACK\0\0\0\2\0\0\0\3")
    return connection


def stands_still(host):
    """Four archives, a push and a clone."""
    return host.sh("pgrep -u gear-git -cf ' archive --format' || true") == "4" and host.sh("pgrep -u gear-git -f 'receive-pack'") and \
        host.show("job-cloned")["SubState"] == "start"


def test_others_are_answered_while_all_that_git_does_stands_still(large):
    """A clone of whose server nothing comes, archives that nobody reads, and a push."""
    host = large
    host.configure("61-git", "[Daemon]\nClonePrivate=yes\n")
    host.systemctl("reload", "geard")
    made(host, command=HOLD)
    connections = []
    try:
        host.sh("systemd-run --quiet --collect --unit=stalled python3 -c 'import socket; s = socket.create_server((\"127.0.0.1\", 9418))\n"
                "held = []\nwhile True: held.append(s.accept())'")
        wait_until(lambda: "127.0.0.1:9418" in host.sh("ss -ltn"), 20, "it listens")
        assert host.peer("PUT", "/repository/cloned?wait=0", {"url": "git://127.0.0.1/x"}).status == 202
        connections = [ask(host, "content")[0] for _ in range(4)] + [begin_push(host)]
        wait_until(lambda: stands_still(host), 60, "all of it is under way")
        for _ in range(20):
            assert host.peer("GET", "/container/1/status", headers=JSON, timeout=5).json["state"] == "running"
            assert "up" in host.peer("GET", "/container/1/log?follow=no", timeout=5).text
            assert b"up\n" in host.run("gear", "log", "1", timeout=20).stdout
            assert host.peer("GET", "/repository/r", headers=JSON, timeout=5).status == 200
        assert stands_still(host), "it was so all the time"
    finally:
        for connection in connections:
            connection.close()
        host.sh("systemctl stop stalled; rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
        host.peer("DELETE", "/repository/cloned")
    no_reader_is_left(host)


@pytest.fixture
def hurried(large):
    """How to give git only so many seconds."""
    def hurry():
        large.configure("61-git", "[Daemon]\nJobTimeout=5s\n")
        large.systemctl("reload", "geard")
    yield hurry
    large.sh("systemctl stop slow 2>/dev/null; rm -f /root/pipe /root/archive /root/status /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")


def test_an_archive_that_takes_too_long_is_no_whole_one(large, hurried):
    """Its client takes it only when git has been ended, and can tell."""
    host = large
    url = f"curl -sS --unix-socket {SOCKET} 'http://localhost/repository/large/content?format=tar'"
    host.sh(f"{url} -o /root/archive")
    whole = int(host.sh("stat -c %s /root/archive"))
    hurried()
    host.sh(f"mkfifo /root/pipe; systemd-run -q --collect --unit=slow bash -c \"{url} -o /root/pipe; echo \\$? > /root/status\"")
    wait_until(lambda: host.sh("systemctl list-units --plain --no-legend 'geard-git-*'"), 60, "git is at work")
    no_reader_is_left(host)
    assert 0 < int(host.sh("wc -c < /root/pipe")) < whole
    wait_until(lambda: host.sh("cat /root/status 2>/dev/null || true") == "18", 20, "curl says that it is not whole")


def test_an_archive_ends_with_its_token(large, issuer):
    """Not whole, and its client can tell."""
    connection, answer = ask(large, "content", issuer.token(r="large", t="gitarchive", a=["repo.read"]))
    try:
        assert answer.status == 200 and len(answer.read(1000)) == 1000
        issuer.remove()
        no_reader_is_left(large)
        with pytest.raises((http.client.HTTPException, OSError)):
            answer.read()
    finally:
        connection.close()


def test_git_that_fails_midway_is_no_whole_archive(large):
    host = large
    connection, answer = ask(host, "content")
    try:
        wait_until(lambda: host.sh("systemctl list-units --plain --no-legend 'geard-git-*'"), 60, "git is at work")
        host.sh("systemctl kill -s KILL 'geard-git-*'")
        with pytest.raises((http.client.HTTPException, OSError)):
            answer.read()
    finally:
        connection.close()
    no_reader_is_left(host)
