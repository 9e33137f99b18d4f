# SPDX-License-Identifier: Apache-2.0
"""How figures are printed: a line per side, then the ratio beside its goal."""

import statistics


def title(text):
    print(f"\n{text}", flush=True)


def side(name, values, unit):
    """One side's median and range; returns the median."""
    median = statistics.median(values)
    print(f"  {name:34} {median:10.1f} {unit:6} ({min(values):.1f} ... {max(values):.1f}, {len(values)} values)",
          flush=True)
    return median


def ratio(text, ours, theirs, goal):
    """goal: "<= 1.2" and the like, "" for none."""
    print(f"  {text:34} {ours / theirs:10.2f}        {'goal ' + goal if goal else ''}", flush=True)


def rounds(text, ours, theirs, goal):
    """The ratio of each round, in which the sides came one after the other: the machine has slow minutes."""
    ratios = [our / their for our, their in zip(ours, theirs, strict=True)]
    print(f"  {text:34} {statistics.median(ratios):10.2f}        goal {goal} ({min(ratios):.2f} ... {max(ratios):.2f})",
          flush=True)


def single(name, value, unit, goal=""):
    print(f"  {name:34} {value:10.1f} {unit:6} {'goal ' + goal if goal else ''}", flush=True)


def note(text):
    print(f"  {text}", flush=True)
