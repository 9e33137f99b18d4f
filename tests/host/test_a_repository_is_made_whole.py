# SPDX-License-Identifier: Apache-2.0
"""A repository is made, cloned and removed by a job of its own, as a whole or not
at all, and what is told of it is the truth."""

import json
import time

import pytest

from lib import gitimage
from lib.gear import JSON, knows_all
from lib.host import SOCKET
from lib.killing import MOST, killed_at
from lib.wait import wait_until

GIT = "/var/lib/gears/git"
STREAM = {"Accept": "text/plain;stream=true"}


@pytest.fixture(params=gitimage.PLACES)
def git(host, request):
    """A host that knows a repository to clone, /srv/origin/one, and forgets jobs soon."""
    place = gitimage.settings(host, request.param)
    host.configure("60-git", f"[Daemon]\nClonePaths=/srv/origin\nClonePrivate=yes\nJobKeep=2s\n{place}")
    host.systemctl("reload", "geard")
    host.sh("""
rm -rf /srv/origin; mkdir -p /srv/origin; cd /srv/origin
git init -q -b main work; cd work
git config user.name x; git config user.email x@localhost
for i in 1 2 3; do echo $i > file-$i; git add .; git commit -qm "commit $i"; done
git tag v1
git clone -q --bare . ../one
chmod -R a+rX /srv/origin
""")
    yield host
    for repository in repositories(host):
        host.peer("DELETE", f"/repository/{repository}")
    host.sh("rm /etc/geard/geard.conf.d/60-git.conf; systemctl reload geard")


def put(host, repository="git1", body=None, headers=None, **how):
    return host.peer("PUT", f"/repository/{repository}", body, headers or JSON, **how)


def repositories(host):
    return [found["id"] for found in host.peer("GET", "/repositories", headers=JSON).json["repositories"]]


def entries(host):
    return sorted(host.sh(f"ls -A {GIT}").split())


def nothing_is_left(host, repository="git1"):
    assert entries(host) == []
    assert repositories(host) == []
    assert host.sh(f"docker ps -aq -f name=job-{repository} || true") == ""
    wait_until(lambda: "not-found" in host.show(f"job-{repository}")["LoadState"], 20, "its unit is collected")


# --- making one -----------------------------------------------------------------------------------------


def test_an_empty_one(git):
    host = git
    answer = put(host, body={"description": "What we say of it", "branch": "trunk"})
    assert answer.status == 201, answer
    assert answer.json["id"] == "git1"
    assert host.sh(f"stat -c '%U %a' {GIT}/git1") == "gear-git 750"
    assert host.sh(f"cat {GIT}/git1/HEAD {GIT}/git1/description") == "ref: refs/heads/trunk\nWhat we say of it"
    assert host.sh(f"git -C {GIT}/git1 -c safe.directory=* rev-parse --is-bare-repository") == "true"
    unit = host.show("job-git1")
    assert unit["ActiveState"] == "active" and unit["SubState"] == "exited", unit
    assert repositories(host) == ["git1"]
    wait_until(lambda: host.show("job-git1")["LoadState"] == "not-found", 20, "it is collected")


@pytest.mark.parametrize("words, branch", [("100 %n $HOME ${PATH} \\ 'a' \"b\" ; `id` été 🐙", "été/über"), ("--upload-pack=x", "x")])
def test_words_are_what_they_are(git, words, branch):
    """Whatever they would mean to systemd, a shell, docker or git."""
    answer = put(git, body={"description": words, "branch": branch})
    assert answer.status == 201, answer
    assert git.sh(f"cat {GIT}/git1/HEAD {GIT}/git1/description") == f"ref: refs/heads/{branch}\n{words}"


def test_there_is_one_already(git):
    host = git
    assert put(host).status == 201
    again = put(host)
    assert again.status == 409 and "git1" in again.json["detail"], again
    assert repositories(host) == ["git1"]


def test_what_an_earlier_attempt_left_is_no_part_of_it(git):
    host = git
    host.sh(f"git clone -q --bare /srv/origin/one {GIT}/.git1.new && chown -R gear-git:gear-git {GIT}/.git1.new && "
            f"mkdir {GIT}/.git1.gone && touch {GIT}/.git1.gone/x && chown -R gear-git:gear-git {GIT}/.git1.gone")
    assert put(host, body={"branch": "trunk"}).status == 201
    assert host.sh(f"git -C {GIT}/git1 -c safe.directory=* tag; cat {GIT}/git1/HEAD") == "ref: refs/heads/trunk"
    assert host.peer("DELETE", "/repository/git1").status == 204
    nothing_is_left(host)


