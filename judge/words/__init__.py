"""The words of which plain assertions are built, and those that tell with what force one speaks."""
