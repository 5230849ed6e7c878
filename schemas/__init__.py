"""Records that flow between rooms, run configurations, errors, the completion format."""
