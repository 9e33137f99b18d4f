# SPDX-License-Identifier: Apache-2.0
"""The host the figures are taken on, with geard and the measuring programs in it."""

import pathlib
import re
import shutil
import subprocess

from lib.host import BUILD, Host
from lib.wait import wait_until

INSIDE = pathlib.Path(__file__).with_name("inside.py")
TOOLS = "/opt/geard-bench"


def libevents_of(program):
    """All of them: Debian's point releases do not mix."""
    listing = subprocess.run(["ldd", program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"libevent\S* => (\S+)", listing)


class Yard(Host):
    """A host that lives as long as the with-block."""

    def __init__(self, name, *, keep):
        super().__init__(name)
        self.keep = keep

    def __enter__(self):
        self.down()
        self.up()
        self.install()
        tools = self.root / TOOLS.lstrip("/")
        tools.mkdir()
        hello = BUILD / "bench/evhttp-hello"
        for file in BUILD / "bench/load", hello, *libevents_of(hello), INSIDE:
            shutil.copy(file, tools)
        return self

    def __exit__(self, *_):
        if not self.keep:
            self.down()

    def inside(self, verb, *args, timeout=1800):
        """Runs a verb of inside.py; {name: [values]} from its lines "name value"."""
        done = self.run("python3", f"{TOOLS}/inside.py", verb, *map(str, args), timeout=timeout)
        figures = {}
        for line in done.stdout.decode().splitlines():
            name, _, value = line.rpartition(" ")
            figures.setdefault(name, []).append(float(value))
        return figures

    def load(self, where, target, *options):
        """One run of bench/load; its figures by name."""
        done = self.run(f"{TOOLS}/load", *options, where, target)
        return {name: float(value) for name, value in
                (pair.split("=") for pair in done.stdout.decode().split())}

    def start_hello(self, port, size):
        self.sh(f"systemctl stop bench-hello 2>/dev/null; systemctl reset-failed bench-hello 2>/dev/null; "
                f"systemd-run --quiet --unit=bench-hello -E LD_LIBRARY_PATH={TOOLS} {TOOLS}/evhttp-hello {port} {size}")
        wait_until(lambda: self.run("curl", "-sf", "-o", "/dev/null", f"http://127.0.0.1:{port}/",
                                    check=False).returncode == 0, 10, f"evhttp-hello on port {port}")

    def populate(self, n):
        """n stopped gears more or less: what `started: false` writes, written n times."""
        self.inside("populate", n)
        self.restart()

    def restart(self):
        """Starts geard anew; so many restarts in a row are no fault of its."""
        self.sh("systemctl reset-failed geard.service && systemctl restart geard.service")

    def memory(self):
        """{"RssAnon": kB, "VmRSS": kB} of the daemon."""
        status = self.sh("cat /proc/$(systemctl show -P MainPID geard.service)/status")
        return {name: int(re.search(rf"^{name}:\s+(\d+)", status, re.M)[1]) for name in ("RssAnon", "VmRSS")}
