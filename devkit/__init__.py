"""What dev.py does inside the environment: embedded servers, the running portal, the checks. Standard library only."""
