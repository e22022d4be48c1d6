"""Elders as lists and exports show them: masked, with names of areas and pills of circumstances."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from eldercare.facts import completed_years
from eldercare.models import Circumstance, Elder
from portal.pills import Pill, pills_of
from portal.places import place_names

CHUNK: Final = 2000
HEADINGS: Final = ("姓名", "证件号码", "性别", "年龄", "户籍", "居住", "情形", "联系电话")


@dataclass(frozen=True)
class ElderRow:
    """One line of a list of elders."""

    pk: int
    name: str
    id_number: str
    sex: str
    age: int
    hukou: str
    residence: str
    pills: list[Pill]
    phone: str

    def cells(self) -> tuple[str | int, ...]:
        """The line in the order of HEADINGS."""
        words = "、".join(pill.text for pill in self.pills)
        return (self.name, self.id_number, self.sex, self.age, self.hukou, self.residence, words, self.phone)


def present_circumstances(pks: Iterable[int], day: date) -> dict[int, list[tuple[str, str]]]:
    """Return elder id → (kind, value) pairs that hold on the day."""
    held: dict[int, list[tuple[str, str]]] = defaultdict(list)
    rows = Circumstance.objects.filter(elder_id__in=list(pks), valid__contains=day)
    for pk, kind, value in rows.values_list("elder_id", "kind", "value"):
        held[pk].append((kind, value))
    return held


def elder_rows(elders: list[Elder]) -> list[ElderRow]:
    """Lines of these elders as of today, in two queries."""
    day = timezone.localdate()
    held = present_circumstances((elder.pk for elder in elders), day)
    places = place_names({code for elder in elders for code in (elder.hukou_code, elder.residence_code)})
    return [
        ElderRow(
            pk=elder.pk,
            name=elder.name,
            id_number=elder.masked_id_number,
            sex=elder.sex,
            age=completed_years(elder.birth_date, day),
            hukou=places.get(elder.hukou_code, ""),
            residence=""
            if elder.residence_code == elder.hukou_code
            else places.get(elder.residence_code, ""),
            pills=pills_of(held[elder.pk]),
            phone=elder.masked_phone,
        )
        for elder in elders
    ]


def all_rows(queryset: QuerySet[Elder]) -> Iterator[ElderRow]:
    """Every line of a list in order of its key, CHUNK elders in memory at a time."""
    last = 0
    while chunk := list(queryset.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield from elder_rows(chunk)
        last = chunk[-1].pk
