# SPDX-License-Identifier: Apache-2.0
"""What all pytest rings share: nothing is skipped in silence, and every case
goes into the tally of tests/run (the file that $GEARD_TALLY names)."""

import os

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"cannot run: {reason}"


def pytest_collectreport(report):
    if report.outcome != "passed":
        tally("fail", f"{report.nodeid}: cannot be collected")


def pytest_runtest_logreport(report):
    if report.when == "call" and report.passed:
        tally("pass", report.nodeid)
    elif report.failed:
        tally("fail", f"{report.nodeid}: {report.when} failed")


def pytest_report_teststatus(report, config):
    """Under tests/run: a line per case as it ends, instead of dots."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if not os.environ.get("GEARD_TALLY") or not terminal:
        return None
    if report.failed:
        terminal.write_line(f"  FAILED {report.nodeid} ({report.when})")
    elif report.when == "call":
        terminal.write_line(f"  ok {report.nodeid} ({report.duration:.1f} s)")
    return report.outcome, "", ""


def tally(verdict, what):
    path = os.environ.get("GEARD_TALLY")
    if path:
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"{verdict} {what}\n")
