"""Ability assessments (rooms come with their issue)."""
