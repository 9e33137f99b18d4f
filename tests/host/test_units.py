# SPDX-License-Identifier: Apache-2.0
"""What we install, as systemd judges it."""

import re


def test_systemd_finds_no_fault_in_our_units(host):
    done = host.run("systemd-analyze", "verify", "--man=no", "geard.service", "geard.socket", "gear.slice", "gear-jobs.slice")
    assert done.stdout + done.stderr == b""


def test_systemd_finds_no_fault_in_a_gear(host):
    answer = host.token("PUT", "container", {"ports": [{"internal": 8080}]}, r="1", t="pmorie/sti-html-app")
    assert answer.status == 201, answer
    done = host.run("systemd-analyze", "verify", "--man=no", "gear-1.service")
    assert done.stdout + done.stderr == b""


def test_the_daemon_is_little_exposed(host):
    report = host.sh("systemd-analyze security --no-pager geard.service")
    level = re.search(r"exposure level for geard.service: ([0-9.]+)", report)
    assert level and float(level[1]) <= 2.0, report
