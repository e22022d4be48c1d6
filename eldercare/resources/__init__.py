"""The roster's columns, and the way of small files through the admin."""
