# SPDX-License-Identifier: Apache-2.0
"""An image with git in it, made of the host's own: what GitImage= wants."""

import pytest

IMAGE = "test/git"

# Where a repository is made: what a case says holds in both.
PLACES = ["sandbox", "container"]
in_sandbox = pytest.mark.parametrize("git", ["sandbox"], indirect=True)
in_container = pytest.mark.parametrize("git", ["container"], indirect=True)

BUILD = f"""
docker image inspect {IMAGE} >/dev/null 2>&1 && exit
cd "$(mktemp -d)"
libraries=$(ldd /usr/bin/git /usr/bin/ssh /usr/lib/git-core/git-remote-http | grep -o '/[^ ]*[.]so[^ ]*' | sort -u)
libraries="$libraries $(ls /lib/*/libgcc_s.so.1)" # threads end with it
tar -ch --hard-dereference -f git.tar /usr/bin/ssh $libraries 2>/dev/null
tar -rf git.tar /usr/bin/git /usr/bin/git-upload-pack /usr/lib/git-core 2>/dev/null
printf 'FROM test/busybox\\nADD git.tar /\\n' > Dockerfile
DOCKER_BUILDKIT=0 docker build -q --network=none -t {IMAGE} . >/dev/null
rm -r "$PWD"
"""


def settings(host, place):
    """The line of the configuration for it."""
    if place == "sandbox":
        return ""
    host.sh(BUILD)
    return f"GitImage={IMAGE}\n"
