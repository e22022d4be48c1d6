"""Applications of the demonstration: some of those who may apply have, the others are who services should find."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from catalog.models import Item
from eldercare.models import Elder
from operations.crypto import blind_index
from portal.demo.areas import COUNTY
from portal.demo.chance import Weighted, chance
from portal.demo.people import Person
from subsidies.choices import EnrolmentState
from subsidies.models import Enrolment

# Item code of the list → who could apply, and the share of them who did.
APPLICANTS: Final[Mapping[str, tuple[Callable[[Person], bool], float]]] = {
    "L15": (lambda person: person.no_supporter, 0.6),
    "L18": (lambda person: person.allowance, 0.55),
    "L24": (lambda person: person.destitute == "分散", 0.4),
    "L26": (lambda person: bool(person.family_planning), 0.4),
}
STATES: Final = Weighted(
    {EnrolmentState.RECEIVING: 90.0, EnrolmentState.SUSPENDED: 5.0, EnrolmentState.ENDED: 5.0}
)


def enrolment_rows(people: Iterable[Person], months: Sequence[date], seed: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of an enrolment file; most begin with the first month, some later, a few end or rest."""
    random = chance(seed, "enrolments")
    for person in people:
        for code, (may_apply, share) in APPLICANTS.items():
            if may_apply(person) and random.random() < share:
                state = STATES.draw(random)
                first = months[0] if random.random() < 0.7 else random.choice(months)
                last = f"{months[-2]:%Y-%m}" if state is EnrolmentState.ENDED else ""
                first = min(first, months[-2])
                yield person.number, code, f"{first:%Y-%m}", last, state.value


def enrolments_make(people: Iterable[Person], months: Sequence[date], seed: int) -> int:
    """Write the enrolments of the roster's people; return how many. The same again adds none."""
    rows = list(enrolment_rows(people, months, seed))
    elders = {
        bytes(index): pk
        for index, pk in Elder.objects.filter(
            id_number_index__in=[blind_index(number) for number, *_ in rows]
        ).values_list("id_number_index", "pk")
    }
    items = dict(Item.objects.filter(document__area_id=COUNTY).values_list("code", "pk"))
    enrolments = [
        Enrolment(
            elder_id=elders[blind_index(number)],
            item_id=items[code],
            first_month=date.fromisoformat(f"{first}-01"),
            last_month=date.fromisoformat(f"{last}-01") if last else None,
            state=state,
        )
        for number, code, first, last, state in rows
    ]
    Enrolment.objects.bulk_create(enrolments, ignore_conflicts=True)
    return len(enrolments)