def test_a_unit_of_that_name_that_is_not_ours_stays(git):
    host = git
    host.sh("systemd-run --quiet --unit=job-git1 sleep 600")
    answer = put(host)
    assert answer.status == 409 and "job-git1.service" in answer.json["detail"], answer
    host.sh("sleep 4") # longer than JobKeep=
    assert host.show("job-git1")["SubState"] == "running"
    host.systemctl("stop", "job-git1")
    nothing_is_left(host)


def test_it_goes_and_its_id_is_free(git):
    host = git
    assert put(host).status == 201
    assert host.peer("DELETE", "/repository/git1").status == 204
    nothing_is_left(host)
    assert host.peer("DELETE", "/repository/git1").status == 204
    assert put(host).status == 201


ROOT = "/run/geard/root" # what git's sandbox has as /


@pytest.fixture
def rootless(git):
    """A repository git1, and then a geard that finds a file in the way of the sandbox's root."""
    assert put(git).status == 201
    git.sh(f"systemctl stop geard; rm -rf {ROOT}; touch {ROOT}; systemctl start geard")
    yield git
    git.sh(f"systemctl stop geard; rm -rf {ROOT}; systemctl start geard")
    assert git.peer("GET", "/repository/git1").status == 200
    assert put(git, "git2").status == 201


def test_without_a_root_for_the_sandbox_it_is_said(rootless):
    for method, target, body in [("PUT", "/repository/git2", {}),
                                 ("PUT", "/repository/git2", {"url": "file:///srv/origin/one"}),
                                 ("PUT", "/repository/git2", {"url": "https://localhost/one"}),
                                 ("GET", "/repository/git1", None),
                                 ("GET", "/repository/git1/content", None),
                                 ("GET", "/git/git1/info/refs?service=git-upload-pack", None),
                                 ("GET", "/git/git1/info/refs?service=git-receive-pack", None),
                                 ("DELETE", "/repository/git1", None)]:
        answer = rootless.peer(method, target, body, JSON)
        assert answer.status == 500, answer
        assert ROOT in answer.json["detail"] and "Not a directory" in answer.json["detail"], answer
    assert entries(rootless) == ["git1"]
    assert rootless.sh("systemctl list-units --all --plain --no-legend 'geard-git-*' 'job-git2*' 'tidy-*'") == ""


def test_as_the_seed_has_it(git):
    host = git
    answer = host.token("PUT", "repository", r="git1", t="file:///srv/origin/one")
    assert answer.status == 201 and "Repository git1 is created" in answer.text, answer
    assert host.sh(f"git -C {GIT}/git1 -c safe.directory=* log --format=%s main").split("\n")[0] == "commit 3"


@pytest.mark.parametrize("says, reflog, no_rewinds", [("", "true", "false"), ("GitReflog=no\nGitRewinds=no\nGitBranch=trunk", "false", "true")])
def test_new_ones_are_as_the_configuration_says(git, says, reflog, no_rewinds):
    host = git
    host.configure("61-git", f"[Daemon]\n{says}\n")
    host.systemctl("reload", "geard")
    try:
        assert put(host).status == 201
        assert put(host, "git2", body={"url": "file:///srv/origin/one"}).status == 201
    finally:
        host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    for repository in "git1", "git2":
        assert host.sh(f"git config -f {GIT}/{repository}/config core.logAllRefUpdates") == reflog
        assert host.sh(f"git config -f {GIT}/{repository}/config receive.denyNonFastForwards") == no_rewinds
    assert host.sh(f"cat {GIT}/git1/HEAD") == f"ref: refs/heads/{'trunk' if says else 'main'}"
    assert host.sh(f"cat {GIT}/git2/HEAD") == "ref: refs/heads/main"


@pytest.mark.parametrize("branch", ["-x", "--upload-pack=touch /tmp/x", "..", "a..b", "a@{0}", "a:b", "a b", "a\n", "a\0b", "/a", "a/", ".a",
                                    "a.lock", "a\\b", "a*", "x" * 4096, "", "HEAD", "@", 5, True, ["main"], {"name": "main"}])
