"""dev.py inside its environment: embedded servers, the running portal, the checks; standard library only."""
