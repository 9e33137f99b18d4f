# SPDX-License-Identifier: Apache-2.0
"""What runs inside the host: nothing between the clock and what it measures.

Prints lines "name value".  Only what python3-minimal has may be imported.
"""

import calendar
import functools
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time

SOCKET = "/run/geard/geard.sock"
ENGINE = "/run/docker.sock"
IMAGE = "test/busybox"
STATE = "/var/lib/gears"
LINKS = "/etc/systemd/system"
TOOLS = os.path.dirname(os.path.abspath(__file__))
TOKEN = "/token/__test__"


def request(method, target, body=b"", where=SOCKET):
    """(status, body) of one request over a unix socket."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(where)
        s.sendall((f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   f"Accept: application/json\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
        answer = b"".join(iter(lambda: s.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def expect(wanted, answer, what):
    if answer[0] != wanted:
        sys.exit(f"{what}: {answer[0]} {answer[1].decode(errors='replace')}")
    return answer[1].decode()


def milliseconds(work):
    begin = time.monotonic()
    work()
    return (time.monotonic() - begin) * 1000


def say(name, value):
    print(f"{name} {value:.3f}", flush=True)


# --- one container ----------------------------------------------------------------


def geard_create(name, started="true"):
    body = f'{{"image":"{IMAGE}","started":{started}}}'.encode()
    expect(201, request("PUT", f"/container/{name}", body), f"create {name}")


def geard_pid(name):
    status = expect(200, request("GET", f"/container/{name}/status"), f"status of {name}")
    return int(re.search(r'"pid":(\d+)', status)[1])


def geard_delete(name):
    expect(204, request("DELETE", f"/container/{name}"), f"delete {name}")


def docker(*argv):
    subprocess.run(["docker", *argv], check=True, stdout=subprocess.DEVNULL)


def docker_create(name):
    docker("run", "-d", f"--name={name}", IMAGE)


def once_geard(name):
    took = milliseconds(lambda: geard_create(name))
    os.kill(geard_pid(name), 0)  # the container's process, or an exception
    geard_delete(name)
    return took


def once_docker(name):
    took = milliseconds(lambda: docker_create(name))
    docker("rm", "-f", name)
    return took


def in_turn(runs, sides):
    """Both sides in turn; who is first changes; one of each to warm up."""
    for i in range(int(runs) + 1):
        for name, once in sides if i % 2 else reversed(sides):
            took = once(f"bench-{os.getpid()}-{i}")
            if i > 0:
                say(name, took)


def create(runs):
    in_turn(runs, [("geard", once_geard), ("docker", once_docker)])


# --- many ---------------------------------------------------------------------------


def replace_in(path, old, new, to):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(to, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def write_gear(template, name):
    """The files of another gear, as geard wrote those of the template."""
    unit = f"{STATE}/units/gear-{name}.service"
    replace_in(f"{STATE}/units/gear-{template}.service", template, name, unit)
    replace_in(f"{STATE}/env/{template}.env", template, name, f"{STATE}/env/{name}.env")
    os.chmod(f"{STATE}/env/{name}.env", 0o600)
    replace_in(f"{STATE}/wanted/{template}", template, name, f"{STATE}/wanted/{name}")
    os.symlink(unit, f"{LINKS}/gear-{name}.service")


def populate(count):
    """Stopped gears up to count in all, beside whatever else there is."""
    present = [name for name in os.listdir(f"{STATE}/wanted") if name.startswith("still-")]
    if "still-000000" not in present:
        geard_create("still-000000", started="false")
    for i in range(max(len(present), 1), int(count)):
        write_gear("still-000000", f"still-{i:06}")


def still(name):
    """One more stopped gear."""
    geard_create(name, started="false")


def start_many(count):
    """count running gears, ten at a time; how long each took is nobody's business."""
    names = [f"run-{i:03}" for i in range(int(count))]
    for i in range(0, len(names), 10):
        at_once([lambda name=name: geard_create(name) for name in names[i:i + 10]])


# --- at once --------------------------------------------------------------------------


