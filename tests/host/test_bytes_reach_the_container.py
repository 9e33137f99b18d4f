# SPDX-License-Identifier: Apache-2.0
"""What is said in JSON arrives in the container byte for byte, through the unit
file, systemd, the docker client and the engine."""

import base64
import json
import random
import re

import pytest

from lib.gear import create, inspect, made
from lib.wait import wait_until

TRAPS = ["%", "%%", "%n", "%i", "%h", "$", "$$", "${HOME}", "$HOME", "$(id)", "`id`", "\\", "\\\\", "\\\"", "\\n", "\\x41",
         "\\073", "\\u00e9", "\"", "'", "\"'\"", ";", " ; ", "&&", "|", "#", "=", ":", "@", "!", "+", "-", "--", "~", "*",
         "?", "[Unit]", "{}", "<>", "\t", " ", "  ", "\a\b\f\v", "\x01", "\x1b[31m", "\x7f", "é", "ü", "\u2028", "\ufeff",
         "\U0001f600", "日本", "\u0301", "\ufffd"]
LINES = ["\n", "\r", "\r\n", "\n\n[Service]\nUser=x\n", "\\\n"]
# 32 KiB to the byte, in characters of one to four.
LONG = "aé日\U0001f600" * 3276 + "z" * 8
assert len(LONG.encode()) == 32768


def word(rng, traps, most=12):
    return "".join(rng.choice(traps) if rng.random() < 0.7 else chr(rng.randrange(0x20, 0x7f))
                   for _ in range(rng.randrange(most)))


def argv_of_1(host, gear):
    """What the kernel handed to PID 1 of the container, without /bin/sh /bin/show."""
    raw = host.run("docker", "exec", f"gear-{gear}", "cat", "/proc/1/cmdline").stdout
    words = raw.split(b"\0")
    assert words[:2] == [b"/bin/sh", b"/bin/show"] and words[-1] == b""
    return [each.decode() for each in words[2:-1]]


def environ_of_1(host, gear):
    raw = host.run("docker", "exec", f"gear-{gear}", "cat", "/proc/1/environ").stdout
    return dict(entry.decode().split("=", 1) for entry in raw.split(b"\0")[:-1])


@pytest.mark.parametrize("seed", range(3))
def test_words_of_a_command(host, seed):
    rng = random.Random(seed)
    words = [word(rng, TRAPS + LINES) for _ in range(200)]
    made(host, image="test/show", command=words)
    assert argv_of_1(host, 1) == words


ALONE = {
    "empty": [""], "two empty": ["", ""], "semicolon": [";"], "dash": ["-"], "dashes": ["--"],
    "docker's options": ["--rm", "--privileged", "-v", "/:/host"], "backslash": ["\\"], "semicolons": ["a;", ";b"],
    "prefixes": ["@x", "!x", "+x", ":x", "|x"], "comment": ["#x"], "blanks": [" x "], "newline": ["\n"],
    "last newline": ["x\n"], "long": [LONG], "as long as can be": [LONG, LONG, LONG, LONG[:-len("z" * 8)] + "zz", "", ""],
}


@pytest.mark.parametrize("words", ALONE.values(), ids=ALONE)
def test_words_that_are_special_alone(host, words):
    made(host, image="test/show", command=words)
    assert argv_of_1(host, 1) == words


def test_a_command_as_one_line_is_split_like_a_shell(host):
    made(host, image="test/show", command="a 'b  $c' \"d \\\" \\$e\" f\\ g '' %n;h \"it's\"")
    assert argv_of_1(host, 1) == ["a", "b  $c", "d \" $e", "f g", "", "%n;h", "it's"]


def test_values_of_the_environment(host):
    rng = random.Random(7)
    env = {f"V{i}": word(rng, TRAPS) for i in range(300)}
    env |= {"EMPTY": "", "BLANKS": "  x  ", "EQUALS": "=a=b=", "HASH": "# no comment", "QUOTED": "\"x\"", "LONG": LONG,
            "_": "under"}
    made(host, image="test/show", env=env)
    found = environ_of_1(host, 1)
    assert {name: found.get(name) for name in env} == env
    assert json.loads(host.peer("GET", "/container/1/env", headers={"Accept": "application/json"}).text) == env


def test_many_large_values(host):
    env = {f"V{i}": LONG for i in range(30)}
    body = json.dumps({"image": "test/show", "env": env}, ensure_ascii=False).encode()
    answer = host.peer("PUT", "/container/1", body)
    assert answer.status == 201, answer
    found = environ_of_1(host, 1)
    assert all(found[name] == LONG for name in env)


