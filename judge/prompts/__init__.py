"""What the judge is told."""