def at_once(works):
    """Runs all in threads of their own; fails if one does."""
    failures = []

    def run(work):
        try:
            work()
        except BaseException as e:  # SystemExit too: a thread's would go unnoticed
            failures.append(e)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"{len(failures)} of {len(works)} failed, the first: {failures[0]}")


def start_load(rate, where, target):
    return subprocess.Popen([f"{TOOLS}/load", "-c", "4", "-r", rate, "-d", "300", "-H", "Accept: application/json",
                             where, target], stdout=subprocess.PIPE, text=True)


def end_load(name, load):
    load.send_signal(signal.SIGTERM)
    out = load.communicate()[0]
    if load.returncode:
        sys.exit(f"the load on {name} failed")
    for key in "p50", "p99", "max":
        say(f"{name} {key}", int(re.search(rf"{key}=(\d+)", out)[1]) / 1000)


def burst_of(side, n, names):
    create_one = geard_create if side == "geard" else docker_create
    took = milliseconds(lambda: at_once([lambda name=name: create_one(name) for name in names[:n]]))
    if side == "geard":
        for name in names:
            os.kill(geard_pid(name), 0)
        at_once([lambda name=name: geard_delete(name) for name in names])
    else:
        docker("rm", "-f", *names)
    return took


def burst(runs, n, rate, status, hello):
    """Bursts of both sides in turn, each while both servers answer the same load."""
    sides = ["geard", "docker"]
    for i in range(int(runs) + 1):
        for side in sides if i % 2 else reversed(sides):
            loads = [("status", start_load(rate, "127.0.0.1:2223", status)),
                     ("evhttp", start_load(rate, hello, "/"))]
            took = burst_of(side, int(n), [f"burst-{os.getpid()}-{i}-{k}" for k in range(int(n))])
            for name, load in loads:
                if i > 0:
                    end_load(f"{side} {name}", load)
                else:
                    load.kill()
                    load.wait()
            if i > 0:
                say(side, took)


# --- truth ------------------------------------------------------------------------------


def kill(runs):
    """From the order to kill a container until the list does not call its gear running."""
    for _ in range(int(runs)):
        name = "run-000"
        while '"state":"running"' not in expect(200, request("GET", f"/container/{name}/status"), "status"):
            time.sleep(0.05)
        begin = time.monotonic()
        expect(204, request("POST", f"/containers/gear-{name}/kill", where=ENGINE), "kill")
        while True:
            listing = expect(200, request("GET", "/containers"), "list")
            if '"state":"running"' not in re.search(rf'{{"id":"{name}".*?"unit"', listing)[0]:
                break
        say("seen", (time.monotonic() - begin) * 1000)


# --- logs -------------------------------------------------------------------------------


def speak(lines):
    """A gear that has written so many lines."""
    script = f"seq 1 {lines} | sed 's/^/said /; s/$/ and what else a program has to tell/'; echo end; sleep 1d"
    body = f'{{"image":"{IMAGE}","command":["sh","-c","{script}"]}}'.encode()
    expect(201, request("PUT", "/container/run-000", body), "create run-000")
    while '"text":"end"' not in expect(200, request("GET", "/container/run-000/log?tail=1&follow=no"), "log"):
        time.sleep(0.2)


def entries(units, begin, first, count):
    """So many entries, of these units in turn, as journald writes what a container says; 10 us apart.

    Texts come again, since systemd-journal-remote begins another file when it has seen too many different ones.
    """
    with open("/etc/machine-id", encoding="ascii") as machine, open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot:
        machine_id, boot_id = machine.read().strip(), boot.read().strip().replace("-", "")
    for i in range(first, first + count):
        unit = units[i % len(units)]
        pid = 1000 + i % len(units)
        yield (f"__REALTIME_TIMESTAMP={begin + i * 10}\n__MONOTONIC_TIMESTAMP={1000000 + i * 10}\n_BOOT_ID={boot_id}\n"
               f"_TRANSPORT=stdout\n_STREAM_ID={pid:032x}\nPRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=gear-{unit}\n"
               f"MESSAGE=said {i % 20000} and what else a program has to tell\n_PID={pid}\n_UID=0\n_GID=0\n_COMM=docker\n"
               f"_EXE=/usr/bin/docker\n_CMDLINE=/usr/bin/docker run --rm --name=gear-{unit} test/busybox\n"
               f"_CAP_EFFECTIVE=1ffffffffff\n_SYSTEMD_CGROUP=/system.slice/gear-{unit}.service\n"
               f"_SYSTEMD_UNIT=gear-{unit}.service\n_SYSTEMD_SLICE=system.slice\n_SYSTEMD_INVOCATION_ID={pid:032x}\n"
               f"_MACHINE_ID={machine_id}\n_HOSTNAME=bench\n\n")


