"""Visits, obligations and the monthly rate."""
