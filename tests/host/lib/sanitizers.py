# SPDX-License-Identifier: Apache-2.0
"""geard and gear-unit built with ASan and UBSan (tests/run --sanitize): what a
host needs to run them, and what they reported there."""

import os

SANITIZED = os.environ.get("GEARD_SANITIZED") == "yes"
REPORTS = "/var/log/sanitizers"

OPTIONS = {
    # The limits of a unit stay as they are, and the allocator asks for no time: a
    # preloaded clock allocates at its first call, and would wait for the allocator's lock.
    "ASAN_OPTIONS": f"log_path={REPORTS}/report:log_exe_name=1:detect_stack_use_after_return=1:strict_string_checks=1"
                    ":disable_coredump=0:allocator_release_to_os_interval_ms=-1",
    "UBSAN_OPTIONS": f"log_path={REPORTS}/report:log_exe_name=1:print_stacktrace=1",
}

# All units get the options, for gear-unit runs in those of the gears.
MANAGER = f"""\
[Manager]
DefaultEnvironment={" ".join(f"{name}={value}" for name, value in OPTIONS.items())}
"""

# The search for leaks stops and traces its own process.  systemd sends a SIGCONT
# right behind its SIGTERM, which may call that stop off; then the search waits for
# ever.  So the SIGTERM comes from elsewhere, and systemd's when all is over.
STOP = """\
[Service]
ExecStop=/bin/sh -c 'kill "$MAINPID"; while kill -0 "$MAINPID"; do sleep 0.02; done 2>/dev/null'
"""

# What the sandbox of the installed unit would refuse.
SANDBOX = f"""\
[Service]
ReadWritePaths={REPORTS}
SystemCallFilter=ptrace
"""

# What such a build cannot pass, and why; said at the end of the run.
LEFT_OUT = {
    "test_units.py::test_the_daemon_is_little_exposed": "the search for leaks needs ptrace, which no shipped unit allows",
    "test_a_crash_tells_no_secret.py::test_a_crash_leaves_no_core[SEGV]": "ASan takes the signal, and reports it as a crash",
}


def prepare(host):
    """Makes the host one in which such programs report."""
    (host.root / REPORTS.lstrip("/")).mkdir(parents=True, exist_ok=True)
    write(host, "system.conf.d/50-sanitizers.conf", MANAGER)
    write(host, "system/geard.service.d/50-stop.conf", STOP)
    host.systemctl("daemon-reload")


def open_sandbox(host):
    """Lets the installed unit report; for the next reload."""
    write(host, "system/geard.service.d/50-sandbox.conf", SANDBOX)


def write(host, name, text):
    path = host.root / "etc/systemd" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def words(argv):
    """argv with the options in its environment."""
    return ["env", *(f"{name}={value}" for name, value in OPTIONS.items()), *argv]


def take_reports(host):
    """What was reported since the last time, one text per process; nothing by a host that is gone."""
    if not host.exists():
        return []
    directory = host.root / REPORTS.lstrip("/")
    texts = []
    for file in sorted(directory.glob("report*")):
        texts.append(f"{file.name}:\n{file.read_text(errors='replace')}")
        file.unlink()
    return texts


def final_reports(host):
    """The same once geard has ended, which is when its leaks are told."""
    if not SANITIZED:
        return []
    host.run("systemctl", "stop", "geard.service", check=False)
    result = host.run("systemctl", "show", "-P", "Result", "geard.service", check=False).stdout.decode().strip()
    reports = take_reports(host)
    if not reports and result not in ("success", ""):
        reports.append(f"geard ended with {result} and without a word on its leaks")
    return reports
