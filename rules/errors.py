"""What a clerk is told when a rule cannot be accepted."""


class RuleError(ValueError):
    """A rule was refused: where (1-based line and column), why, and what could stand there."""

    def __init__(self, message: str, line: int = 1, column: int = 1, expected: tuple[str, ...] = ()) -> None:
        # all four go to Exception.args, so that the error survives pickling between processes
        super().__init__(message, line, column, expected)
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected

    def __str__(self) -> str:
        return f"第 {self.line} 行第 {self.column} 列：{self.message}"
