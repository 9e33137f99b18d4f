# SPDX-License-Identifier: Apache-2.0
"""Repositories are cloned from the servers that people have: git-http-backend behind
nginx, sshd, git's own daemon; and from each of them only what it gives away."""

import json

import pytest

from lib import gitimage
from lib.gear import JSON
from lib.host import SOCKET
from lib.wait import wait_until

GIT = "/var/lib/gears/git"
STREAM = {"Accept": "text/plain;stream=true"}

NGINX = """
user root; daemon off; pid /run/nginx-case.pid; error_log stderr;
events {}
http {
    access_log off;
    server {
        listen 127.0.0.1:8090;
        listen 198.51.100.7:8090;
        listen 127.0.0.1:8443 ssl;
        ssl_certificate /root/tls/server.pem;
        ssl_certificate_key /root/tls/server.key;
        location /to-file { return 302 file:///srv/origin/one; }
        location /to-ftp { return 302 ftp://127.0.0.1:8090/one; }
        location /to-other { rewrite ^/to-other(.*)$ http://127.0.0.1:8090/one$1 redirect; }
        location /closed { auth_basic "closed"; auth_basic_user_file /dev/null; }
        location /broken { return 500; }
        location /plain/ { alias /srv/origin/; } # files, and no program behind them
        location /endless/ { alias /srv/origin/; limit_rate_after 280k; limit_rate 1; } # no large one ever comes to its end
        location / {
            client_max_body_size 0;
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME /usr/lib/git-core/git-http-backend;
            fastcgi_param GIT_PROJECT_ROOT /srv/origin;
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param PATH_INFO $uri;
            fastcgi_pass unix:/run/fcgi-case.sock;
        }
    }
}
"""

SSHD = """
Port 8022
ListenAddress 127.0.0.1
ListenAddress 198.51.100.7
HostKey /root/ssh/host
AuthorizedKeysFile /root/ssh/authorized
PidFile none
StrictModes no
"""


@pytest.fixture(scope="module")
def origin(shared_host):
    """The servers, and what they serve, as root: git asks no questions then."""
    host = shared_host
    host.sh("""
rm -rf /srv/origin /root/ssh; mkdir -p /srv/origin /root/ssh /run/sshd; cd /srv/origin
git init -q -b main work; cd work
git config user.name x; git config user.email x@localhost
for i in 1 2 3; do echo $i > file-$i; git add .; git commit -qm "commit $i"; done
git tag v1
git clone -q --bare . ../one
git -C ../one update-server-info
git init -q --bare ../loose; git push -q --mirror ../loose; git -C ../loose symbolic-ref HEAD refs/heads/main; git -C ../loose update-server-info
git init -q --bare -b main ../leading-out; cd ../leading-out
blob=$(echo x | git hash-object -w --stdin)
inner=$(printf '100644 blob %s\\tstolen\\n' $blob | git mktree)
printf '40000 ..\\0'"$(echo $inner | sed 's/../\\\\x&/g')" > /root/tree
outer=$(git hash-object -t tree -w --literally --stdin < /root/tree); rm /root/tree
git update-ref refs/heads/main $(git -c user.name=x -c user.email=x@localhost commit-tree -m x $outer); git update-server-info
cd ..
mkdir -p /root/tls; cd /root/tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=case-ca -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server -keyout server.key -out server.csr 2>/dev/null
printf 'subjectAltName=IP:127.0.0.1\n' > san
openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key -extfile san -out server.pem 2>/dev/null
cd /srv/origin
ssh-keygen -q -t ed25519 -N '' -f /root/ssh/host
ssh-keygen -q -t ed25519 -N '' -f /root/ssh/key
cp /root/ssh/key.pub /root/ssh/authorized
echo "[127.0.0.1]:8022,[far.test]:8022 $(cut -d' ' -f1,2 /root/ssh/host.pub)" > /etc/ssh/ssh_known_hosts
ip address add 198.51.100.7/32 dev lo; echo 198.51.100.7 far.test >> /etc/hosts # as anybody may have it
""")
    (host.root / "root/nginx.conf").write_text(NGINX)
    (host.root / "root/sshd.conf").write_text(SSHD)
    for name, words in (("nginx", "/usr/sbin/nginx -c /root/nginx.conf"), ("fcgi", "/usr/sbin/fcgiwrap -s unix:/run/fcgi-case.sock"),
                        ("sshd", "/usr/sbin/sshd -D -f /root/sshd.conf"),
                        ("daemon", "git daemon --reuseaddr --listen=127.0.0.1 --listen=198.51.100.7 --base-path=/srv/origin --export-all")):
        host.sh(f"systemd-run --quiet --collect --unit=origin-{name} {words}")
    wait_until(lambda: host.sh("ss -ltn | grep -cE '127.0.0.1:(8090|8443|8022|9418) '") == "4", 20, "all of them listen")
    yield host
    host.sh("systemctl stop 'origin-*'; rm -rf /srv/origin /root/ssh /root/tls /root/nginx.conf /root/sshd.conf /etc/ssh/ssh_known_hosts /run/fcgi-case.sock; "
            "ip address del 198.51.100.7/32 dev lo; sed -i '/far[.]test$/d' /etc/hosts")


