"""Path parts of the portal's URLs."""

from datetime import date


class MonthConverter:
    """A month as 2026-11; in Python its first day."""

    regex = r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])"

    def to_python(self, value: str) -> date:
        """First day of the month."""
        return date.fromisoformat(f"{value}-01")

    def to_url(self, value: date | str) -> str:
        """2026-11."""
        return value if isinstance(value, str) else f"{value:%Y-%m}"


class FileKindConverter:
    """The kind of a downloaded list."""

    regex = "csv|xlsx"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


class PaperFormConverter(FileKindConverter):
    """The form of a printed paper."""

    regex = "pdf|xlsx"


class ChangeConverter(FileKindConverter):
    """What a list of changes against the month before holds."""

    regex = "new|stopped|changed"
