# SPDX-License-Identifier: Apache-2.0
"""What must not be found in anything that a host wrote: every token that the
cases sent, and what they say themselves is secret."""

import re
import subprocess
import tempfile

_seen = set()

PATH_TOKEN = re.compile(r"/token/([^/?]{40,})")
LEAST = 24  # a shorter piece could be anything's

# All that is left of a run, the journal unpacked, and how processes were called.
TRACES = r"""
journalctl --no-pager --quiet --all -o export
find /var/log /var/lib/geard /var/lib/gears/units /run/geard /etc/systemd/system /run/systemd/transient \
        -type f -not -path '*/journal/*' -exec cat {} + 2>/dev/null
cat /proc/[0-9]*/cmdline 2>/dev/null
true
"""


def remember(text):
    """A secret; of a token each part that is not public by itself."""
    _seen.update(part for link in text.split("~") for part in (link, link.split(".")[-1]) if len(part) >= LEAST)


def notice(target, headers):
    """Remembers the tokens of a call."""
    for token in PATH_TOKEN.findall(target):
        remember(token)
    scheme, _, token = (headers or {}).get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        remember(token)


def forget(text):
    """One that was planted, and found."""
    _seen.discard(text)


def found_in(host):
    """Those of them that are in what the host has written so far."""
    written = host.run("bash", "-c", TRACES, timeout=300).stdout
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as patterns:
        patterns.write("\n".join(_seen))
        patterns.flush()
        # grep looks for all of them in one pass
        done = subprocess.run(["env", "LC_ALL=C", "grep", "--text", "--only-matching", "--fixed-strings", f"--file={patterns.name}"],
                              input=written, capture_output=True, check=False, timeout=300)
    assert done.returncode in (0, 1), done.stderr.decode()
    return set(done.stdout.decode().splitlines())