def test_branches_that_are_none(host, branch):
    answer = put(host, body={"branch": branch})
    assert answer.status == 400 and (answer.json.get("field") == "branch" or "\0" in str(branch)), answer
    assert "branch" in answer.json["detail"] or "\0" in str(branch), answer
    assert host.sh(f"ls -A {GIT}") == ""


def test_a_clone_brings_its_own_branches(host):
    for answer in (put(host, body={"url": "https://localhost/x", "branch": "main"}),
                   host.token("PUT", "repository", {"branch": "main"}, JSON, r="git1", t="https://localhost/x")):
        assert answer.status == 400 and answer.json["field"] == "branch" and "a clone has those" in answer.json["detail"], answer
    assert entries(host) == []


# --- cloning --------------------------------------------------------------------------------------------


def test_a_clone_has_all_and_tells_how_far_it_is(git):
    host = git
    answer = put(host, body={"url": "file:///srv/origin/one"}, headers=STREAM)
    assert answer.status == 200 and answer.text.endswith("done 201: Repository git1 is created\n"), answer
    assert "Receiving objects: 100%" in answer.text or "remote: Total" in answer.text, answer
    assert host.sh(f"git -C {GIT}/git1 -c safe.directory=* tag") == "v1"


def test_a_clone_of_nothing_leaves_nothing(git):
    host = git
    answer = put(host, body={"url": "file:///srv/origin/nothing"})
    assert answer.status == 500 and "exited with status" in answer.json["detail"] and "does not" in answer.json["detail"], answer
    nothing_is_left(host)
    assert put(host).status == 201, "the id can be used again"


@pytest.mark.parametrize("url, status", [
    ("ext::sh -c touch% /tmp/x", 400), ("fd::7", 400), ("--upload-pack=touch /tmp/x", 400), ("git@localhost:x", 400),
    ("https://user:hidden@localhost/x", 400), ("ssh://-oProxyCommand=x/y", 400), ("file:///etc", 403),
    ("file:///srv/origin/../../etc", 400)])
def test_what_must_not_reach_git(git, url, status):
    host = git
    answer = put(host, body={"url": url})
    assert answer.status == status and "url" in answer.text, answer
    assert "hidden" not in answer.text and "hidden" not in host.journal("geard")
    assert entries(host) == []


NO_IDS = ["..", ".", "", "-x", "--upload-pack=touch", "a b", "é", "x" * 64, "a/b", "../x", "a@{0}", "a:b", "a\0b", "a\nb", ".hidden",
          "%n", "$x", "y" * 4096]


@pytest.mark.parametrize("method, what", [
    ("PUT", "repository"), ("GET", "repository"), ("DELETE", "repository"), ("GET", "repository/log"), ("GET", "content")])
def test_ids_that_are_none(host, method, what):
    for repository in NO_IDS:
        answer = host.token(method, what, r=repository, headers=JSON)
        assert answer.status == 400 and ("\0" in repository or answer.json["field"] == "r"), (repository, answer)
    assert host.sh(f"ls -A {GIT}") == ""


@pytest.mark.parametrize("method, path", [
    ("PUT", "/repository/{}"), ("GET", "/repository/{}"), ("DELETE", "/repository/{}"), ("GET", "/repository/{}/log"),
    ("GET", "/repository/{}/content"), ("GET", "/repository/{}/content/main"), ("GET", "/git/{}/info/refs?service=git-upload-pack")])
def test_paths_that_name_none(host, method, path):
    for repository in "-x", "a%20b", "%C3%A9", "x" * 64, "a%2Fb", "a%40%7B0%7D", "a:b", ".hidden", "%25n":
        answer = host.peer(method, path.format(repository), headers=JSON)
        assert answer.status == 400 and answer.json["field"] == "id", (repository, answer)
    assert host.sh(f"ls -A {GIT}") == ""


