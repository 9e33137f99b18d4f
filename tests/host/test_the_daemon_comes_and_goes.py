# SPDX-License-Identifier: Apache-2.0
"""geard as a service among services: how it starts, reloads, loses systemd's
bus, drains, and whom it lets in."""

import json
import pathlib
import shlex
import time

import pytest

from lib.gear import JSON, container_of, create, delete, made, status, wait_running
from lib.host import SOCKET, URL, call, parse_answer, BUILD
from lib.wait import wait_until

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TEST_CALL = "/token/__test__/container/status?u=0&d=1&r=1"


def healthy(host):
    return host.curl("GET", "/healthz", timeout=30).status == 200


@pytest.fixture
def restored(host):
    """The host with geard as it was, whatever the case did to its service and configuration."""
    yield host
    host.sh("rm -f /etc/geard/geard.conf.d/90-case.conf; systemctl start dbus.socket dbus; "
            "systemctl reset-failed geard.service geard.socket; systemctl stop geard.service; "
            "systemctl restart geard.socket && systemctl start geard.service")


# --- systemd's bus -------------------------------------------------------------------

def test_without_systemds_bus_it_says_so_and_comes_back(restored):
    host = restored
    for gear in ("a", "b"):
        made(host, gear)
    made(host, "c", started=False)
    host.systemctl("stop", "dbus.socket", "dbus.service")
    refused = wait_until(lambda: (answer := host.peer("GET", "/container/a/status", headers=JSON)).status == 503
                         and answer, 5, "it notices")
    assert "systemd" in refused.json["detail"] and "engine" not in refused.json["detail"]
    assert int(refused.headers["retry-after"]) > 0
    assert create(host, "d").status == 503
    assert host.peer("PUT", "/container/b/stopped").status == 503
    # systemctl needs no bus
    host.systemctl("stop", "gear-a")
    host.systemctl("start", "gear-c")
    host.docker("kill", "gear-b")
    host.systemctl("start", "dbus.socket", "dbus.service")
    wait_until(lambda: host.peer("GET", "/containers", headers=JSON).status == 200, 30, "it is back by itself")
    wait_until(lambda: [status(host, gear)["state"] for gear in "abc"] == ["stopped", "running", "running"], 30,
               "it knows what happened meanwhile")
    made(host, "d")
    assert "bus" in host.journal("geard", "cat", "-n", "40")


def test_a_bus_that_is_killed_is_found_again(restored):
    host = restored
    made(host)
    for _ in range(3):
        host.sh("kill -9 $(systemctl show -P MainPID dbus)")
        # geard may not have noticed yet: until it has found the bus again the answer is 503
        wait_until(lambda: host.peer("PUT", "/container/1/restarted").status == 200, 60, "a change is made again")
        assert status(host)["state"] == "running"
    assert host.show("geard")["NRestarts"] == "0"


# --- starting --------------------------------------------------------------------------

def test_the_socket_alone_starts_it(restored):
    host = restored
    host.systemctl("stop", "geard.service", "geard.socket")
    assert host.run("curl", "-s", URL + "/healthz", check=False).returncode == 7
    host.systemctl("start", "geard.socket")
    assert host.systemctl("is-active", "geard.service", check=False) == "inactive"
    assert healthy(host)
    # it answers /healthz at once, and is ready when it knows its gears
    wait_until(lambda: host.systemctl("is-active", "geard.service", check=False) == "active", 30, "it is ready")


def test_it_is_ready_when_it_says_so_and_tells_how_it_is(restored):
    host = restored
    made(host)
    host.systemctl("restart", "geard")
    assert status(host)["state"] == "running", "the first answer after READY is the truth"
    assert "1 gears" in host.show("geard")["StatusText"]
    assert host.show("geard")["WatchdogUSec"] != "0"


def test_a_hung_geard_is_replaced_by_its_watchdog(fresh_host):
    host = fresh_host
    host.sh("mkdir -p /run/systemd/system/geard.service.d && "
            "printf '[Service]\\nWatchdogSec=6s\\n' > /run/systemd/system/geard.service.d/fast.conf && "
            "systemctl daemon-reload && systemctl restart geard")
    made(host)
    before = host.show("geard")["MainPID"]
    time.sleep(14)
    assert host.show("geard")["MainPID"] == before, "it feeds the watchdog"
    host.sh(f"kill -STOP {before}")
    wait_until(lambda: host.show("geard")["MainPID"] not in ("0", before), 60, "systemd starts another")
    wait_until(lambda: status(host)["state"] == "running", 30, "which knows the gear")


