"""Elders, households, dated circumstances, facts as of a day, roster import."""
