"""Reading a spreadsheet that somebody sent: refused before it hurts, then cell by cell. Knows no Django."""
