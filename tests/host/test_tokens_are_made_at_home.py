# SPDX-License-Identifier: Apache-2.0
"""The section Tokens of the README, line by line as printed there, on a host
that trusts nobody when it begins."""

import pathlib
import re

import pytest

from lib.host import URL
from lib.wait import wait_until

README = pathlib.Path(__file__).resolve().parents[2] / "README"
HOME = "/root/tokens"


def printed():
    """The commands of the section, in order."""
    text = README.read_text(encoding="utf-8")
    section = re.search(r"^Tokens\n-+\n(.*?)^[^\n]+\n-+$", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^    (.+)$", section[1], re.MULTILINE)


@pytest.fixture
def home(host):
    """A directory of the administrator's, and no key of his left afterwards."""
    host.sh(f"rm -rf {HOME} && mkdir {HOME}")
    yield host
    host.sh(f"rm -rf {HOME} /etc/geard/keys.d/alice.pub")


def paste(host, line, check=True):
    """Who reads this host's shell is root already."""
    if line.startswith("curl "):
        line += " --fail --silent --show-error"
    return host.sh(f"cd {HOME} && {line.removeprefix('sudo ')}", check=check)


def status(host, line):
    return host.sh(f"cd {HOME} && curl -s -o /dev/null -w '%{{http_code}}' {line}")


def with_token(token, path):
    return f'-H "Authorization: Bearer $({token})" {URL}{path}'


def test_the_section_works_as_printed(home):
    host = home
    lines = printed()
    assert len(lines) == 8
    keygen, install, create, *rest, look = lines

    paste(host, keygen)
    paste(host, install)
    minted = "gear token --key=alice.key --right=ops.read"
    wait_until(lambda: status(host, with_token(minted, "/metrics")) == "200", 20, "the key counts")
    paste(host, create)
    assert host.show("gear-web-1")["ActiveState"] == "active"

    shown = [paste(host, line) for line in rest][-1]
    assert "verified    yes, signed by alice.pub" in shown
    assert re.search(r"^until .* \(in (9|10) minutes\)$", shown, re.MULTILINE)
    assert "running" in paste(host, look)

    # It does nothing else, and what it was made of nothing at all.
    narrowed = "cat look.token"
    assert status(host, "-X PUT " + with_token(narrowed, "/container/web-1/stopped")) == "403"
    assert status(host, with_token(narrowed, "/container/web-2/status")) == "403"
    assert status(host, with_token("cat team.token", "/container/web-1/status")) == "403"
    assert host.show("gear-web-1")["ActiveState"] == "active"

    # With the key its tokens end.
    host.sh("rm /etc/geard/keys.d/alice.pub")
    wait_until(lambda: status(host, with_token(narrowed, "/container/web-1/status")) == "403", 20, "the key is gone")
    everything = host.journal("geard")
    for secret in ("look.token", "team.token"):
        assert host.sh(f"cat {HOME}/{secret}") not in everything
