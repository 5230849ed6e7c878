"""Deciding which proposed facts are visual annotations, and which of them say the same."""