def test_the_binary_alone_is_enough(bare_host, tmp_path):
    host = bare_host
    call(["make", "--silent", "-C", BUILD, "install", f"DESTDIR={tmp_path}"], timeout=300)
    for path in ("usr/sbin/geard", "usr/libexec/geard/gear-unit"):
        target = host.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((tmp_path / path).read_bytes())
        target.chmod(0o755)
    (host.root / "opt/geard.service").write_text((SOURCE / "contrib/geard.service").read_text(encoding="utf-8"))
    host.sh("systemctl enable --quiet /opt/geard.service && systemctl start geard")
    assert healthy(host)
    assert "127.0.0.1:2223" in host.sh("ss -ltn")
    assert host.curl("GET", TEST_CALL).status == 403, "the test token is off unless switched on"
    made(host)
    host.reboot()
    assert wait_running(host) and status(host)["state"] == "running"
    done = host.run("systemd-analyze", "verify", "--man=no", "/opt/geard.service")
    assert done.stdout + done.stderr == b""


# --- configuration ------------------------------------------------------------------------

def test_a_reload_reads_the_configuration_again(restored):
    host = restored
    made(host)
    assert host.curl("GET", TEST_CALL).status == 200
    pid = host.show("geard")["MainPID"]
    host.configure("90-case", "[Daemon]\nTestToken=no\n")
    host.systemctl("reload", "geard")
    wait_until(lambda: host.curl("GET", TEST_CALL).status == 403, 5, "the test token is off")
    assert host.show("geard")["MainPID"] == pid and container_of(host)
    host.configure("90-case", "[Daemon]\nTestToken=yes\n")
    host.systemctl("kill", "--signal=HUP", "geard")
    wait_until(lambda: host.curl("GET", TEST_CALL).status == 200, 5, "and on again")


def test_a_reload_with_a_mistake_changes_nothing_and_says_where(restored):
    host = restored
    made(host)
    host.configure("90-case", "[Daemon]\nTestToken=perhaps\n")
    host.sh("systemctl reload geard", check=False)
    wait_until(lambda: "90-case.conf" in host.journal("geard", "cat", "-n", "20"), 5, "the journal names the file")
    assert host.curl("GET", TEST_CALL).status == 200


def test_a_reload_names_what_counts_from_the_next_start(restored):
    host = restored
    host.configure("90-case", "[Daemon]\nAuditDays=7\nBodyMax=2K\nStreamsMax=99\n[Listen]\nAddress=127.0.0.1:2223\n")
    host.systemctl("reload", "geard")
    of_this_run = ["_SYSTEMD_UNIT=geard.service", f"_PID={host.show('geard')['MainPID']}"]

    def told():
        return [entry["GEARD_SETTING"] for entry in host.journal_entries(*of_this_run) if "GEARD_SETTING" in entry]

    wait_until(lambda: len(told()) >= 4, 20, "the journal names them")
    assert told() == ["AuditDays=", "BodyMax=", "[Listen] [::1]:2223", f"[Listen] {SOCKET}"]
    spec = {"image": "test/nothing", "labels": {"a": "x" * 3000}}
    assert host.peer("PUT", "/container/1", spec, JSON).status == 404, "the body is none too many yet"
    host.systemctl("restart", "geard")
    assert host.curl("PUT", "/container/1", json.dumps(spec)).status == 413, "and now it is"


def test_check_config_names_the_line(restored):
    host = restored
    good = host.run("geard", "--check-config")
    assert b"good" in good.stdout
    host.configure("90-case", "[Daemon]\nTestToken=yes\nPortRange=9-4\n")
    bad = host.run("geard", "--check-config", check=False)
    assert bad.returncode == 78 and bad.stderr.startswith(b"/etc/geard/geard.conf.d/90-case.conf:3: "), bad
    host.configure("90-case", "[Daemon]\nTestTokn=yes\n")
    odd = host.run("geard", "--check-config", check=False)
    assert odd.returncode == 78 and b"TestTokn" in odd.stderr and b"good" not in odd.stdout, odd
    assert host.run("geard", "--version").stdout.startswith(b"geard ")
    assert b"--check-config" in host.run("geard", "--help").stdout


# --- ending ---------------------------------------------------------------------------------

def client_is_gone(host):
    """A unit that has ended and was collected is as inactive as one that never was."""
    return host.show("client")["ActiveState"] == "inactive"


def test_sigterm_lets_what_is_under_way_finish(restored):
    host = restored
    body = json.dumps({"image": "test/busybox", "ready": {"log": "now"},
                       "command": ["sh", "-c", "trap 'exit 0' TERM; sleep 2; echo now; while :; do sleep 0.2; done"]})
    host.sh(f"""rm -f /root/code /root/answer; systemd-run --quiet --collect --unit=client bash -c {shlex.quote(
        f"curl -s -o /root/answer -w '%{{http_code}}' --unix-socket {SOCKET} -X PUT http://localhost/container/1 "
        f"-d {shlex.quote(body)} > /root/code")}""")
    wait_until(lambda: container_of(host), 30, "the create is under way")
    before = host.show("geard")["MainPID"]
    host.systemctl("stop", "geard.service")
    wait_until(lambda: client_is_gone(host), 20, "its client has its answer")
    assert host.sh("cat /root/code") == "201", "it answered before it went"
    assert container_of(host)
    assert healthy(host) and host.show("geard")["MainPID"] != before
    wait_until(lambda: status(host)["state"] == "running", 10, "the next one knows the gear")


