"""The words by which rules read a trajectory, as data."""
