# SPDX-License-Identifier: Apache-2.0
"""git clones from geard and pushes to it by URL alone, as far as its token goes."""

import gzip
import re
import uuid

import pytest

from lib.gear import JSON, knows_all
from lib.host import SOCKET, URL
from lib.killing import MOST, killed_at
from lib.tokens import digest, get, is_refused
from lib.wait import wait_until

STORE = "/var/lib/gears/git"
MIB = 1 << 20


@pytest.fixture
def served(host):
    """A host with an empty repository, and a place for clones of it."""
    host.configure("60-git", "[Daemon]\nJobKeep=0\n")
    host.systemctl("reload", "geard")
    host.sh("rm -rf /srv/git; mkdir -p /srv/git; git config --global user.name x; git config --global user.email x@localhost;"
            "git config --global init.defaultBranch main")
    assert host.peer("PUT", "/repository/r").status == 201
    yield host
    host.sh("systemctl stop many more 'half-*' 2>/dev/null; rm -rf /srv/git /root/.gitconfig")
    for repository in host.peer("GET", "/repositories", headers=JSON).json["repositories"]:
        host.peer("DELETE", f"/repository/{repository['id']}")
    host.sh("rm -f /etc/geard/geard.conf.d/6?-git.conf; systemctl reload geard")
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend 'geard-git-*'"), 60, "its units are gone")


def url_of(repository="r", token="__test__"):
    return f"{URL}/token/{token}/git/{repository}"


def git(host, words, check=True, options=""):
    """In the clone; no question is asked of anybody."""
    done = host.run("bash", "-c", f"cd /srv/git/w 2>/dev/null || cd /srv/git; GIT_TERMINAL_PROMPT=0 git {options} {words}", check=False)
    if check:
        assert done.returncode == 0, done.stderr.decode()
    return done


def commit(host, name="README", text="hello"):
    host.sh(f"cd /srv/git/w && echo {text} > '{name}' && git add . && git commit -qm '{name}'")
    return host.sh("git -C /srv/git/w rev-parse HEAD")


def cloned(host, token="__test__"):
    git(host, f"clone -q {url_of(token=token)} /srv/git/w")


def head_of(host, ref="refs/heads/main", repository="r"):
    return host.sh(f"git -C {STORE}/{repository} -c safe.directory=* rev-parse --verify --quiet {ref} || true")


def pushes(host):
    records = host.peer("GET", "/audit?verb=pushed", headers=JSON).json["records"]
    return [(record["code"], record["said"], record["resource"]) for record in records]


def told_of_pushes(host, n):
    wait_until(lambda: len(pushes(host)) >= n, 20, "the record is there")
    return pushes(host)


# --- everyday ---------------------------------------------------------------------------------------------


def test_a_first_push_and_a_clone_of_it(served):
    before = len(pushes(served))
    cloned(served)
    first = commit(served)
    git(served, "push -q origin main")
    assert head_of(served) == first
    assert served.peer("GET", "/repository/r/content", headers=JSON).status == 200
    git(served, f"clone -q {url_of()} /srv/git/again")
    assert served.sh("cat /srv/git/again/README") == "hello"
    second = commit(served, "later", "more")
    git(served, "push -q origin main main:refs/heads/other")
    served.sh("cd /srv/git/again && git pull -q")
    assert served.sh("git -C /srv/git/again rev-parse HEAD") == second
    records = told_of_pushes(served, before + 2)
    assert len(records) == before + 2
    assert records[1] == (200, "updated refs/heads/main", "r")
    assert records[0] == (200, "updated refs/heads/main, refs/heads/other", "r")
    assert served.sh(f"stat -c %U {STORE}/r/refs/heads/main") == "gear-git"


@pytest.mark.parametrize("version", [0, 1, 2])
def test_every_version_of_its_protocol(served, version):
    cloned(served)
    commit(served)
    git(served, "push -q origin main", options=f"-c protocol.version={version}")
    git(served, f"clone -q {url_of()} /srv/git/again", options=f"-c protocol.version={version}")
    assert served.sh("cat /srv/git/again/README") == "hello"


def test_a_branch_of_many_commits_is_fetched_bit_by_bit(served):
    cloned(served)
    for i in range(20):
        commit(served, f"file{i}")
    git(served, "push -q origin main")
    git(served, f"clone -q --depth=1 {url_of()} /srv/git/again")
    assert served.sh("git -C /srv/git/again rev-list --count HEAD") == "1"
    served.sh("git -C /srv/git/again fetch -q --unshallow")
    assert served.sh("git -C /srv/git/again rev-list --count HEAD") == "20"