def test_no_link_leads_out_of_where_it_may_be_cloned_from(git):
    """To another one's repository, which the same user owns, or to one that everybody may read."""
    host = git
    assert put(host, "other", body={"url": "file:///srv/origin/one"}).status == 201
    host.sh(f"git clone -q --bare /srv/origin/one /opt/elsewhere && chmod -R a+rX /opt/elsewhere; "
            f"ln -s {GIT}/other /srv/origin/to-other; ln -s /opt/elsewhere /srv/origin/to-elsewhere; ln -s one /srv/origin/to-one")
    try:
        for link in "to-other", "to-elsewhere":
            answer = put(host, body={"url": f"file:///srv/origin/{link}"})
            assert answer.status == 500 and "does not" in answer.json["detail"], answer
        assert put(host, body={"url": "file:///srv/origin/to-one"}).status == 201
    finally:
        host.sh("rm -r /opt/elsewhere")


# --- where it may be cloned from ------------------------------------------------------------------------


@pytest.fixture
def guarded(git):
    """The same, but only hosts on the Internet may be asked; one of them is this host, by an address that anybody may have."""
    git.configure("61-git", "[Daemon]\nClonePrivate=no\n")
    git.systemctl("reload", "geard")
    git.sh("ip address add 198.51.100.7/32 dev lo; echo 198.51.100.7 far.test >> /etc/hosts; "
           "echo '10.1.2.3 near.test' >> /etc/hosts; git -C /srv/origin/one update-server-info")
    yield git
    git.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard; ip address del 198.51.100.7/32 dev lo; "
           "sed -i '/[.]test$/d' /etc/hosts")


@pytest.mark.parametrize("url", ["http://127.0.0.1/x", "https://localhost/x", "ssh://root@near.test/x", "git://[::1]/x",
                                 "http://169.254.169.254/latest", "http://[::ffff:127.0.0.1]/x", "http://2130706433/x"])
def test_nobody_looks_around_in_here(guarded, url):
    answer = put(guarded, body={"url": url})
    assert answer.status == 403 and answer.json["field"] == "url" and "ClonePrivate" in answer.json["detail"], answer
    assert "10.1.2.3" not in answer.text, "what names mean in here is not for who asks"
    nothing_is_left(guarded)


# What a host's python3-minimal can do.
SERVER = """
import os, socket, sys
server = socket.create_server((sys.argv[1], 8099))
while True:
    client, _ = server.accept()
    line = client.recv(65536).decode().split("\\r")[0]
    print(line, flush=True)
    path = line.split()[1].split("?")[0]
    if path.startswith("/away/"):
        client.sendall(f"HTTP/1.0 302 Found\\r\\nLocation: http://127.0.0.1:8099/one/{path[6:]}\\r\\n\\r\\n".encode())
    elif os.path.isfile("/srv/origin" + path):
        with open("/srv/origin" + path, "rb") as file:
            client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + file.read())
    else:
        client.sendall(b"HTTP/1.0 404 Not Found\\r\\n\\r\\n")
    client.close()
"""


@pytest.fixture
def served(guarded):
    """/srv/origin over HTTP at both addresses; /away/ leads from the one to the other."""
    (guarded.root / "root/serve.py").write_text(SERVER)
    for name, address in ("far", "198.51.100.7"), ("near", "127.0.0.1"):
        guarded.sh(f"systemd-run --quiet --collect --unit=serve-{name} python3 /root/serve.py {address}")
    wait_until(lambda: guarded.sh("ss -ltn").count(":8099") == 2, 20, "both listen")
    yield guarded
    guarded.systemctl("stop", "serve-far", "serve-near")


def test_who_is_on_the_internet_is_cloned_from(served):
    assert put(served, body={"url": "http://far.test:8099/one"}).status == 201


def test_no_redirection_leads_in_here(served):
    answer = put(served, body={"url": "http://far.test:8099/away/"})
    assert answer.status == 500, answer
    assert "GET" not in served.sh("journalctl --quiet -u serve-near")
    nothing_is_left(served)


