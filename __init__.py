"""pr1: visual annotations and perception rewards for training vision-language models."""

__version__ = "0.1.0"
