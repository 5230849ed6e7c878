"""The prompts, as data; a change of one changes its hash in the manifest."""
