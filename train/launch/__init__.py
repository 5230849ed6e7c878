"""Configurations for `accelerate launch`."""
