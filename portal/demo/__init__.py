"""The demonstration county: fictional areas, persons, updates, accounts and months."""
