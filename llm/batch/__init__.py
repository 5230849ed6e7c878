"""Answers at half the price, within a day: a pass of batches that fills the response store.

    requests ─▶ chunks on disk ─▶ batches at the service ─▶ results ─▶ response store
    drawing.py  chunks.py         submitting.py             taking.py
                                  openai_batches.py  anthropic_batches.py

`run.py` drives it, and `ledger.py` remembers what is under way. The ordinary pass over the same
source then reads every answer from the store, and `failed.py` tells it what has none.
"""