@pytest.mark.takes(45)
def test_a_create_that_outlasts_the_drain_is_answered_and_goes_on_at_the_next_start(restored):
    host = restored
    late = ["sh", "-c", "trap 'exit 0' TERM; sleep 40 & wait $!; echo now; while :; do sleep 0.2; done"]
    body = json.dumps({"image": "test/busybox", "ready": {"log": "now"}, "command": late})
    host.sh("rm -f /root/answer; "
            "systemd-run --quiet --collect --unit=client curl -s -i -o /root/answer -H 'Accept: application/json' "
            f"--unix-socket {SOCKET} -X PUT http://localhost/container/1 -d {shlex.quote(body)}")
    container = wait_until(lambda: container_of(host), 30, "the create is under way")
    began = time.monotonic()
    host.systemctl("stop", "geard.service")
    assert 15 < time.monotonic() - began < 44 and host.show("geard")["Result"] == "success"
    wait_until(lambda: client_is_gone(host), 20, "its client has its answer")
    answer = parse_answer(host.sh("cat /root/answer").encode())
    assert answer.status == 503 and int(answer.headers["retry-after"]) > 0 and "next start" in answer.json["detail"], answer
    host.systemctl("start", "geard.service")
    assert wait_running(host) == container
    wait_until(lambda: host.sh("cat /var/lib/gears/wanted/1") == "started", 60, "it was ready, and is done")
    assert container_of(host) == container


def test_sigterm_does_not_wait_for_those_who_follow_a_log(restored):
    host = restored
    made(host, command=["sh", "-c", "trap 'exit 0' TERM; while :; do echo tick; sleep 0.2; done"])
    host.sh(f"systemd-run --quiet --collect --unit=follower curl -s --no-buffer -o /root/log --unix-socket {SOCKET} "
            "'http://localhost/container/1/log?timeout=0'")
    wait_until(lambda: "tick" in host.sh("cat /root/log", check=False), 10, "it follows")
    began = time.monotonic()
    host.systemctl("stop", "geard.service")
    assert time.monotonic() - began < 10
    assert host.show("geard")["Result"] == "success"


# --- who may ----------------------------------------------------------------------------------

def test_the_socket_is_for_root_and_the_group(host):
    assert host.sh(f"stat -c '%a %U %G' {SOCKET}") == "660 root gears"
    ask = f"curl -s -o /dev/null -w '%{{http_code}}' --unix-socket {SOCKET} http://localhost/containers"
    member = "setpriv --reuid=1234 --regid=1234 --groups=$(getent group gears | cut -d: -f3)"
    stranger = "setpriv --reuid=1234 --regid=1234 --clear-groups"
    assert host.sh(ask) == "200"
    assert host.sh(f"{member} {ask}") == "200"
    done = host.run("bash", "-c", f"{stranger} {ask}", check=False)
    assert done.returncode == 7 and done.stdout == b"000"


def test_a_socket_that_the_configuration_adds_is_the_groups_too(restored):
    host = restored
    extra = "/run/geard/extra.sock"
    host.configure("90-case", "".join(f"[Listen]\nAddress={address}\n{auth}" for address, auth in (
        ("127.0.0.1:2223", ""), (SOCKET, "Auth=peer\n"), (extra, "Auth=peer\n"))))
    host.systemctl("restart", "geard")
    assert host.sh(f"stat -c '%a %U %G' {extra}") == "660 root gears"
    assert host.curl("GET", "http://localhost/containers", unix=extra).status == 200
    assert healthy(host) and host.peer("GET", "/containers").status == 200


def test_over_tcp_a_credential_is_needed(host):
    for target in ("/containers", "/container/1/status", "/metrics"):
        assert host.curl("GET", target).status == 401
    assert host.curl("PUT", "/container/1", {"image": "test/busybox"}).status == 401
    assert host.curl("GET", "/token/abc/container/status").status == 403
    assert healthy(host)


def test_the_test_token_is_for_this_machine_only(host):
    proxied = host.curl("GET", TEST_CALL, headers={"X-Forwarded-For": "10.0.0.1"})
    assert proxied.status == 403


# --- its own state ------------------------------------------------------------------------------

def test_its_own_directory_may_be_deleted(restored):
    host = restored
    made(host, "runs", ports=[{"internal": 8080}])
    made(host, "rests", started=False)
    ports, container = status(host, "runs")["ports"], container_of(host, "runs")
    host.systemctl("stop", "geard.service", "geard.socket")
    host.sh("rm -rf /var/lib/geard /var/lib/private/geard")
    host.systemctl("start", "geard.socket", "geard.service")
    assert status(host, "runs")["ports"] == ports and container_of(host, "runs") == container
    assert status(host, "rests")["state"] == "stopped"
    delete(host, "rests")
    made(host, "rests")
