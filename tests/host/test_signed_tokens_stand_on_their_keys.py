# SPDX-License-Identifier: Apache-2.0
"""Tokens count as long as the file of their key does, and no file beside it,
nor the folder itself, can make that otherwise."""

import pytest

from lib.host import URL
from lib.tokens import KEYS, Issuer, get
from lib.wait import wait_until

FOLDER = f"/{KEYS}"


@pytest.mark.parametrize("way", ["rm {file}", "mv {file} {folder}/.off", "mv {file} {file}.disabled", "mv {file} /root/",
                                 "mv {folder} /etc/geard/keys.off"])
def test_no_request_comes_behind_the_removal_of_a_key(host, way):
    """The very next one, by the same shell, with a token that was believed a moment ago."""
    for _ in range(5):
        issuer = Issuer(host).trust()
        token = issuer.token(a="ops.read")
        asks = f"curl -s -o /dev/null -w '%{{http_code}} ' {URL}/token/{token}/metrics"
        file = f"{FOLDER}/{issuer.path.name}"
        said = host.sh(f"{asks}; {way.format(file=file, folder=FOLDER)}; {asks}")
        host.sh(f"rm -f {file}* {FOLDER}/.off /root/{issuer.path.name}; "
                f"[ -d {FOLDER} ] || mv /etc/geard/keys.off {FOLDER}; rm -f {file}")
        assert said == "200 403 "


def test_a_folder_that_cannot_be_read_opens_nothing(host, issuer):
    token, cursor = issuer.token(a="ops.read"), host.cursor()
    try:
        host.sh(f"chmod 0 {FOLDER}")
        wait_until(lambda: get(host, token, "/metrics").status == 403, 20, "the token is refused")
        wait_until(lambda: f"cannot read {FOLDER}: Permission denied; no signed token is accepted" in host.said_since(cursor), 20,
                   "that is told")
        host.sh(f"chmod 777 {FOLDER}")
        wait_until(lambda: f"no key in {FOLDER} counts: others than its owner" in host.said_since(cursor), 20, "that is told")
        assert get(host, token, "/metrics").status == 403
    finally:
        host.sh(f"chmod 755 {FOLDER}")
    wait_until(lambda: get(host, token, "/metrics").status == 200, 20, "it is believed again")


def test_a_folder_that_is_made_later_counts(host):
    host.sh(f"systemctl stop geard; mv {FOLDER} /etc/geard/keys.off; systemctl start geard")
    try:
        host.sh(f"mkdir {FOLDER}")
        issuer = Issuer(host).trust()  # … which waits until it counts
        token = issuer.token(a="ops.read")
        host.sh(f"rm -r {FOLDER}")
        wait_until(lambda: get(host, token, "/metrics").status == 403, 20, "the folder is gone, and its keys")
        host.sh(f"mkdir {FOLDER}")
        issuer.trust()
    finally:
        host.sh(f"rm -rf {FOLDER}; mv /etc/geard/keys.off {FOLDER}")


STRANGE = {
    "fifo": ("mkfifo {}", "it is no regular file"),
    "socket": ("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"{}\")'", "it is no regular file"),
    "device": ("ln -s /dev/zero {}", "it is a symbolic link"),
    "loop": ("ln -s loop {}", "it is a symbolic link"),
    "folder": ("mkdir {}", "it is a directory"),
    "large": ("truncate -s 1G {}", "it is longer than 65536 bytes"),
    "closed": ("install -m 0 /dev/null {}", "it cannot be read: Permission denied"),
    "foreign": ("install -m 644 -o nobody /dev/null {}", "it belongs to uid 65534, not to root"),
}


def test_strange_files_are_named_and_hold_up_nobody(host, issuer):
    cursor = host.cursor()
    try:
        for name, (make, _) in STRANGE.items():
            host.sh(make.format(f"{FOLDER}/{name}"))
        for name, (_, why) in STRANGE.items():
            wait_until(lambda: f"{FOLDER}/{name} is passed over: {why}" in host.said_since(cursor), 20, f"{name} is named")
        assert issuer.is_believed()
        assert host.curl("GET", "/healthz", timeout=5).status == 200
    finally:
        host.sh(f"cd {FOLDER} && rm -rf {' '.join(STRANGE)}")
