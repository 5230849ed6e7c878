"""Rewards, GRPO on TRL, recipes, and the miniature experiment."""
