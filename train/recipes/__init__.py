"""Recipes: what a run trains, on what, and how."""
