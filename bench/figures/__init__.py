# SPDX-License-Identifier: Apache-2.0
"""The benchmarks of bench/run: one module each, with a measure(yard, args)."""
