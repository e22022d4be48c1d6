"""What visits of a county may find: its own list where it has one in force, else the nearest above it."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property

from catalog.models import FindingKind
from catalog.policy import PolicyFinding
from organization.models import Bureau


class FindingList:
    """The words of a county and of the areas above it, over all days; `kinds`: nearest and latest list first.

    A bureau of a list above stands for the county's that shares a name or alias with it.
    """

    def __init__(self, county_code: str, kinds: Sequence[FindingKind]) -> None:
        self.county_code = county_code
        self.kinds = kinds

    def on(self, day: date) -> tuple[PolicyFinding, ...]:
        """Give the words in force on the day, in order."""
        in_force = [kind for kind in self.kinds if day in kind.valid]
        listed: dict[str, FindingKind] = {}
        for kind in in_force:
            if kind.document.area_id == in_force[0].document.area_id:
                listed.setdefault(kind.code, kind)
        return tuple(
            [
                PolicyFinding(
                    code=kind.code,
                    name=kind.name,
                    group=kind.group,
                    risk=kind.risk,
                    hours=kind.hours,
                    bureau_id=self._bureau_here(kind.bureau),
                )
                for kind in sorted(listed.values(), key=lambda kind: (kind.order, kind.code))
            ]
        )

    def _bureau_here(self, bureau: Bureau | None) -> int | None:
        if bureau is None or bureau.area_id == self.county_code:
            return None if bureau is None else bureau.pk
        words = (bureau.name, *bureau.aliases)
        return next((self._bureaus[word] for word in words if word in self._bureaus), None)

    @cached_property
    def _bureaus(self) -> dict[str, int]:
        """Names and aliases of the county's bureaus, also without the 县, 区 or 市 before them → primary key."""
        return {
            word: bureau.pk
            for bureau in Bureau.objects.filter(area=self.county_code)
            for name in (*bureau.aliases, bureau.name)
            for word in (name, name[1:] if name[0] in "县区市" else name)
        }