def fill(begin, first, files, entries_each, *units):
    """Files of the system's journal with entries of these units, 10 us apart from begin on; how many MB they are."""
    with open("/etc/machine-id", encoding="ascii") as machine:
        folder = f"/var/log/journal/{machine.read().strip()}"
    filling = "/var/log/filling.journal"  # on the same filesystem, where nobody looks
    size, each = 0, int(entries_each)
    for n in range(int(first), int(first) + int(files)):
        path = f"{folder}/system@{0:032x}-{n + 1:016x}-{n + 1:016x}.journal"
        remote = subprocess.Popen(["/lib/systemd/systemd-journal-remote", "-o", filling, "-"],
                                  stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for entry in entries(units, int(begin), n * each, each):
            remote.stdin.write(entry.encode())
        remote.stdin.close()
        if remote.wait():
            sys.exit("systemd-journal-remote failed")
        os.rename(filling, path)
        size += os.stat(path).st_size
    say("MB", size / 1e6)


def take(runs, target, command):
    """A log from connect() to the last byte, and the whole run of a command; each more than once beforehand."""
    for i in range(int(runs) + 2):
        ours = milliseconds(lambda: expect(200, request("GET", target), target))
        theirs = milliseconds(lambda: subprocess.run(command.split(" "), stdout=subprocess.DEVNULL, check=True))
        if i > 1:
            say("geard", ours)
            say("journalctl", theirs)


def beside(seconds, rate, status, hello, readers, log):
    """Both servers answer the same load while so many clients read a log again and again; lines a second of theirs."""
    stop, bytes_read = threading.Event(), [0] * int(readers)

    def read(n):
        while not stop.is_set():
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(SOCKET)
                s.sendall(f"GET {log} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                while not stop.is_set() and (n_bytes := len(s.recv(1 << 18))):
                    bytes_read[n] += n_bytes

    threads = [threading.Thread(target=read, args=(n,)) for n in range(int(readers))]
    for thread in threads:
        thread.start()
    time.sleep(1)
    loads = [("status", start_load(rate, "127.0.0.1:2223", status)), ("evhttp", start_load(rate, hello, "/"))]
    before = sum(bytes_read)
    time.sleep(float(seconds))
    say("MB read", (sum(bytes_read) - before) / 1e6)
    for name, load in loads:
        end_load(name, load)
    stop.set()
    for thread in threads:
        thread.join()


def timed(runs, *sides):
    """NAME COMMAND ...: in turn, each into a file of its own."""
    for _ in range(int(runs)):
        for name, command in zip(sides[::2], sides[1::2]):
            with open(f"/tmp/{name.replace(' ', '-')}", "wb") as out:
                say(name, milliseconds(lambda: subprocess.run(["sh", "-c", command], stdout=out, check=True)))


def daemon():
    """(kB of RssAnon, seconds of processor time) of geard."""
    pid = subprocess.run(["systemctl", "show", "-P", "MainPID", "geard"], check=True, capture_output=True, text=True).stdout.strip()
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        anonymous = int(re.search(r"^RssAnon:\s+(\d+)", status.read(), re.MULTILINE)[1])
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return anonymous, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def follow(gear):
    s = socket.socket(socket.AF_UNIX)
    s.connect(SOCKET)
    s.sendall(f"GET /container/{gear}/log?tail=0&timeout=0 HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n\r\n".encode())
    s.setblocking(False)
    return s


class Reader:
    """Takes whole records, and holds their numbers against each other."""

    def __init__(self, s):
        self.socket, self.held, self.lines, self.last, self.missed = s, b"", 0, None, False

    def take(self):
        piece = self.held + self.socket.recv(1 << 20)
        now = time.time()
        whole = piece.rfind(b"}\n") + 1
        self.held = piece[whole:]
        found = re.findall(rb'"time":"([^"]+)".*?"text":"line (\d+) ', piece[:whole])
        for _, number in found:
            self.missed |= self.last is not None and int(number) != self.last + 1
            self.last = int(number)
        self.lines += len(found)
        return now, [moment for moment, _ in found]


def followers(count, gears, seconds):
    """So many followers of so many gears that write a line every 10 ms each, or less often where there are many."""
    count, gears, seconds = int(count), int(gears), int(seconds)
    pause = 10000 * gears
    script = f"sleep 3; i=0; while :; do i=$((i + 1)); echo line $i as programs write them; usleep {pause}; done"
    for n in range(gears):
        expect(201, request("PUT", f"/container/say-{n}", f'{{"image":"{IMAGE}","command":["sh","-c","{script}"]}}'.encode()), "create")
    time.sleep(4)
    before, _ = daemon()
    epoll, readers = select.epoll(), {}
    for n in range(count):
        reader = Reader(follow(f"say-{n % gears}"))
        readers[reader.socket.fileno()] = reader
        epoll.register(reader.socket, select.EPOLLIN)
    time.sleep(2)
    delays, began = [], time.monotonic()
    warm, counting, spent = began + 2, False, 0
    while time.monotonic() < began + 2 + seconds:
        if not counting and time.monotonic() > warm:
            counting, (_, spent) = True, daemon()
        for fd, _ in epoll.poll(0.1):
            now, times = readers[fd].take()
            if counting:
                delays += [now - when(found) for found in times]
    after, spent_then = daemon()
    say("kB a follower", (after - before) / count)
    say("cores", (spent_then - spent) / seconds)
    delays.sort()
    say("median", 1000 * delays[len(delays) // 2])
    say("p99", 1000 * delays[len(delays) * 99 // 100])
    say("followers that miss a line", sum(reader.missed for reader in readers.values()))
    say("lines a second", sum(reader.lines for reader in readers.values()) * gears / (seconds + 2) / count)


# --- repositories -----------------------------------------------------------------------


def repository_create(name):
    expect(201, request("PUT", f"/repository/{name}"), f"create {name}")


def repository_delete(name):
    expect(204, request("DELETE", f"/repository/{name}"), f"delete {name}")


def once_repository(name):
    took = milliseconds(lambda: repository_create(name))
    repository_delete(name)
    return took


def once_init(name):
    path = f"{STATE}/git/{name}"
    took = milliseconds(lambda: subprocess.run(
        ["systemd-run", "--quiet", "--wait", "--collect", "git", "init", "--quiet", "--bare", path], check=True))
    subprocess.run(["rm", "-rf", path], check=True)
    return took


def repositories(runs):
    in_turn(runs, [("geard", once_repository), ("systemd-run", once_init)])


def repositories_at_once(rounds, n, rate, status, hello):
    """Again and again so many creates at once, most of which wait for their turn, while both servers answer the same load."""
    for _ in range(int(rounds)):
        repositories_burst(n, rate, status, hello)


def repositories_burst(n, rate, status, hello):
    loads = [("status", start_load(rate, "127.0.0.1:2223", status)), ("evhttp", start_load(rate, hello, "/"))]
    names = [f"many-{k}" for k in range(int(n))]
    say("all", milliseconds(lambda: at_once([lambda name=name: repository_create(name) for name in names])))
    for name, load in loads:
        end_load(name, load)
    for name in names:
        repository_delete(name)


@functools.cache
def when(text):
    """2026-11-21T15:04:05.123456Z"""
    return calendar.timegm(time.strptime(text[:19].decode(), "%Y-%m-%dT%H:%M:%S")) + float(b"0" + text[19:-1])


if __name__ == "__main__":
    verbs = {"create": create, "populate": populate, "still": still, "start": start_many, "burst": burst, "kill": kill,
             "speak": speak, "fill": fill, "take": take, "beside": beside, "timed": timed, "followers": followers,
             "repositories": repositories, "repositories-at-once": repositories_at_once}
    verbs[sys.argv[1]](*sys.argv[2:])
