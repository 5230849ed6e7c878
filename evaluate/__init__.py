"""Comparing two models by what each got right."""