@gitimage.in_container
def test_a_git_that_cannot_be_held_asks_nobody(served):
    """One that does not know http.curloptResolve would ask for the name again."""
    served.sh(f"""cd "$(mktemp -d)"; printf '#!/bin/sh\necho git version 2.36.9\n' > git; chmod 755 git
printf 'FROM {gitimage.IMAGE}\nADD git /usr/bin/git\n' > Dockerfile
DOCKER_BUILDKIT=0 docker build -q --network=none -t test/old-git . >/dev/null""")
    served.configure("62-git", "[Daemon]\nGitImage=test/old-git\n")
    served.systemctl("reload", "geard")
    before = served.cursor()
    try:
        answer = put(served, body={"url": "http://far.test:8099/one"})
    finally:
        served.sh("rm /etc/geard/geard.conf.d/62-git.conf; systemctl reload geard; docker rmi test/old-git")
    assert answer.status == 500 and "git version 2.36.9: from 2.37 on" in answer.json["detail"], answer
    assert "GET" not in served.journal("serve-far", "cat", f"--after-cursor={before}")
    nothing_is_left(served)


# --- bad days -------------------------------------------------------------------------------------------


HALF_AN_ANSWER = r"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n\r\n001e# service=git-upl"


@pytest.fixture
def stalled(git):
    """Servers that take what they are asked and never answer, and one that begins to."""
    for port, words in (9418, ""), (9419, HALF_AN_ANSWER):
        git.sh(f"systemd-run --quiet --collect --unit=stalled-{port} python3 -c \"import socket; s = socket.create_server(('127.0.0.1', {port}))\nheld = []\n"
               f"while True: held.append(s.accept()); held[-1][0].send(b'{words}')\"")
    wait_until(lambda: all(port in git.sh("ss -ltn") for port in (":9418", ":9419")), 20, "they listen")
    yield git
    git.systemctl("stop", "stalled-*")


def begin_stalled_clone(host):
    host.sh(f"systemd-run --quiet --collect --unit=asking curl -s -o /root/asked -X PUT --unix-socket {SOCKET} "
            "http://localhost/repository/git1 -H 'X-Request-Id: 5ea1f' -H 'Accept: application/json' "
            """-d '{"url": "git://127.0.0.1/x"}'""")
    wait_until(lambda: host.show("job-git1")["SubState"] == "start", 20, "git is at work")


def outcome(host):
    return wait_until(lambda: (told := host.peer("GET", "/requests/5ea1f", headers=JSON).json)["state"] != "running" and told, 40, "it is told")


def test_one_that_is_ended_by_hand(stalled):
    host = stalled
    begin_stalled_clone(host)
    host.systemctl("kill", "-s", "KILL", "job-git1")
    told = outcome(host)
    assert told["state"] == "failed" and told["status"] == 500, told
    nothing_is_left(host)


@pytest.mark.parametrize("url", ["git://127.0.0.1/x", "http://127.0.0.1:9418/x", "http://127.0.0.1:9419/x", "ssh://root@127.0.0.1:9418/x"])
def test_one_that_takes_too_long(stalled, url):
    host = stalled
    host.configure("61-git", "[Daemon]\nJobTimeout=3s\n")
    host.systemctl("reload", "geard")
    try:
        answer = put(host, body={"url": url})
    finally:
        host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    assert answer.status == 504, answer
    nothing_is_left(host)


def test_who_deletes_it_ends_its_making(stalled):
    host = stalled
    begin_stalled_clone(host)
    refused = host.peer("DELETE", "/jobs/git1", headers=JSON)
    assert refused.status == 409 and "repository git1" in refused.json["detail"], refused
    assert host.peer("DELETE", "/repository/git1").status == 204
    told = outcome(host)
    assert told["status"] == 409 and "deleted meanwhile" in json.dumps(told), told
    nothing_is_left(host)
    assert put(host).status == 201, "the id can be used again"


def test_who_deletes_one_that_waits_ends_that(stalled):
    host = stalled
    host.configure("61-git", "[Daemon]\nJobsMax=1\n")
    host.systemctl("reload", "geard")
    begin_stalled_clone(host)
    asked = f"{time.time_ns():x}"
    host.sh("systemd-run --quiet --collect --unit=waiting curl -s -o /root/waited -X PUT --unix-socket "
            f"{SOCKET} http://localhost/repository/git2 -H 'X-Request-Id: {asked}' -H 'Accept: application/json'")
    wait_until(lambda: "Waiting for other jobs" in host.peer("GET", f"/requests/{asked}").text, 20, "it waits for its turn")
    assert host.peer("DELETE", "/repository/git2").status == 204
    assert host.peer("GET", f"/requests/{asked}", headers=JSON).json["status"] == 409
    assert host.show("job-git1")["SubState"] == "start"
    host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    assert host.peer("DELETE", "/repository/git1").status == 204
    nothing_is_left(host)


