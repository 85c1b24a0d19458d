"""How good predictions are against a ground truth: what `make score` measures.

pages.py        true and predicted pages, from OmniDocBench's JSON, Fox, our datasets, and folders of Markdown
parts.py        Markdown in parts: paragraphs, tables, formulas
text.py         normalised text, edit distances
matching.py     which predicted part is which true block: OmniDocBench's quick match
formulas.py     normalised LaTeX
symbols.py      what formulas look like: our variant of CDM
tables.py       TEDS
layout.py       F1 and mAP of boxes
scores.py       all of these over pages, with intervals
facts.py        olmOCR-bench's tests, and fact_rules.py when each holds
benchmarks.py   the folders of benchmarks
official.py     the public scorers' own code, run
"""
