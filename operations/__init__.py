"""Background jobs, to-dos, the audit chain, stored files and field encryption."""
