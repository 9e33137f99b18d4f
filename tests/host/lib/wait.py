# SPDX-License-Identifier: Apache-2.0
"""Waiting for something to become true, with a message when it does not."""

import time


def wait_until(predicate, seconds, what, every=0.1):
    """Polls until predicate() is true and returns what it returned.

    An AssertionError or CommandFailed inside counts as "not yet"; the last one
    is told when time is up.
    """
    deadline = time.monotonic() + seconds
    last = None
    while True:
        try:
            value = predicate()
            if value:
                return value
            last = f"last seen: {value!r}"
        except AssertionError as error:
            last = f"last error: {error}"
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {seconds} s: {what} ({last})")
        time.sleep(every)
