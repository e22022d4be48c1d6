"""Keeping files encrypted and reading them back."""

import hashlib
from pathlib import Path

from django.core.files.base import ContentFile

from operations.crypto import provider
from operations.models import StoredFile
from organization.models import User


def stored_file_create(*, name: str, content: bytes, created_by: User | None = None) -> StoredFile:
    """Keep a file under a random name, encrypted; the digest is of the plain content."""
    stored = StoredFile(
        name=Path(name).name[-255:],
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        created_by=created_by,
    )
    stored.content.save(f"{stored.id}.bin", ContentFile(provider().encrypt(content)), save=False)
    stored.save()
    return stored


def stored_file_read(*, stored: StoredFile) -> bytes:
    """Return the plain content. Raises DecryptionError if the file was touched."""
    with stored.content.open("rb") as handle:
        return provider().decrypt(handle.read())