@pytest.mark.parametrize("buffer", ["1m", "200m"])
def test_a_large_push(served, buffer):
    """git knocks first and sends what does not fit its buffer in chunks, else with its length."""
    before, pid = len(pushes(served)), served.show("geard")["MainPID"]
    cloned(served)
    served.sh(f"cd /srv/git/w && head -c {100 * MIB} /dev/urandom > large && git add . && git commit -qm large", timeout=300)
    served.sh(f"echo 5 > /proc/{pid}/clear_refs") # from here on its peak is counted
    memory = int(re.search(r"VmRSS:\s+(\d+)", served.sh(f"cat /proc/{pid}/status"))[1])
    git(served, "push -q origin main", options=f"-c http.postBuffer={buffer}")
    assert head_of(served) == served.sh("git -C /srv/git/w rev-parse HEAD")
    grown = int(re.search(r"VmHWM:\s+(\d+)", served.sh(f"cat /proc/{pid}/status"))[1]) - memory
    assert grown < 16384, f"{grown} KiB for a push of 100 MiB"
    git(served, f"clone -q {url_of()} /srv/git/again")
    assert served.sh("cmp /srv/git/w/large /srv/git/again/large; echo $?") == "0"
    assert len(told_of_pushes(served, before + 1)) == before + 1


def test_many_clones_at_once(served):
    cloned(served)
    commit(served)
    git(served, "push -q origin main")
    served.sh(f"cd /srv/git; for i in $(seq 12); do git clone -q {url_of()} c$i & done; wait; cat c*/README | wc -l")
    assert served.sh("cat /srv/git/c*/README | wc -l") == "12"


def test_tags_and_deletions(served):
    cloned(served)
    commit(served)
    git(served, "tag v1")
    git(served, "push -q origin main v1 main:refs/heads/gone")
    before = len(pushes(served))
    git(served, "push -q origin :gone")
    assert head_of(served, "refs/heads/gone") == "" and head_of(served, "refs/tags/v1")
    assert told_of_pushes(served, before + 1)[0] == (200, "updated refs/heads/gone", "r")


# --- what is refused --------------------------------------------------------------------------------------


def test_what_git_refuses_is_told_and_recorded(served):
    served.configure("61-git", "[Daemon]\nGitRewinds=no\n")
    served.systemctl("reload", "geard")
    assert served.peer("PUT", "/repository/strict").status == 201
    git(served, f"clone -q {url_of('strict')} /srv/git/w")
    commit(served)
    git(served, "push -q origin main")
    before, first = len(pushes(served)), head_of(served, repository="strict")
    git(served, "commit -q --amend -m other")
    done = git(served, "push -f origin main main:refs/heads/new", check=False)
    assert done.returncode == 1 and b"non-fast-forward" in done.stderr, done.stderr
    assert head_of(served, repository="strict") == first
    record = told_of_pushes(served, before + 1)[0]
    assert record == (200, "updated refs/heads/new; refused refs/heads/main (non-fast-forward)", "strict")


def test_rights(served, issuer):
    cloned(served)
    commit(served)
    git(served, "push -q origin main")
    reads, writes = (issuer.token(r="r", a=right) for right in ("repo.read", "repo.write"))
    git(served, f"clone -q {url_of(token=reads)} /srv/git/again")
    commit(served, "more")
    done = git(served, f"push {url_of(token=reads)} main", check=False)
    assert done.returncode != 0 and b"403" in done.stderr, done.stderr
    assert git(served, f"clone -q {url_of(token=writes)} /srv/git/other", check=False).returncode != 0
    git(served, f"push -q {url_of(token=writes)} main")
    assert head_of(served) == served.sh("git -C /srv/git/w rev-parse HEAD")


def test_the_header_does_as_well(served, issuer):
    token = issuer.token(r="r", a="repo.*")
    git(served, f"clone -q {URL}/git/r /srv/git/w", options=f"-c http.extraHeader='Authorization: Bearer {token}'")
    commit(served)
    git(served, f"push -q {URL}/git/r main", options=f"-c http.extraHeader='Authorization: Bearer {token}'")
    assert head_of(served)
    assert git(served, f"ls-remote {URL}/git/r", check=False).returncode != 0