def test_two_at_once_are_one(stalled):
    host = stalled
    begin_stalled_clone(host)
    answer = put(host)
    assert answer.status == 409 and "job-git1" in answer.json["detail"], answer
    host.systemctl("stop", "job-git1")
    assert outcome(host)["state"] == "failed"
    nothing_is_left(host)


def test_so_many_at_once_and_so_many_wait(stalled):
    host = stalled
    host.configure("61-git", "[Daemon]\nJobsMax=1\nJobsWaiting=1\n")
    host.systemctl("reload", "geard")
    begin_stalled_clone(host)
    asked = f"{time.time_ns():x}"  # it goes well, and the same once more would be the same answer
    host.sh("systemd-run --quiet --collect --unit=waiting curl -s -o /root/waited -X PUT --unix-socket "
            f"{SOCKET} http://localhost/repository/git2 -H 'X-Request-Id: {asked}' -H 'Accept: application/json'")
    wait_until(lambda: "Waiting for other jobs" in host.peer("GET", f"/requests/{asked}").text, 20, "it waits for its turn")
    refused = put(host, "git3")
    assert refused.status == 503 and "JobsMax" in refused.json["detail"] and refused.headers["retry-after"], refused
    host.systemctl("stop", "job-git1")
    assert outcome(host)["state"] == "failed"
    wait_until(lambda: repositories(host) == ["git2"], 40, "it had its turn")
    host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")


@pytest.mark.parametrize("how", ["restart", "kill"])
def test_it_outlives_geard(stalled, how):
    """And who asks afterwards is told what became of it."""
    host = stalled
    begin_stalled_clone(host)
    host.sh("systemctl reset-failed geard; " + ("systemctl kill -s KILL geard" if how == "kill" else "systemctl restart geard"))
    wait_until(lambda: host.run("curl", "-sf", "-o", "/dev/null", "--unix-socket", SOCKET, "http://localhost/healthz", check=False).returncode == 0,
               30, "geard is there")
    assert host.show("job-git1")["SubState"] == "start", "it goes on"
    assert host.peer("GET", "/requests/5ea1f", headers=JSON).json["state"] == "running"
    host.systemctl("kill", "-s", "KILL", "job-git1")
    assert outcome(host)["status"] == 500
    nothing_is_left(host)


def settled(host):
    """Whole or gone, and nothing beside."""
    there = entries(host)
    if there not in ([], ["git1"]) or repositories(host) != there:
        return False
    return not there or host.sh(f"git -C {GIT}/git1 -c safe.directory=* rev-parse v1") != ""


@pytest.mark.takes(10)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("call", ["fsync", "renameat2", "unlinkat", "sendmsg"])
@pytest.mark.parametrize("what", ["clone", "delete"])
def test_geard_is_killed_at(git, what, call):
    host = git
    body = {"url": "file:///srv/origin/one"}
    for n in range(1, MOST):
        if what == "delete":
            assert put(host, body=body).status in (201, 409)
        verdict = killed_at(host, call, n, *(("DELETE", "/repository/git1") if what == "delete" else
                                             ("PUT", "/repository/git1", json.dumps(body))))
        wait_until(lambda: knows_all(host), 60, "geard is back")
        wait_until(lambda: settled(host), 60, f"whole or gone, after {call} number {n}", every=0.2)
        if what == "clone":
            assert put(host, body=body).status in (201, 409)
        assert host.peer("DELETE", "/repository/git1").status == 204
        assert entries(host) == []
        if verdict == "survived":
            break
    print(f"killed at {n - 1} calls of {call}")
    assert 1 <= n < MOST
    assert n > 1 or (what, call) == ("clone", "unlinkat"), "it was never killed"


def test_what_is_too_large(git):
    host = git
    host.sh("cd /srv/origin/work && head -c 3000000 /dev/urandom > noise && git add . && git commit -qm noise && "
            "git clone -q --bare . ../large && chmod -R a+rX ../large")
    host.configure("61-git", "[Daemon]\nRepositoryMax=1M\n")
    host.systemctl("reload", "geard")
    try:
        answer = put(host, body={"url": "file:///srv/origin/large"})
    finally:
        host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    assert answer.status == 500 and "File too large" in answer.json["detail"], answer
    nothing_is_left(host)


