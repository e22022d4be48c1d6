"""The way of a roster from cells to the registry."""
