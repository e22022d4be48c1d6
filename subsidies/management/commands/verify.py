"""verify: every invariant, one line each."""

from typing import Any

from operations.commands import JsonCommand, Refused
from subsidies.invariants import invariants_check


class Command(JsonCommand):
    """Print one line per invariant to stderr and the numbers as JSON; exit code 1 if any is broken."""

    help = "检查全部不变式，每条一行；有一条不成立则退出码为 1"

    def answer(self, **options: Any) -> dict[str, Any]:
        findings = invariants_check()
        for finding in findings:
            self.stderr.write(f"{'✗' if finding.broken else '✓'} {finding.name}：{finding.broken} 处不符")
        broken = {finding.name: finding.broken for finding in findings if finding.broken}
        if broken:
            raise Refused(f"{len(broken)} 条不变式不成立", invariants=len(findings), broken=broken)
        return {"invariants": len(findings), "broken": {}}
