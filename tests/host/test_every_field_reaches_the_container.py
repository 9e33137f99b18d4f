# SPDX-License-Identifier: Apache-2.0
"""What the spec says is what docker inspect and the kernel show."""

import pytest

from lib.gear import JSON, create, inspect, made, status
from lib.wait import wait_until


def group_file(host, pid, controller, name):
    """A control file of the group that a process really is in, v1 or v2."""
    return host.sh(f"""
        while IFS=: read -r _ controllers path; do
                case ",$controllers," in
                *,{controller},*) cat "/sys/fs/cgroup/$controllers$path/{name[0]}" && exit ;;
                ,,) [ ! -e "/sys/fs/cgroup$path/{name[1]}" ] || {{ cat "/sys/fs/cgroup$path/{name[1]}" && exit; }} ;;
                esac
        done < /proc/{pid}/cgroup
        exit 1""")


def test_limits_hold_for_the_processes_of_the_container(host):
    made(host, memory="48M", cpus="0.5", pids=20, stop_timeout="1s",
         command=["sh", "-c", "(while :; do sleep 600 & done); exec sleep 600"])
    found = inspect(host)
    assert found["HostConfig"]["Memory"] == 48 << 20
    assert found["HostConfig"]["NanoCpus"] == 500_000_000
    assert found["HostConfig"]["PidsLimit"] == 20
    pid = found["State"]["Pid"]
    assert group_file(host, pid, "memory", ("memory.limit_in_bytes", "memory.max")) == str(48 << 20)
    assert group_file(host, pid, "pids", ("pids.max", "pids.max")) == "20"
    quota = group_file(host, pid, "cpu", ("cpu.cfs_quota_us", "cpu.max")).split()[0]
    assert quota == "50000"
    assert "gear.slice" in host.sh(f"cat /proc/{pid}/cgroup"), "its processes are in the slice of all gears"
    wait_until(lambda: group_file(host, pid, "pids", ("pids.events", "pids.events")) != "max 0", 10,
               "a fork too many was refused")
    assert int(group_file(host, pid, "pids", ("pids.current", "pids.current"))) <= 20


PLAIN = {
    "user": ({"user": "app"}, lambda c: c["Config"]["User"], "app"),
    "user-and-group": ({"user": "1000:1000"}, lambda c: c["Config"]["User"], "1000:1000"),
    "workdir": ({"workdir": "/www"}, lambda c: c["Config"]["WorkingDir"], "/www"),
    "hostname": ({"hostname": "web.example"}, lambda c: c["Config"]["Hostname"], "web.example"),
    "read_only": ({"read_only": True}, lambda c: c["HostConfig"]["ReadonlyRootfs"], True),
    "network": ({"network": "none"}, lambda c: c["HostConfig"]["NetworkMode"], "none"),
    "stop_signal": ({"stop_signal": "INT"}, lambda c: c["Config"]["StopSignal"], "SIGINT"),
    "stop_timeout": ({"stop_timeout": "3s"}, lambda c: c["Config"]["StopTimeout"], 3),
    "command": ({"command": ["sh", "-c", "exec hold", "a b", "", "%n$HOME\\\"';"]}, lambda c: c["Config"]["Cmd"],
                ["sh", "-c", "exec hold", "a b", "", "%n$HOME\\\"';"]),
    "labels": ({"labels": {"a.b/c": "x %n $y \"q\" 'p' \\ ü\t", "empty": ""}},
               lambda c: {k: v for k, v in c["Config"]["Labels"].items() if not k.startswith("io.geard.")},
               {"a.b/c": "x %n $y \"q\" 'p' \\ ü\t", "empty": ""}),
    "env": ({"env": {"A": "x %n $y \"q\" 'p' \\ ü\t#", "EMPTY": ""}},
            lambda c: [e for e in c["Config"]["Env"] if not e.startswith("PATH=")],
            ["A=x %n $y \"q\" 'p' \\ ü\t#", "EMPTY="]),
}


@pytest.mark.parametrize("field", PLAIN)
def test_it_is_in_docker_inspect(host, field):
    spec, look, expected = PLAIN[field]
    made(host, **spec)
    assert look(inspect(host)) == expected


def test_the_process_is_who_where_and_named_as_asked(host):
    made(host, user="app", workdir="/www", hostname="web")
    assert host.docker("exec", "gear-1", "sh", "-c", "id -u; pwd; hostname").split() == ["1000", "/www", "web"]


def test_dropped_capabilities_are_gone_from_the_process(host):
    made(host, cap_drop=["ALL"])
    pid = inspect(host)["State"]["Pid"]
    assert host.sh(f"awk '/^CapBnd/ {{ print $2 }}' /proc/{pid}/status").strip("0") == ""


def test_one_dropped_capability_leaves_the_others(host):
    made(host, cap_drop=["NET_RAW"])
    pid = inspect(host)["State"]["Pid"]
    bounding = int(host.sh(f"awk '/^CapBnd/ {{ print $2 }}' /proc/{pid}/status"), 16)
    assert not bounding & 1 << 13 and bounding & 1 << 0


def test_root_may_add_what_a_token_may_not(host):
    made(host, cap_add=["NET_ADMIN"])
    pid = inspect(host)["State"]["Pid"]
    assert int(host.sh(f"awk '/^CapBnd/ {{ print $2 }}' /proc/{pid}/status"), 16) & 1 << 12
    refused = host.token("PUT", "container", {"cap_add": ["NET_ADMIN"]}, r="2", t="test/busybox")
    assert refused.status == 403 and "cap_add" in refused.text, refused