def test_a_full_disk(git):
    host = git
    host.sh("cd /srv/origin/work && head -c 3000000 /dev/urandom > noise && git add . && git commit -qm noise && "
            f"git clone -q --bare . ../large && chmod -R a+rX ../large; mount -t tmpfs -o size=1M tmpfs {GIT}")
    try:
        answer = put(host, body={"url": "file:///srv/origin/large"})
        assert answer.status == 500 and "No space left" in answer.json["detail"], answer
        nothing_is_left(host)
        assert put(host).status == 201, "a small one has its place"
        assert host.peer("DELETE", "/repository/git1").status == 204
    finally:
        host.sh(f"umount -l {GIT}")


@gitimage.in_sandbox
def test_without_git(git):
    host = git
    host.sh("mv /usr/bin/git /usr/bin/git.away")
    try:
        answer = put(host)
    finally:
        host.sh("mv /usr/bin/git.away /usr/bin/git")
    assert answer.status == 500 and "/usr/bin/git: No such file" in answer.json["detail"], answer
    nothing_is_left(host)


def exposure(host):
    """Between 0 and 10; what systemd says of the unit of git1."""
    told = host.sh("systemd-analyze security job-git1 --no-pager | tail -n 1")
    return float(told.split(":")[1].split()[0])


# Run in git's place: what there is to see and to reach.
PROBE = """#!/bin/sh
look() { printf '%s=' "$1" >&2; shift; sh -c "$*" 2>/dev/null | tr '\\n' ' ' >&2; echo >&2; }
look root 'ls -A /'
look srv 'ls -A /srv/origin' # where a clone found it before
look devices 'ls -A /dev'
look repositories 'ls -A /var/lib/gears/git; cat /var/lib/gears/git/other/x'
look system 'for at in / /usr /etc /var /dev; do touch $at/x && echo $at; done'
look tmp 'touch /tmp/mine; ls -A /tmp'
look own 'touch /var/repository/mine; ls -A /var/repository'
look secrets 'cat /etc/geard/geard.conf /etc/passwd /proc/1/environ'
look network 'python3 -c "import socket; socket.socket(); print(1)"; ls /run/docker.sock /run/geard'
look user 'setpriv --dump | grep -E "^uid|no_new|bounding" | cut -d: -f2'
exit 3
"""


@gitimage.in_sandbox
def test_the_sandbox_holds(git):
    """What makes an empty one sees programs and one directory."""
    host = git
    host.sh(f"touch /tmp/of-others; mkdir -p {GIT}/other; echo secret > {GIT}/other/x; mv /usr/bin/git /usr/bin/git.away")
    (host.root / "usr/bin/git").write_text(PROBE)
    host.sh("chmod 755 /usr/bin/git")
    try:
        answer = put(host)
    finally:
        host.sh(f"mv /usr/bin/git.away /usr/bin/git; rm -r /tmp/of-others {GIT}/other")
    seen = dict(line.strip().split("=", 1) for line in answer.json["detail"].split("\n")[1:])
    user = host.sh("id -u gear-git")
    assert set(seen["root"].split()) <= set("bin dev etc lib lib32 lib64 libx32 proc root run sbin srv sys tmp usr var".split()), seen
    assert seen["srv"] == "", seen
    assert seen["devices"].split() == ["null", "urandom"] and seen["repositories"].split() == [".git1.new"], seen
    assert seen["system"] == seen["secrets"] == seen["network"] == "", seen
    assert seen["tmp"].split() == ["mine"] and seen["own"].split() == ["mine"], seen
    assert seen["user"].split() == [user, "1", "[none]"], seen
    nothing_is_left(host)


@gitimage.in_sandbox
def test_the_unit_says_what_it_may(stalled):
    host = stalled
    assert put(host).status == 201
    assert exposure(host) < 3.5
    unit = host.show("job-git1")
    assert unit.get("CapabilityBoundingSet", "") == "" and unit["NoNewPrivileges"] == unit["PrivateTmp"] == unit["PrivateNetwork"] == "yes", unit
    assert unit["User"] == "gear-git" and unit["ProtectSystem"] == "strict", unit
    assert unit["MemoryMax"] == str(1 << 30) and unit["TasksMax"] == "64", unit
    assert host.peer("DELETE", "/repository/git1").status == 204
    begin_stalled_clone(host)
    assert exposure(host) < 2.5
    assert host.show("job-git1")["PrivateNetwork"] == "no"
    host.systemctl("stop", "job-git1")
    assert outcome(host)["state"] == "failed"
    nothing_is_left(host)