def test_values_that_are_patched_in(host):
    made(host, image="test/show", env={"A": "1", "B": "2"})
    value = "".join(TRAPS)
    answer = host.peer("PATCH", "/container/1/env", {"A": value, "B": None})
    assert answer.status == 200, answer
    host.peer("PUT", "/container/1/restarted")
    found = wait_until(lambda: environ_of_1(host, 1), 10, "it runs again")
    assert found["A"] == value and "B" not in found


def test_no_value_is_anywhere_but_in_its_file(host):
    secret = "hidden-value-of-this-case"
    made(host, image="test/busybox", env={"SECRET": secret})
    assert secret not in host.sh("cat /var/lib/gears/units/* /etc/systemd/system/gear-1.service")
    assert secret not in host.sh("tr '\\0' ' ' < /proc/$(systemctl show -P MainPID gear-1)/cmdline")
    assert secret not in host.journal()
    assert host.sh("stat -c '%a %U' /var/lib/gears/env/1.env") == "600 root"


def test_labels(host):
    rng = random.Random(11)
    labels = {f"n{i}.x/y": word(rng, TRAPS + LINES) for i in range(60)}
    labels |= {"long": LONG, "empty": "", "Ünïcode%$\"'\\;#": "x"}
    made(host, image="test/busybox", labels=labels)
    found = inspect(host)["Config"]["Labels"]
    assert {name: value for name, value in found.items() if not name.startswith("io.geard.")} == labels


def test_the_words_of_a_health_command(host):
    text = "".join(TRAPS)
    made(host, image="test/busybox", health={
        "command": ["sh", "-c", "printf %s \"$1\" > /tmp/got; test -z \"$2\"", "me", text, ""], "interval": "1s"})
    found = wait_until(lambda: host.run("docker", "exec", "gear-1", "cat", "/tmp/got", check=False).stdout, 60,
                       "it was probed")
    assert found.decode() == text
    wait_until(lambda: inspect(host)["State"]["Health"]["Status"] == "healthy", 60, "both words arrived")


@pytest.mark.parametrize("name", ["50% $HOME", "a,b=c", "say \"hi\"", "it's", "back\\slash", "é 日本", "semi;colon", "#x"])
def test_host_paths_and_where_they_are_mounted(host, name):
    host.configure("60-bytes", "[Daemon]\nVolumePaths=/srv/bytes\n")
    host.run("mkdir", "-p", f"/srv/bytes/{name}")
    host.run("touch", f"/srv/bytes/{name}/here")
    try:
        host.systemctl("reload", "geard")
        wait_until(lambda: made(host, image="test/busybox", workdir=f"/mnt/{name}",
                                volumes=[{"source": f"/srv/bytes/{name}", "target": f"/mnt/{name}"}]), 5, "it is made")
        assert host.docker("exec", "gear-1", "ls") == "here"
    finally:
        host.sh("rm -rf /srv/bytes /etc/geard/geard.conf.d/60-bytes.conf; systemctl reload geard")


def test_who_asked_may_have_any_name(host):
    user = "Zoë %n $x \"'\\;#\n[Service]\nExecStart=/bin/false"
    assert host.token("PUT", "container", {}, r="1", t="test/busybox", u=user).status == 201
    assert host.show("gear-1")["ActiveState"] == "active"
    assert json.loads(re.search("^User=(.*)$", host.sh("cat /var/lib/gears/units/gear-1.service"), re.M)[1]) == user
    host.systemctl("restart", "geard")
    assert wait_until(lambda: host.peer("GET", "/container/1/status", headers={"Accept": "application/json"}).json, 10,
                      "geard is back")["state"] == "running"


def test_they_stay_through_reload_restart_and_replacement(host):
    words = [trap * 2 for trap in TRAPS + LINES]
    env = {f"V{i}": trap + "x" + trap for i, trap in enumerate(TRAPS)}
    made(host, image="test/show", command=words, env=env)
    host.systemctl("daemon-reload")
    host.systemctl("restart", "gear-1")
    assert wait_until(lambda: argv_of_1(host, 1), 10, "it runs again") == words
    again = create(host, image="test/show", command=words, env=env)
    assert again.status == 200, again
    made(host, image="test/show", command=words[::-1], replace=True)
    assert argv_of_1(host, 1) == words[::-1]
    assert {name: value for name, value in environ_of_1(host, 1).items() if name in env} == env


def test_what_it_prints_is_what_it_was_given(host):
    """The whole way and back: through the journal and the log call."""
    words = ["".join(TRAPS), LONG[:4096]]
    made(host, "said", image="test/show", command=words)
    log = wait_until(lambda: re.search(r"argv:\n(.*)\nenviron:", host.peer(
        "GET", "/container/said/log?follow=no&tail=all").text, re.S), 10, "it has printed")
    assert base64.b64decode(log[1]).split(b"\0")[2:-1] == [each.encode() for each in words]
