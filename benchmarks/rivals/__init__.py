"""The same work done in other ways, written apart from our code."""