def test_a_read_only_container_cannot_write_but_into_its_volume(host):
    made(host, read_only=True, volumes=[{"name": "data", "target": "/data"}])
    assert host.run("docker", "exec", "gear-1", "touch", "/etc/x", check=False).returncode != 0
    host.docker("exec", "gear-1", "touch", "/data/x")
    assert host.docker("volume", "ls", "-q") == "gear-1-data"


def test_a_volume_may_be_read_only(host):
    made(host, volumes=[{"name": "data", "target": "/data", "read_only": True}])
    assert host.run("docker", "exec", "gear-1", "touch", "/data/x", check=False).returncode != 0


def test_the_health_command_is_the_engines(host):
    made(host, health={"command": ["test", "-e", "/tmp/it is %n"], "interval": "1s", "timeout": "20s", "retries": 2,
                       "start_period": "1s"})
    check = inspect(host)["Config"]["Healthcheck"]
    assert check["Test"][0] == "CMD-SHELL"
    assert (check["Interval"], check["Timeout"], check["StartPeriod"], check["Retries"]) == \
        (1_000_000_000, 20_000_000_000, 1_000_000_000, 2)
    wait_until(lambda: inspect(host)["State"]["Health"]["Status"] == "unhealthy", 60, "it is unhealthy")
    host.docker("exec", "gear-1", "touch", "/tmp/it is %n")
    wait_until(lambda: inspect(host)["State"]["Health"]["Status"] == "healthy", 60, "it is healthy")


@pytest.mark.parametrize("kind", [{"http": {"port": 8080, "path": "/up"}}, {"tcp": 8081}])
def test_probes_of_geards_own_show_in_the_status(host, kind):
    made(host, image="test/port", health={**kind, "interval": "1s", "timeout": "1s", "retries": 1})
    wait_until(lambda: status(host)["health"] == "unhealthy", 60, "it is told unhealthy")
    host.docker("exec", "gear-1", "sh", "-c", "echo up > /www/up; (httpd -p 8081 -h /www)")
    wait_until(lambda: status(host)["health"] == "healthy", 60, "it is told healthy")


def test_ports_are_published_where_and_as_asked(host):
    ports = [{"internal": 8080, "external": 4401, "address": "127.0.0.1"}, {"internal": 8081, "external": 4402},
             {"internal": 53, "external": 4403, "protocol": "udp"}, {"internal": 9000}]
    gear = made(host, image="test/port", ports=ports)
    bound = host.docker("port", "gear-1").splitlines()
    leased = next(port["external"] for port in gear["ports"] if port["internal"] == 9000)
    assert 4000 <= leased <= 4999
    assert {"8080/tcp -> 127.0.0.1:4401", "8081/tcp -> 0.0.0.0:4402", "53/udp -> 0.0.0.0:4403",
            f"9000/tcp -> 0.0.0.0:{leased}"} <= set(bound)
    assert "It runs." in host.sh(
        "curl -s --fail --retry 10 --retry-all-errors --retry-delay 1 http://127.0.0.1:4401/")
    assert host.run("curl", "-s", "-m", "20", f"http://{host.address}:4401/", check=False).returncode == 7
    told = host.peer("GET", "/container/1/ports", headers=JSON)
    assert str(leased) in told.text


def test_a_leased_port_stays_with_the_gear(host):
    first = made(host, image="test/port", ports=[{"internal": 8080}])["ports"]
    assert create(host, image="test/port", ports=[{"internal": 8080}]).status == 200
    replaced = create(host, image="test/port", ports=[{"internal": 8080}], labels={"a": "b"}, replace=True).json
    assert replaced["ports"] == first


def test_restart_policies_are_the_units(host):
    for gear, policy in (("a", "always"), ("b", "on-failure"), ("c", "no")):
        made(host, gear, restart=policy)
        assert host.show(f"gear-{gear}")["Restart"] == policy
        assert inspect(host, gear)["HostConfig"]["RestartPolicy"]["Name"] in ("no", ""), \
            "the engine must not restart what systemd restarts"


def test_the_two_streams_are_told_apart_and_carry_the_gear(host):
    made(host, command=["sh", "-c", "echo '<0>out'; echo err >&2; exec hold"])
    invocation = host.show("gear-1")["InvocationID"]
    of_this_run = ("SYSLOG_IDENTIFIER=gear-1", f"_SYSTEMD_INVOCATION_ID={invocation}")
    entries = wait_until(lambda: len(found := host.journal_entries(*of_this_run)) == 2 and found, 10, "two lines")
    by_text = {entry["MESSAGE"]: entry for entry in entries}
    assert by_text["<0>out"]["PRIORITY"] == "6" and by_text["err"]["PRIORITY"] == "3"
    for entry in by_text.values():
        assert entry["_SYSTEMD_UNIT"] == "gear-1.service"
        assert entry["GEAR_ID"] == "1" and entry["GEAR_IMAGE"] == "test/busybox"


def test_systemd_finds_no_fault_in_a_unit_with_everything(host):
    made(host, memory="64M", cpus="0.5", pids=50, user="app", workdir="/www", hostname="web", read_only=True,
         cap_drop=["ALL"], cap_add=["NET_BIND_SERVICE"], stop_signal="INT", stop_timeout="1s", restart="on-failure",
         labels={"a": "x %n $y \"q\" 'p' \\ ü\t;"}, env={"A": "%n $B"}, ports=[{"internal": 8080}, {"internal": 53,
         "protocol": "udp"}], volumes=[{"name": "data", "target": "/data dir"}],
         health={"command": "test -e '/tmp/%n' || exit 0"}, command=["sh", "-c", "exec hold # %n $x \\ \" ; \n #"])
    done = host.run("systemd-analyze", "verify", "--man=no", "gear-1.service")
    assert done.stdout + done.stderr == b""
