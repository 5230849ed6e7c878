"""Comparing two models by what each got right.

`outcomes.py` reads what one model got right, `matching.py` puts two of them side by side,
`comparison.py` and `measures.py` compute what is known then (`records.py`), and `wording.py` says
it in sentences. `text.py`, `markdown.py` and `figure.py` show it. What is tested and why:
docs/statistics.md.
"""