# --- in a container -------------------------------------------------------------------------------------


@gitimage.in_container
def test_git_of_the_image_makes_it_as_gits_user(git):
    host = git
    host.sh("mv /usr/bin/git /usr/bin/git.away")
    try:
        assert put(host).status == 201
    finally:
        host.sh("mv /usr/bin/git.away /usr/bin/git")
    assert host.sh(f"stat -c '%U:%G %a' {GIT}/git1 {GIT}/git1/HEAD") == "gear-git:gear-git 750\ngear-git:gear-git 640"
    assert host.show("job-git1")["Description"] == "Git repository git1"


@gitimage.in_container
def test_the_container_holds(stalled):
    host = stalled
    begin_stalled_clone(host)
    wait_until(lambda: host.docker("ps", "-q", "-f", "name=job-git1"), 20, "its container is there")
    told = json.loads(host.docker("inspect", "job-git1"))[0]
    how = told["HostConfig"]
    assert told["Config"]["Image"] == gitimage.IMAGE and told["Config"]["Labels"]["io.geard.job"] == "git1", told
    assert how["CapDrop"] == ["ALL"] and how["ReadonlyRootfs"] and how["SecurityOpt"] == ["no-new-privileges"], how
    assert how["Memory"] == 1 << 30 and how["PidsLimit"] == 64 and not how["Privileged"], how
    writable = [mount["Source"] for mount in told["Mounts"] if mount["RW"]]
    assert writable == [f"{GIT}/.git1.new"], told["Mounts"]
    status = host.sh(f"cat /proc/{told['State']['Pid']}/status")
    user = host.sh("id -u gear-git")
    assert f"Uid:\t{user}\t{user}\t{user}\t{user}" in status and "CapEff:\t0000000000000000" in status, status
    assert "CapBnd:\t0000000000000000" in status and "NoNewPrivs:\t1" in status, status
    host.systemctl("stop", "job-git1")
    assert outcome(host)["state"] == "failed"
    nothing_is_left(host)


@gitimage.in_container
def test_an_empty_one_has_no_network(git):
    """Seen in the argv of its client, since it is done too soon to be looked at."""
    assert put(git).status == 201
    assert "--network=none" in git.sh("systemctl cat job-git1")


@gitimage.in_container
def test_a_container_that_is_removed_by_hand(stalled):
    host = stalled
    begin_stalled_clone(host)
    wait_until(lambda: host.docker("ps", "-q", "-f", "name=job-git1"), 20, "its container is there")
    host.docker("rm", "-f", "job-git1")
    told = outcome(host)
    assert told["state"] == "failed" and told["status"] == 500, told
    nothing_is_left(host)


@gitimage.in_container
@pytest.mark.parametrize("setting, status, said", [
    ("GitImage=test/busybox", 500, "/usr/bin/git: No such file"),
    ("GitImage=127.0.0.1:1/nobody/has:this", 502, "GitImage="),
    ("GitImageHelper=/nowhere/gear-git", 500, "/nowhere/gear-git (GitImageHelper=): No such file")])
def test_what_it_cannot_be_made_with(git, setting, status, said):
    host = git
    host.configure("61-git", f"[Daemon]\n{setting}\n")
    host.systemctl("reload", "geard")
    try:
        answer = put(host)
    finally:
        host.sh("rm /etc/geard/geard.conf.d/61-git.conf; systemctl reload geard")
    assert answer.status == status and said in answer.json["detail"], answer
    nothing_is_left(host)
    assert put(host).status == 201, "the id can be used again"


@gitimage.in_container
def test_an_engine_that_is_away(git):
    host = git
    host.systemctl("stop", "docker.socket", "docker")
    try:
        answer = put(host)
    finally:
        host.systemctl("start", "docker")
    assert answer.status == 503 and answer.headers["retry-after"], answer
    nothing_is_left(host)
    wait_until(lambda: put(host).status == 201, 30, "geard sees it again")
