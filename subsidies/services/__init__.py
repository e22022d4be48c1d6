"""Writes of the month."""
