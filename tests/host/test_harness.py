# SPDX-License-Identifier: Apache-2.0
"""The hosts themselves: what all other cases build on."""

import shutil
import subprocess

import pytest

from lib import sanitizers
from lib.host import Host, CommandFailed, call
from lib.wait import wait_until


def test_it_boots_with_nothing_failed(bare_host):
    assert bare_host.systemctl("is-system-running") == "running"
    assert bare_host.sh("cat /proc/1/comm") == "systemd"


def test_dockerd_runs_images_on_overlay2(bare_host):
    assert bare_host.docker("info", "--format", "{{.Driver}}") == "overlay2"
    assert bare_host.docker("run", "--rm", "--network=none", "test/user", "id", "-u") == "1000"


def test_limits_of_a_container_are_set(bare_host):
    bare_host.docker("run", "-d", "--name", "limited", "--memory=64m", "--pids-limit=50", "test/busybox")
    pid = bare_host.docker("inspect", "-f", "{{.State.Pid}}", "limited")
    groups = bare_host.sh(f"cat /proc/{pid}/cgroup")
    assert bare_host.docker("inspect", "-f", "{{.Id}}", "limited") in groups


def test_every_image_does_what_its_name_says(bare_host):
    host = bare_host
    assert host.run("docker", "run", "--rm", "test/crash", check=False).returncode == 3
    host.docker("run", "-d", "--name", "stubborn", "test/stubborn")
    host.docker("stop", "-t", "1", "stubborn")
    assert host.docker("inspect", "-f", "{{.State.ExitCode}}", "stubborn") == "137"
    host.docker("run", "-d", "--name", "health", "test/health")
    host.docker("exec", "health", "touch", "/tmp/healthy")
    wait_until(lambda: host.docker("inspect", "-f", "{{.State.Health.Status}}", "health") == "healthy",
               15, "the container is healthy")
    host.docker("run", "-d", "--name", "flood", "test/flood", "flood", "1000")
    wait_until(lambda: host.sh("docker logs flood | tail -n1") == "line 1000", 10, "a thousand lines")
    host.docker("run", "-d", "--name", "port", "-p", "8001:8080", "test/port")
    wait_until(lambda: "It runs." in host.sh("curl -s http://127.0.0.1:8001/", check=False), 10, "the page")
    host.docker("run", "-d", "--name", "show", "-e", "A=b c", "test/show", "x y", "%$")
    shown = wait_until(lambda: host.sh("docker logs show | grep -x end && docker logs show"), 10, "all is shown")
    assert "argv:" in shown and "environ:" in shown
    argv = host.run("docker", "exec", "show", "cat", "/proc/1/cmdline").stdout
    assert argv == b"/bin/sh\0/bin/show\0x y\0%$\0"


def test_a_reboot_keeps_identity_journal_and_containers(bare_host):
    host = bare_host
    before = host.sh("cat /etc/machine-id; hostname")
    boot = host.sh("cat /proc/sys/kernel/random/boot_id; stat -c %Y /proc/1")
    host.docker("run", "-d", "--name", "kept", "--restart=always", "test/busybox")
    host.sh("mkdir -p /var/lib/gears && echo state > /var/lib/gears/file")
    host.sh("logger before the reboot")
    pid = host._testhost("pid").stdout
    host.reboot()
    assert host._testhost("pid").stdout != pid
    assert host.sh("cat /etc/machine-id; hostname") == before, boot
    assert host.sh("cat /var/lib/gears/file") == "state"
    assert "before the reboot" in host.journal()
    wait_until(lambda: host.docker("inspect", "-f", "{{.State.Running}}", "kept") == "true", 10, "it runs again")


def test_a_reboot_is_orderly_and_a_crash_is_not(bare_host):
    host = bare_host
    host.sh("printf '[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=true\\n"
            "ExecStop=touch /root/stopped\\n[Install]\\nWantedBy=multi-user.target\\n' > /etc/systemd/system/w.service")
    host.sh("systemctl enable --now --quiet w")
    host.crash()
    assert host.systemctl("is-active", "w") == "active"
    assert host.run("test", "-e", "/root/stopped", check=False).returncode == 1
    host.reboot()
    assert host.run("test", "-e", "/root/stopped", check=False).returncode == 0


