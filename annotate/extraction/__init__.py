"""Proposing visual facts: by rules, by a language model, or by both."""
