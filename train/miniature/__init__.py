"""The claim of the paper in miniature, on a laptop."""