def test_a_request_id_in_its_token_makes_nothing_of_it_a_repetition(served, issuer):
    """git asks several times with one URL, and each push is another."""
    before = len(pushes(served))
    token = issuer.token(r="r", a="repo.*", i=uuid.uuid4().hex)
    cloned(served, token)
    for n in range(2):
        new = commit(served, f"file-{n}")
        git(served, "push -q origin main")
        assert head_of(served) == new
    git(served, f"clone -q {url_of(token=token)} /srv/git/again")
    assert served.sh("git -C /srv/git/again rev-parse HEAD") == new
    assert len(told_of_pushes(served, before + 2)) == before + 2


def test_another_repository(served, issuer):
    token = issuer.token(r="other-*", a="repo.*")
    assert b"403" in git(served, f"ls-remote {url_of(token=token)}", check=False).stderr
    assert b"403" in git(served, f"ls-remote {url_of('none', token)}", check=False).stderr
    assert b"404" in git(served, f"ls-remote {url_of('other-1', token)}", check=False).stderr \
        or b"not found" in git(served, f"ls-remote {url_of('other-1', token)}", check=False).stderr


def test_a_token_for_one_body_is_for_no_push(served, issuer):
    token = issuer.token(r="r", a="repo.*", b=digest(b""))
    answer = served.curl("POST", f"{url_of(token=token)}/git-receive-pack", "0000",
                         {"Content-Type": "application/x-git-receive-pack-request"})
    is_refused(served, answer)


@pytest.mark.parametrize("target, field", [
    ("/info/refs", "service"), ("/info/refs?service=git-upload-archive", "service"), ("/info/refs?service=", "service"),
    ("/info/refs?service=git-upload-pack&x=1", "x")])
def test_what_no_git_asks_for(served, target, field):
    answer = served.curl("GET", url_of() + target, headers=JSON)
    assert answer.status == 400 and answer.json["field"] == field, answer


@pytest.mark.parametrize("headers, field", [
    ({}, "Content-Type"), ({"Content-Type": "text/plain"}, "Content-Type"),
    ({"Content-Type": "application/x-git-upload-pack-request"}, "Content-Type"),
    ({"Content-Type": "application/x-git-receive-pack-request", "Content-Encoding": "br"}, "Content-Encoding")])
def test_bodies_that_are_none_of_gits(served, headers, field):
    answer = served.curl("POST", f"{url_of()}/git-receive-pack", "0000", {**JSON, **headers})
    assert answer.status == 400 and answer.json["field"] == field, answer


@pytest.mark.parametrize("body", ["x", "0001", "ffff", "00000000", "0032" + "x" * 46, "zzzz"])
def test_a_push_of_nonsense(served, body):
    """git says what it thinks of it, and nothing is left."""
    before = served.sh(f"find {STORE}/r | sort")
    served.sh(f"curl -sS -H 'Content-Type: application/x-git-receive-pack-request' --data-binary '{body}' "
              f"{url_of()}/git-receive-pack || true")
    assert served.sh(f"find {STORE}/r | sort") == before
    assert served.peer("GET", "/repository/r", headers=JSON).status == 200


def test_a_cgi_program_is_told_nothing_else(served):
    """Neither headers nor queries become its environment or its words."""
    answer = served.curl("GET", url_of() + "/info/refs?service=git-upload-pack",
                         headers={"Git-Protocol": "version=2;--upload-pack=touch /tmp/x", "Proxy": "http://x/"})
    assert answer.status == 200 and b"# service=git-upload-pack" in answer.body and b"version 2" not in answer.body


# --- bad days ---------------------------------------------------------------------------------------------


def half_a_push(host):
    """The beginning of a large push, that never ends; its commands are read."""
    cloned(host)
    commit(host)
    new = host.sh("git -C /srv/git/w rev-parse HEAD")
    line = f"{'0' * 40} {new} refs/heads/main\0 report-status side-band-64k".encode()
    body = f"{len(line) + 4:04x}".encode() + line + b"0000PACK\0\0\0\2\0\0\0\3"
    host.run("bash", "-c", "cat > /srv/git/half", stdin=body)
    unit = f"half-{uuid.uuid4().hex[:8]}"
    host.sh(f"systemd-run -q --collect --unit={unit} bash -c '(cat /srv/git/half; sleep 1000) | curl -sS -T - -X POST "
            f"-H \"Content-Type: application/x-git-receive-pack-request\" {url_of()}/git-receive-pack'")
    wait_until(lambda: host.sh("systemctl list-units --plain --no-legend 'geard-git-*'"), 20, "git is being talked to")
    return unit


