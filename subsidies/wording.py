"""Short Chinese remarks on lines."""

from subsidies.choices import Outcome
from subsidies.selectors import Line


def line_remark(line: Line) -> str:
    """Why the line is as it is, where its outcome does not say it."""
    if line.winner is not None:
        return f"已享受 {line.winner.code} {line.winner.name}"
    if line.outcome == Outcome.NOT_APPLIED:
        return "符合条件，尚未登记享受或已停发"
    if line.outcome == Outcome.SUSPENDED:
        return "享受登记已暂停"
    if line.pending:
        return "待定标准：文件未给出金额，只核定不发放"
    return ""
