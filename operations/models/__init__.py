"""Models of running the system."""

from operations.models.audit import AuditEntry
from operations.models.job import Job
from operations.models.stored_file import StoredFile
from operations.models.todo import Todo

__all__ = ["AuditEntry", "Job", "StoredFile", "Todo"]
