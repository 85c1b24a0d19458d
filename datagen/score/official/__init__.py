"""Benchmarks by their own rules, each beside a corrected figure: OmniDocBench v1.5, Fox, olmOCR-bench.

The rules were read in the public code of a named commit and written anew; where that code does something that nobody would want,
this does it too, and the corrected figure doesn't. tests/unit/score/ holds what the public scorers said of the same predictions.
"""
