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


def pytest_configure(config):
    path = os.environ.get("GEARD_TALLY")
    if path and not hasattr(config, "workerinput"):  # a worker reports to who started it, which tells
        config.pluginmanager.register(Tally(config, path))


class Tally:
    """One verdict per case, in the file and as a line as soon as it ends.

    Several cases may run at once, each in a worker of pytest-xdist.
    """

    def __init__(self, config, path):
        self.config = config
        self.path = path
        self.running = {}  # by case: the phases that failed, the seconds of all

    def pytest_collectreport(self, report):
        if report.outcome != "passed":
            self.tell("fail", f"{report.nodeid or 'collection'}: cannot be collected")

    def pytest_runtest_logstart(self, nodeid):
        self.running[nodeid] = ([], [])

    def pytest_runtest_logreport(self, report):
        failed, seconds = self.running.setdefault(report.nodeid, ([], []))
        seconds.append(report.duration)
        if report.failed:
            failed.append(report.when)

    def pytest_runtest_logfinish(self, nodeid):
        failed, seconds = self.running.pop(nodeid)
        took = f"({sum(seconds):.1f} s)"
        if failed:
            self.tell("fail", f"{nodeid}: {' and '.join(failed)} failed {took}")
        else:
            self.tell("pass", f"{nodeid} {took}")

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, crashitem):
        self.tell("fail", f"{crashitem}: the worker that ran it crashed")

    def pytest_report_teststatus(self, report):
        return report.outcome, "", ""

    def tell(self, verdict, what):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{verdict} {what}\n")
        terminal = self.config.pluginmanager.get_plugin("terminalreporter")
        terminal.write_line(f"  {'ok' if verdict == 'pass' else 'FAILED'} {what}")