def no_talk(host):
    wait_until(lambda: not host.sh("systemctl list-units --all --plain --no-legend 'geard-git-*'"), 30, "nobody talks to git")


def whole_push(host):
    """A body that git needs no more of, of one commit."""
    cloned(host)
    new = commit(host)
    line = f"{'0' * 40} {new} refs/heads/main\0 report-status".encode()
    host.run("bash", "-c", "cat > /srv/git/body", stdin=f"{len(line) + 4:04x}".encode() + line + b"0000")
    host.sh("cd /srv/git/w && echo HEAD | git pack-objects --revs --stdout -q >> /srv/git/body")
    return new


PUSH = "curl -sS -H 'Content-Type: application/x-git-receive-pack-request' "


def test_what_git_did_is_told_whatever_became_of_its_client(served):
    """More was announced than came, but it was enough for git."""
    before, new = len(pushes(served)), whole_push(served)
    served.sh(f"(cat /srv/git/body; sleep 2) | timeout 1 {PUSH} -T - -X POST {url_of()}/git-receive-pack || true")
    wait_until(lambda: head_of(served) == new, 20, "git has taken it")
    record = told_of_pushes(served, before + 1)[0]
    assert record[0] == 200 and record[1].startswith("updated refs/heads/main"), record
    assert len(pushes(served)) == before + 1


def test_a_push_goes_on_when_geard_is_told_to_stop(served):
    before, new = len(pushes(served)), whole_push(served)
    served.sh(f"{PUSH} --data-binary @/srv/git/body {url_of()}/git-receive-pack > /dev/null 2>&1 & sleep 0.05; systemctl restart geard")
    wait_until(lambda: served.run("curl", "-sf", f"{URL}/healthz", check=False).returncode == 0, 60, "geard is there")
    if head_of(served) == new:
        assert told_of_pushes(served, before + 1)[0][1].startswith("updated refs/heads/main")
    else: # it was told before any of it came
        assert len(pushes(served)) == before or pushes(served)[0][0] != 200


@pytest.mark.parametrize("change", ["capitals", "gzip", "certificate", "nothing asked for"])
def test_no_push_escapes_its_record(served, change):
    before, new = len(pushes(served)), whole_push(served)
    body = served.run("cat", "/srv/git/body").stdout
    more = ""
    if change == "capitals":
        body = body.replace(new.encode(), new.upper().encode(), 1)
    elif change == "gzip":
        more = "-H 'Content-Encoding: gzip'"
        body = gzip.compress(body)
    elif change == "certificate":
        body = b"0013push-cert\0 atom" + body
    else:
        body = body.replace(b"\0 report-status", b"\0              ", 1)
    served.run("bash", "-c", "cat > /srv/git/body", stdin=body)
    served.sh(f"{PUSH} {more} --data-binary @/srv/git/body {url_of()}/git-receive-pack || true")
    if change in ("gzip", "certificate"):
        assert head_of(served) == "" and all(code == 400 for code, _, _ in pushes(served)[:len(pushes(served)) - before])
    else:
        assert head_of(served) == new
        assert "refs/heads/main" in told_of_pushes(served, before + 1)[0][1]


def test_a_push_that_is_too_large(served):
    served.configure("61-git", "[Daemon]\nRepositoryMax=1M\n")
    served.systemctl("reload", "geard")
    cloned(served)
    served.sh(f"cd /srv/git/w && head -c {3 * MIB} /dev/urandom > large && git add . && git commit -qm large")
    done = git(served, "push origin main", check=False)
    assert done.returncode != 0 and b"exceeds maximum allowed size" in done.stderr, done.stderr
    assert head_of(served) == ""


def test_pushes_that_are_too_large_together(served):
    """The limit is the repository's, and not one for each that it grows by."""
    served.configure("61-git", "[Daemon]\nRepositoryMax=1M\n")
    served.systemctl("reload", "geard")
    cloned(served)
    heads = []
    for n in range(3):
        served.sh(f"cd /srv/git/w && head -c 400000 /dev/urandom > noise-{n} && git add . && git commit -qm noise-{n}")
        done = git(served, "push origin main", check=False)
        assert done.returncode == 0 or b"exceeds maximum allowed size" in done.stderr, done.stderr
        heads.append(head_of(served))
    assert heads[0] != heads[1] == heads[2], "the third is one too many"