@pytest.fixture(params=gitimage.PLACES)
def git(host, origin, request):
    place = gitimage.settings(host, request.param)
    host.configure("60-git", f"[Daemon]\nClonePrivate=yes\nJobKeep=0\n{place}")
    host.systemctl("reload", "geard")
    yield host
    host.peer("DELETE", "/repository/r")
    host.sh("rm -f /etc/geard/geard.conf.d/6?-git.conf; systemctl reload geard")


def put(host, url, headers=None):
    return host.peer("PUT", "/repository/r", {"url": url}, headers or JSON)


def is_whole(host):
    return host.sh(f"git -C {GIT}/r -c safe.directory=* tag; git -C {GIT}/r -c safe.directory=* rev-list --count main") == "v1\n3"


def nothing_is_left(host):
    assert host.sh(f"ls -A {GIT}") == ""


def also(host, text):
    host.configure("61-git", f"[Daemon]\n{text}\n")
    host.systemctl("reload", "geard")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8090/one", "git://127.0.0.1/one", "http://127.0.0.1:8090/to-other"])
def test_from_where_everybody_may(git, url):
    answer = put(git, url, STREAM)
    assert answer.text.endswith("done 201: Repository r is created\n"), answer
    assert "Receiving objects: 100%" in answer.text, answer
    assert is_whole(git)


def test_over_https_from_whom_the_host_believes(git):
    """… and from nobody else. A container believes those of its image."""
    refused = put(git, "https://127.0.0.1:8443/one")
    assert refused.status == 500 and "certificate" in refused.json["detail"], refused
    nothing_is_left(git)
    if "GitImage=" in git.sh("cat /etc/geard/geard.conf.d/60-git.conf"):
        return
    git.sh("cp /root/tls/ca.pem /usr/local/share/ca-certificates/case.crt; update-ca-certificates")
    try:
        assert put(git, "https://127.0.0.1:8443/one").status == 201
        assert is_whole(git)
    finally:
        git.sh("rm /usr/local/share/ca-certificates/case.crt; update-ca-certificates --fresh")


@pytest.mark.parametrize("of", ["one", "loose"])
def test_a_server_that_only_has_files(git, of):
    """A pack, or one object at a time."""
    answer = put(git, f"http://127.0.0.1:8090/plain/{of}")
    assert answer.status == 201, answer
    assert is_whole(git)


@pytest.mark.parametrize("url", ["file:///srv/origin/leading-out", "http://127.0.0.1:8090/leading-out", "http://127.0.0.1:8090/plain/leading-out",
                                 "git://127.0.0.1/leading-out", "ssh://root@127.0.0.1:8022/srv/origin/leading-out"])
def test_a_tree_that_leads_out_of_itself_is_no_repository(git, url):
    """As what would write through it later is told: a name .. in a tree."""
    also(git, "ClonePaths=/srv/origin\nCloneSchemes=https http ssh git\nCloneKey=/root/ssh/key")
    answer = put(git, url)
    assert answer.status == 500 and "hasDotdot" in answer.json["detail"], answer
    nothing_is_left(git)


@pytest.mark.parametrize("by", ["plain", "endless"])
def test_many_small_files_are_too_much_as_well(git, by):
    """Together, also while none of them is whole."""
    also(git, "RepositoryMax=1M")
    git.sh("cd /srv/origin; rm -rf many; git init -q --bare -b main many; cd work; git checkout -q -b many; "
           "for i in 1 2 3 4 5 6; do head -c 300000 /dev/urandom > noise-$i; git add .; git commit -qm noise-$i; done; "
           "git push -q ../many many:main; git checkout -q main; git branch -qD many; cd ../many; "
           "test -z \"$(ls objects/pack)\"; git update-server-info")
    answer = put(git, f"http://127.0.0.1:8090/{by}/many")
    assert answer.status == 500 and "RepositoryMax=" in answer.json["detail"], answer
    nothing_is_left(git)


@pytest.mark.parametrize("url, said", [
    ("http://127.0.0.1:8090/none", "not found"), ("http://127.0.0.1:8090/closed", "Username"),
    ("http://127.0.0.1:8090/broken", "500"), ("git://127.0.0.1/none", "access denied"),
    ("http://127.0.0.1:8090/to-file", "file"), ("http://127.0.0.1:8090/to-ftp", "ftp"), ("http://127.0.0.1:1/x", "Failed to connect")])
