"""From annotated problems to a training set."""
