"""The folder that a dataset stage writes and the next one reads."""
