"""What is wrong with a pack, collected so that the writer can mend everything at once."""

from collections.abc import Iterable


class PackError(ValueError):
    """A pack was refused; `faults` are Chinese sentences «where：what is wrong，what to write»."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults)

    def __str__(self) -> str:
        return "\n".join(self.faults)


class Faults(list[str]):
    """Faults found so far."""

    def add(self, where: str, what: str) -> None:
        """Note a fault at a place such as items[L19].rule."""
        self.append(f"{where}：{what}")
