"""Paired tests, intervals, power and false-discovery control."""
