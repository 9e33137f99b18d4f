# SPDX-License-Identifier: Apache-2.0
"""What runs inside the host: nothing between the clock and what it measures.

Prints lines "name value".  Only what python3-minimal has may be imported.
"""

import os
import re
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


def create(runs):
    """Both sides in turn; who is first changes; one of each to warm up."""
    sides = [("geard", once_geard), ("docker", once_docker)]
    for i in range(int(runs) + 1):
        for name, once in sides if i % 2 else reversed(sides):
            took = once(f"bench-{os.getpid()}-{i}")
            if i > 0:
                say(name, took)


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


if __name__ == "__main__":
    verbs = {"create": create, "populate": populate, "start": start_many, "burst": burst, "kill": kill}
    verbs[sys.argv[1]](*sys.argv[2:])