def test_what_a_server_does_not_give(git, url, said):
    """Nobody is asked for a password, no redirection leads to another transport, and git's words are told."""
    answer = put(git, url)
    assert answer.status == 500 and "128" in answer.json["detail"] and said in answer.json["detail"], answer
    nothing_is_left(git)


def test_schemes_that_are_not_allowed(git):
    also(git, "CloneSchemes=https ssh")
    for url in "http://127.0.0.1:8090/one", "git://127.0.0.1/one":
        answer = put(git, url)
        assert answer.status == 403 and answer.json["field"] == "url", answer
    nothing_is_left(git)


SSH = "ssh://root@127.0.0.1:8022/srv/origin/one"


def test_over_ssh_with_its_key(git):
    also(git, "CloneKey=/root/ssh/key")
    assert put(git, SSH).status == 201
    assert is_whole(git)
    assert "PRIVATE" not in git.journal() and git.sh(f"grep -rl PRIVATE {GIT} || true") == ""


@gitimage.in_container
def test_the_container_s_copy_of_the_key_goes_with_it(git):
    also(git, "CloneKey=/root/ssh/key\nJobKeep=1min")
    assert put(git, SSH).status == 201
    assert git.show("job-r")["SubState"] == "exited"
    assert git.sh("stat -c %a /run/gear-git/r; ls -A /run/gear-git/r") == "700"
    git.systemctl("stop", "job-r")


@pytest.mark.parametrize("url", ["ssh://root@far.test:8022/srv/origin/one", "ssh://root@198.51.100.7:8022/srv/origin/one",
                                 "git://far.test/one"])
def test_hosts_on_the_internet_that_git_is_held_to(git, url):
    also(git, "ClonePrivate=no\nCloneKey=/root/ssh/key")
    answer = put(git, url)
    if "//root@198" in url:
        assert answer.status == 500 and "ost key" in answer.json["detail"], "known_hosts has it by its name"
        nothing_is_left(git)
    else:
        assert answer.status == 201, answer
        assert is_whole(git)


# git itself, once the host's name leads elsewhere.
LATER = """#!/bin/sh
case " $* " in *" clone "*) until grep -q '^127.0.0.9 far.test' /etc/hosts; do sleep 0.05; done;; esac
case $0 in *-upload-pack) set -- upload-pack "$@";; esac # the ssh server's side
exec /usr/bin/git.away "$@"
"""


@pytest.fixture
def late_git(git):
    """git that looks a name up only when it means another address, of this host, where nobody listens."""
    if "GitImage=" in git.sh("cat /etc/geard/geard.conf.d/60-git.conf"):
        git.run("bash", "-c", "mkdir /root/late; cat > /root/late/git; chmod 755 /root/late/git", stdin=LATER)
        git.sh(f"""cd /root/late; docker create --name late {gitimage.IMAGE} x; docker cp late:/usr/bin/git git.away; docker rm late
printf 'FROM {gitimage.IMAGE}\nADD git git.away /usr/bin/\n' > Dockerfile
DOCKER_BUILDKIT=0 docker build -q --network=none -t test/late-git .""")
        also(git, "ClonePrivate=no\nCloneKey=/root/ssh/key\nGitImage=test/late-git")
    else:
        git.sh("mv /usr/bin/git /usr/bin/git.away")
        (git.root / "usr/bin/git").write_text(LATER)
        git.sh("chmod 755 /usr/bin/git")
        also(git, "ClonePrivate=no\nCloneKey=/root/ssh/key")
    yield git
    git.sh("systemctl stop asking 2>/dev/null; test ! -e /usr/bin/git.away || mv /usr/bin/git.away /usr/bin/git; "
           "rm -rf /root/late /root/asked; docker rmi -f test/late-git 2>/dev/null; sed -i 's/^127.0.0.9 /198.51.100.7 /' /etc/hosts")


@pytest.mark.parametrize("url", ["http://far.test:8090/one", "ssh://root@far.test:8022/srv/origin/one", "git://far.test/one"])
def test_a_name_that_means_another_host_when_git_asks(late_git, url):
    host = late_git
    host.sh(f"systemd-run --quiet --collect --unit=asking curl -s -o /root/asked -X PUT --unix-socket {SOCKET} "
            f"http://localhost/repository/r -H 'Accept: application/json' -d '{{\"url\": \"{url}\"}}'")
    wait_until(lambda: host.sh("pgrep -u gear-git -f '^/bin/sh /usr/bin/git '"), 30, "git is about to begin")
    files = "/etc/hosts $(docker ps -q -f name=job-r | xargs -r docker inspect -f '{{.HostsPath}}')"
    host.sh(f"for file in {files}; do new=$(sed 's/^198.51.100.7 /127.0.0.9 /' $file); echo \"$new\" > $file; done")
    wait_until(lambda: host.show("asking")["LoadState"] == "not-found", 60, "who asked is told")
    assert json.loads(host.sh("cat /root/asked")) == {"id": "r"}
    assert is_whole(host)


