"""Reads of the registry that files of other apps need."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from eldercare.models import Elder
from operations.crypto import blind_index
from organization.models import User

LOOK_UP: Final = 5_000


@dataclass(frozen=True, slots=True)
class KnownElder:
    """Who stands behind an ID number, and where."""

    pk: int
    hukou_code: str
    residence_code: str


def elders_by_number(numbers: Iterable[str], actor: User | None) -> dict[str, KnownElder]:
    """ID number → elder of those who are registered and, where an actor is given, within his scope."""
    by_index = {blind_index(number): number for number in sorted(numbers)}
    known = Elder.objects.visible_to(actor) if actor else Elder.objects.all()
    found: dict[str, KnownElder] = {}
    indexes = list(by_index)
    for start in range(0, len(indexes), LOOK_UP):
        some = known.filter(id_number_index__in=indexes[start : start + LOOK_UP])
        rows = some.values_list("id_number_index", "id", "hukou_code", "residence_code")
        for index, pk, hukou, residence in rows:
            found[by_index[bytes(index)]] = KnownElder(pk, hukou, residence)
    return found
