# SPDX-License-Identifier: Apache-2.0
"""Tokens verified per second, against the bare signatures of `openssl speed`

A token costs its header, its base64url and its signature; openssl verifies one
signature over and over.  Both on one core, by processor time, in turn.

Then what the time of a refusal tells of an encrypted one: a key that does not
unwrap against a tag that does not fit.  Welch's t says how sure one could be that
they differ; from 4.5 on one is.
"""

import math
import pathlib
import re
import statistics
import subprocess
import tempfile

from figures import report

HERE = True  # no host is needed
SIDES = {"EdDSA": "ed25519", "ES256": "ecdsap256"}
PAYLOAD = b'{"d":1900000000,"i":"0123456789abcdef","r":"web-1","t":"registry.example.com/web:1","u":"alice"}'
VERIFIED = re.compile(r"^ *\d+ bits .* (\d+\.\d)$", re.MULTILINE)  # the last column: verify/s


def output(*command, given=b""):
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def changed(message, part):
    """The first letter of a part is another."""
    parts = message.decode().split(".")
    parts[part] = ("B" if parts[part][0] == "A" else "A") + parts[part][1:]
    return ".".join(parts)


def trimmed(values):
    """Without the slowest tenth, which tell of this machine."""
    return sorted(values)[:len(values) * 9 // 10]


def measure_refusals(tool):
    with tempfile.TemporaryDirectory() as directory:
        key = pathlib.Path(directory, "key")
        key.write_bytes(output(tool, "generate", "RSA-OAEP-256"))
        message = output(tool, "encrypt", key, given=PAYLOAD)
        both = changed(message, 1) + "\n" + changed(message, 4)
        pairs = [line.split() for line in output(tool, "timing", key, given=both.encode()).decode().splitlines()]
    keys, tags = (trimmed([float(pair[i]) / 1000 for pair in pairs]) for i in (0, 1))
    report.title("token, RSA-OAEP-256, refused")
    report.side("a key that does not unwrap", keys, "us")
    report.side("a tag that does not fit", tags, "us")
    apart = abs(statistics.mean(keys) - statistics.mean(tags))
    spread = math.sqrt(statistics.variance(keys) / len(keys) + statistics.variance(tags) / len(tags))
    report.single("their means are apart", apart * 1000, "ns")
    report.single("Welch's t", apart / spread, "", "< 4.5")


def measure(build, args):
    tool = build / "tests/unit/jose-tool"
    measure_refusals(tool)
    for algorithm, theirs in SIDES.items():
        with tempfile.TemporaryDirectory() as directory:
            key = pathlib.Path(directory, "key")
            key.write_bytes(output(tool, "generate", algorithm))
            token = output(tool, "sign", key, given=PAYLOAD)
            ours_rate, their_rate = [], []
            for _ in range(args.runs or 5):
                ours_rate.append(float(output(tool, "rate", key, given=token)))
                speed = output("openssl", "speed", "-seconds", "1", theirs).decode()
                their_rate.append(float(VERIFIED.search(speed)[1]))
        report.title(f"token, {algorithm}, {len(token)} bytes")
        ours = report.side("verified by geard", ours_rate, "1/s")
        bare = report.side(f"openssl speed {theirs}", their_rate, "1/s")
        report.ratio("geard / openssl", ours, bare, ">= 0.7")