def test_over_ssh_without_one(git):
    answer = put(git, SSH)
    assert answer.status == 500 and "Permission denied" in answer.json["detail"], answer
    nothing_is_left(git)


def test_a_key_that_is_not_there(git):
    also(git, "CloneKey=/root/ssh/none")
    answer = put(git, SSH)
    assert answer.status == 500 and "/root/ssh/none" in answer.json["detail"], answer
    nothing_is_left(git)
    assert put(git, "http://127.0.0.1:8090/one").status == 201, "who needs none does not miss it"


def test_an_ssh_server_that_nobody_knows(git):
    also(git, "CloneKey=/root/ssh/key")
    git.sh("mv /etc/ssh/ssh_known_hosts /root/ssh/known")
    try:
        answer = put(git, SSH)
    finally:
        git.sh("mv /root/ssh/known /etc/ssh/ssh_known_hosts")
    assert answer.status == 500 and "host key" in answer.json["detail"], answer
    nothing_is_left(git)


def test_from_geard_itself(git):
    assert put(git, "http://127.0.0.1:8090/one").status == 201
    answer = git.peer("PUT", "/repository/again", {"url": "http://127.0.0.1:2223/token/__test__/git/r"}, JSON)
    assert answer.status == 201, answer
    assert git.sh(f"git -C {GIT}/again -c safe.directory=* tag") == "v1"
    assert git.peer("DELETE", "/repository/again").status == 204


# --- what it said ---------------------------------------------------------------------------------------------


def log_of(host, repository="r", query="?follow=no&tail=all", headers=None):
    return host.peer("GET", f"/repository/{repository}/log{query}", headers=headers)


def test_its_log_tells_what_git_said(git):
    assert put(git, "http://127.0.0.1:8090/one").status == 201
    wait_until(lambda: "Receiving objects: 100%" in log_of(git).text, 20, "journald has it")
    text = log_of(git).text
    assert "Cloning into bare repository" in text, text
    assert git.token("PUT", "repository/log", r="r", follow="no").status == 200
    lines = [line for line in log_of(git, headers=JSON).text.splitlines() if "Cloning into" in line]
    assert len(lines) == 1, lines
    assert "Receiving" in log_of(git, query="?follow=no&grep=Receiving").text
    assert "Cloning" not in log_of(git, query="?follow=no&grep=Receiving").text


def test_its_log_is_as_any_other(git):
    """In every form, from any record on; git speaks on its standard error."""
    assert put(git, "http://127.0.0.1:8090/one").status == 201
    wait_until(lambda: "ended" in log_of(git).text, 20, "journald has it")
    records = [json.loads(line) for line in log_of(git, headers=JSON).text.splitlines()]
    lines = [record for record in records if "mark" not in record]
    assert [record["mark"] for record in records if "mark" in record] == ["ended"]
    assert {(line["stream"], line["priority"], line["name"]) for line in lines} == {("stderr", 3, "job-r")}
    assert len({record["run"] for record in records}) == 1

    rest = [json.loads(line) for line in log_of(git, query=f"?follow=no&cursor={lines[0]['cursor']}", headers=JSON).text.splitlines()]
    assert [record["cursor"] for record in rest] == [record["cursor"] for record in records[records.index(lines[0]) + 1:]]
    events = log_of(git, query="?follow=no", headers={"Accept": "text/event-stream", "Last-Event-ID": lines[0]["cursor"]}).text
    assert [event.split("\n")[0] for event in events.split("\n\n")[:-1]] == [f"id: {record['cursor']}" for record in rest]
    export = log_of(git, headers={"Accept": "application/vnd.fdo.journal"}).text
    assert export.count("__CURSOR=") == len(records)
    assert log_of(git, query="?tail=1&timeout=1").text.endswith("ended --\n")
    assert git.peer("PUT", "/repository/r/log?follow=no&tail=all").text == log_of(git).text


def test_a_log_is_not_that_of_a_former_one(git):
    assert put(git, "http://127.0.0.1:8090/one").status == 201
    wait_until(lambda: "Cloning" in log_of(git).text, 20, "journald has it")
    assert git.peer("DELETE", "/repository/r").status == 204
    assert log_of(git).status == 404
    assert git.peer("PUT", "/repository/r").status == 201
    assert "Cloning" not in log_of(git).text


def test_whose_log_it_may_be(git, issuer):
    assert git.peer("PUT", "/repository/r").status == 201
    for right, status in ("log.read", 200), ("repo.read", 403):
        token = issuer.token(r="r", a=right)
        assert git.curl("GET", f"/token/{token}/repository/log?follow=no").status == status
    assert git.curl("GET", f"/token/{issuer.token(r='other', a='log.read')}/repository/r/log").status == 403
