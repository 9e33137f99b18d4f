# SPDX-License-Identifier: Apache-2.0
"""Tokens verified per second, against the bare signatures of `openssl speed`

A token costs its header, its base64url and its signature; openssl verifies one
signature over and over.  Both on one core, by processor time, in turn.
"""

import pathlib
import re
import subprocess
import tempfile

from figures import report

HERE = True  # no host is needed
SIDES = {"EdDSA": "ed25519", "ES256": "ecdsap256"}
PAYLOAD = b'{"d":1900000000,"i":"0123456789abcdef","r":"web-1","t":"registry.example.com/web:1","u":"alice"}'
VERIFIED = re.compile(r"^ *\d+ bits .* (\d+\.\d)$", re.MULTILINE)  # the last column: verify/s


def output(*command, given=b""):
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def measure(build, args):
    tool = build / "tests/unit/jose-tool"
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
