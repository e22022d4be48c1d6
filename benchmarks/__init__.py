"""Measurements beside rivals that do the same work: `manage.py benchmark month|import|pages`."""