def test_a_forwarded_port_shows_the_service_a_loopback_peer(bare_host):
    host = bare_host
    host.sh("cat > /etc/systemd/system/peer.socket", stdin="[Socket]\nListenStream=127.0.0.1:9000\nAccept=yes\n"
            "[Install]\nWantedBy=sockets.target\n")
    host.sh("cat > /etc/systemd/system/peer@.service", stdin="[Service]\nStandardOutput=socket\n"
            "ExecStart=sh -c 'echo $$REMOTE_ADDR'\n")
    host.sh("systemctl enable --now --quiet peer.socket")
    port = host.forward(9000)
    assert ask("127.0.0.1", port) == "127.0.0.1\n"
    host.reboot()
    assert ask("127.0.0.1", port) == "127.0.0.1\n", "the forward is there again after a reboot"


def ask(address, port):
    done = subprocess.run(["bash", "-c", f"cat < /dev/tcp/{address}/{port}"],
                          capture_output=True, timeout=20, check=True)
    return done.stdout.decode()


def test_two_hosts_reach_each_other_until_the_cable_is_cut(make_host):
    one, two = make_host("one"), make_host("two")
    one.docker("run", "-d", "-p", "4343:8080", "pmorie/sti-html-app")
    url = f"http://{one.address}:4343/"
    assert "It runs." in wait_until(lambda: two.sh(f"curl -s -m 5 {url}", check=False), 10, "the page")
    two.sh("ip link set host0 down")
    with pytest.raises(CommandFailed):
        two.sh(f"curl -s -m 2 {url}")


def test_processes_of_two_hosts_do_not_share_control_groups(make_host):
    one, two = make_host("one"), make_host("two")
    groups = []
    for host in (one, two):
        pid = host._testhost("pid").stdout.decode().strip()
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            groups.append({line.strip() for line in file})
    assert not groups[0] & groups[1]


def test_a_host_that_is_gone_left_nothing(make_host):
    host = make_host("gone")
    host.docker("run", "-d", "-p", "4343:8080", "pmorie/sti-html-app")
    root, pid = host.root, host._testhost("pid").stdout.decode().strip()
    host.down()
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        assert str(root.parent) not in file.read()
    assert not root.parent.exists()
    wait_until(lambda: not _alive(pid), 5, "its PID 1 is gone")
    namespaces = subprocess.run(["ip", "netns"], capture_output=True, check=True).stdout.decode()
    assert "-gone" not in namespaces


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_that_fails_says_what_it_printed():
    with pytest.raises(CommandFailed, match="there is no host"):
        Host("nobody").sh("true")


# A program, what the sanitizers say of it, and the sandbox that may stand in their way.
MISTAKES = {"char *p = malloc(1); free(p); return *p;": "heap-use-after-free",
            "volatile int n = 0x7fffffff; n++; return 0;": "signed integer overflow",
            "char *volatile p = malloc(1); p = 0; return 0;": "detected memory leaks"}
SANDBOX = ["ProtectSystem=strict", "SystemCallFilter=@system-service", "CapabilityBoundingSet=", "MemoryDenyWriteExecute=yes"]


def test_what_the_sanitizers_find_is_kept(bare_host, tmp_path):
    host = bare_host
    sanitizers.prepare(host)
    for n, (code, found) in enumerate(MISTAKES.items()):
        program = tmp_path / f"mistake-{n}"
        call(["gcc", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-static-libasan", "-static-libubsan",
              "-x", "c", "-", "-o", program], stdin=f"#include <stdlib.h>\nint main(void)\n{{\n{code}\n}}\n")
        shutil.copy(program, host.root / "usr/bin")
        own = sanitizers.SANDBOX.splitlines()[1:]
        options = [word for line in SANDBOX + own for word in ("-p", line)]
        for argv in (["systemd-run", "--wait", "--quiet", *options, program.name], sanitizers.words([program.name])):
            assert host.run(*argv, check=False).returncode != 0
            assert found in "\n".join(sanitizers.take_reports(host)), argv
    assert sanitizers.take_reports(host) == []