def test_no_hook_is_run(served):
    """… which somebody may have put there: what is in a repository is not trusted with more than itself."""
    cloned(served)
    served.sh(f"mkdir -p {STORE}/r/hooks; printf '#!/bin/sh\necho hooked >&2\n' > {STORE}/r/hooks/post-receive; "
              f"chmod 755 {STORE}/r/hooks/post-receive; chown -R gear-git: {STORE}/r/hooks")
    for hooks, hooked in (None, False), ("hooks", True):
        if hooks:
            served.sh(f"git -C {STORE}/r -c safe.directory=* config core.hooksPath hooks; chown gear-git: {STORE}/r/config")
        commit(served, f"file-{hooked}")
        done = git(served, "push origin main")
        assert (b"hooked" in done.stderr) == hooked, (hooks, done.stderr)


@pytest.mark.parametrize("url", ["ext::sh -c 'touch /tmp/geard-git/pwned'", "file:///srv/git/w", "http://127.0.0.1:1/x", "git://127.0.0.1/x"])
def test_the_helper_has_git_go_no_way_that_it_was_not_told(served, url):
    """Though geard would never ask for it."""
    served.sh("rm -rf /tmp/geard-git; install -d -o gear-git -m 755 /tmp/geard-git /tmp/geard-git/r")
    done = served.run("runuser", "-u", "gear-git", "--", "/usr/libexec/geard/gear-git", "--protocols=https:ssh", "clone", "/tmp/geard-git/r", url,
                      check=False)
    scheme = url.partition(":")[0]
    assert done.returncode != 0 and f"transport '{scheme}' not allowed" in (done.stdout + done.stderr).decode(), done
    assert served.sh("ls -A /tmp/geard-git/r; ls /tmp/geard-git") == "r"
    served.sh("rm -r /tmp/geard-git")


def test_what_comes_small_stays_small(served):
    """Versions of one file are a small pack, and would be many times as large apart."""
    served.configure("61-git", "[Daemon]\nRepositoryMax=2M\n")
    served.systemctl("reload", "geard")
    cloned(served)
    served.sh("cd /srv/git/w && head -c 500000 /dev/urandom > noise && "
              "for i in $(seq 20); do echo $i >> noise; git add .; git commit -qm $i; done")
    git(served, "push -q origin main")
    assert served.peer("GET", "/repository/r", headers=JSON).json["size"] < 2 * MIB


def test_a_tree_that_leads_out_of_itself_is_not_taken(served):
    cloned(served)
    served.sh(r"""cd /srv/git/w
inner=$(printf '100644 blob %s\tstolen\n' $(echo x | git hash-object -w --stdin) | git mktree)
printf '40000 ..\0'"$(echo $inner | sed 's/../\\x&/g')" > /root/tree
git update-ref refs/heads/out $(git commit-tree -m x $(git hash-object -t tree -w --literally --stdin < /root/tree)); rm /root/tree""")
    done = git(served, "push origin out", check=False)
    assert done.returncode != 0 and b"hasDotdot" in done.stderr, done.stderr
    assert "out" not in served.peer("GET", "/repository/r").text


def test_who_leaves_in_the_middle_has_pushed_nothing(served):
    before = len(pushes(served))
    unit = half_a_push(served)
    wait_until(lambda: served.sh("pgrep -fc '[g]it receive-pack' || true") != "0", 20, "git works on it")
    served.systemctl("kill", "-s", "KILL", unit)
    no_talk(served)
    assert head_of(served) == ""
    record = told_of_pushes(served, before + 1)[0]
    assert "updated" not in record[1] and "main" in record[1], record
    git(served, "push -q origin main")


def held_aside(host):
    return host.sh("find /var/lib/gears/git/r/objects -name 'tmp_objdir-*'").split()


def test_who_is_still_pushing_has_left_nothing(served):
    unit = half_a_push(served)
    wait_until(lambda: held_aside(served), 20, "git keeps aside what comes")
    aside = held_aside(served)
    git(served, "push -q origin main:other")
    assert held_aside(served) == aside
    served.systemctl("stop", unit)
    no_talk(served)


@pytest.mark.parametrize("how", ["systemctl kill -s KILL 'geard-git-*'", "systemctl kill -s KILL geard"])
def test_killed_in_the_middle(served, how):
    """… it has its record, and only that one, also behind one more start of geard."""
    before = len(pushes(served))
    unit = half_a_push(served)
    wait_until(lambda: held_aside(served), 20, "git keeps aside what comes")
    served.sh(how)
    served.systemctl("stop", unit)
    no_talk(served)
    wait_until(lambda: served.peer("GET", "/healthz").status == 200, 60, "geard is there")
    assert head_of(served) == ""
    code, said, resource = told_of_pushes(served, before + 1)[0]
    assert code == 500 and resource == "r" and ("not known" in said) == how.endswith("geard"), (code, said)
    git(served, "push -q origin main")
    assert head_of(served) and not held_aside(served)
    served.sh("systemctl reset-failed geard; systemctl restart geard")
    assert len(told_of_pushes(served, before + 2)) == before + 2


@pytest.mark.timeout(600)
@pytest.mark.takes(40)
@pytest.mark.parametrize("call", ["fdatasync", "sendmsg"])
def test_geard_is_killed_at(served, call):
    """Whatever git did of it has a record; and what it did, it did as a whole."""
    new = whole_push(served)
    for n in range(1, MOST):
        before = len(pushes(served))
        verdict = killed_at(served, call, n, "POST", "/git/r/git-receive-pack", "@/srv/git/body", "application/x-git-receive-pack-request")
        wait_until(lambda: knows_all(served), 60, "geard is back")
        no_talk(served)
        assert head_of(served) in ("", new)
        if head_of(served):
            code, said, _ = told_of_pushes(served, before + 1)[0]
            assert ("not known" in said and code == 500) or "updated refs/heads/main" in said, (n, code, said)
        assert len(pushes(served)) <= before + 1
        if verdict == "survived":
            break
        assert served.peer("DELETE", "/repository/r").status == 204
        assert served.peer("PUT", "/repository/r").status == 201
    print(f"killed at {n - 1} calls of {call}")
    assert 1 < n < MOST and head_of(served) == new


def test_one_that_is_removed_meanwhile(served):
    unit = half_a_push(served)
    assert served.peer("DELETE", "/repository/r").status == 204
    served.systemctl("stop", unit)
    no_talk(served)
    assert served.sh(f"ls -A {STORE}") == ""
    assert served.peer("PUT", "/repository/r").status == 201


REFS = "/info/refs?service=git-upload-pack"


def talk(host, unit, n, options):
    """So many begin to talk and never end; who is told to come again does."""
    host.sh(f"systemd-run -q --collect --unit={unit} bash -c \"for i in {{1..{n}}}; do (while :; do curl -s -o /dev/null -T - -X POST "
            f"-H 'Content-Type: application/x-git-upload-pack-request' {options}/git-upload-pack < <(exec sleep 600); sleep 0.3; done) & "
            f"done; wait\"")


def talks(host):
    return int(host.sh("systemctl list-units --plain --no-legend 'geard-git-*' | wc -l"))


def is_told_to_come_again(answer, limit):
    return answer.status == 503 and answer.headers["retry-after"] == "5" and limit in answer.json["detail"]


def test_so_many_at_once(served, issuer):
    """Behind his 48th, or the 64th of all, who talks next is told to come again; the others are not disturbed."""
    token = issuer.token(r="r", a="repo.read")
    talk(served, "many", 50, url_of())
    wait_until(lambda: talks(served) == 48, 60, "one has all that one may have")
    answer = served.curl("GET", url_of() + REFS, headers=JSON)
    assert is_told_to_come_again(answer, "48 repositories are being read or written for test already"), answer
    assert served.curl("GET", url_of(token=token) + REFS).status == 200
    talk(served, "more", 18, f"--unix-socket {SOCKET} http://localhost/git/r")
    wait_until(lambda: talks(served) == 64, 60, "it is full")
    answer = served.curl("GET", url_of(token=token) + REFS, headers=JSON)
    assert is_told_to_come_again(answer, "64 repositories are being read or written already"), answer
    assert get(served, "__test__", "/containers").status == 200
    served.systemctl("stop", "many", "more")
    wait_until(lambda: served.curl("GET", url_of() + REFS).status == 200, 60, "it is free again")
    no_talk(served)
