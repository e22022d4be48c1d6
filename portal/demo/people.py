"""Invented elders of a county with plausible shares of everything that a list asks about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final

from eldercare.choices import Sex
from portal.demo.areas import NEIGHBOUR_VILLAGE
from portal.demo.chance import Weighted, chance
from portal.demo.names import person_name
from portal.demo.numbers import DISABILITY_TYPES, IdNumbers, bank_account, phone

# Shares of the elders by completed years, as an ageing rural county has them.
PYRAMID: Final = Weighted(
    {(60, 64): 27.0, (65, 69): 25.0, (70, 74): 20.0, (75, 79): 13.2, (80, 84): 8.6, (85, 89): 4.4, (90, 94): 1.4,
     (95, 99): 0.32, (100, 104): 0.08}
)  # fmt: skip
ETHNICITIES: Final = Weighted({"汉族": 94.0, "回族": 2.5, "彝族": 1.6, "苗族": 1.0, "满族": 0.5, "白族": 0.4})
DISABILITIES: Final = Weighted(
    dict(zip(DISABILITY_TYPES, (12.0, 15.0, 2.0, 55.0, 4.0, 6.0, 6.0), strict=True))
)
DISABILITY_LEVELS: Final = Weighted({1: 12.0, 2: 25.0, 3: 30.0, 4: 33.0})
ABILITY_LEVELS: Final = Weighted({0: 34.0, 1: 30.0, 2: 18.0, 3: 12.0, 4: 6.0})
SELF_CARE: Final = Weighted({"全自理": 62.0, "半护理": 26.0, "全护理": 12.0})
LIVING: Final = Weighted(
    {(): 76.0, ("独居",): 9.5, ("空巢",): 7.0, ("留守",): 4.5, ("独居", "空巢"): 2.0, ("空巢", "留守"): 1.0}
)
FAMILY_PLANNING: Final = Weighted({"": 99.3, "独生子女死亡": 0.4, "独生子女伤残": 0.3})
VETERANS: Final = Weighted(
    {"": 97.2, "带病回乡退伍军人": 0.8, "参战退役人员": 0.8, "在乡老复员军人": 0.4, "烈士遗属": 0.8}
)
PENSIONS: Final = Weighted({"城乡居民": 86.0, "职工": 10.0, "": 4.0})
BANKS: Final = ("青禾农村商业银行", "青禾县邮政储蓄", "青禾村镇银行")
CARD_YEARS: Final = 10
SIXTY: Final = 21_916  # days until a sixtieth birthday, at most


@dataclass(slots=True)
class Person:
    """One elder as a roster row tells it; '' or None: nothing stated.

    since: 起始日期 of the row where it differs from the file's as-of day. stated_birth: the ID number holds no real
    date; the card was checked and the birthday is stated beside it.
    """

    number: str
    name: str
    sex: Sex
    birth: date
    hukou: str
    residence: str = ""
    ethnicity: str = "汉族"
    group: int = 1
    phone: str = ""
    head: str = ""
    relation: str = ""
    destitute: str = ""
    self_care: str = ""
    allowance: bool = False
    marginal: bool = False
    living: tuple[str, ...] = ()
    family_planning: str = ""
    veteran: str = ""
    disability: str = ""
    disability_level: int | None = None
    card_until: date | None = None
    long_term_care: bool = False
    ability: int | None = None
    assessed: date | None = None
    institution: str = ""
    pension: str = ""
    pension_in_pay: bool = False
    no_supporter: bool = False
    regular_pension: bool = False
    dementia: bool = False
    care_insurance: bool = False
    death: date | None = None
    moved_out: date | None = None
    since: date | None = None
    bank: str = ""
    account: str = ""
    contact: str = ""
    contact_phone: str = ""
    stated_birth: bool = False
    note: str = ""

    @property
    def is_present(self) -> bool:
        """Neither dead nor moved out."""
        return self.death is None and self.moved_out is None


class Population:
    """Draws elders one after the other. villages: 12-digit codes; as_of: the day the roster describes."""

    def __init__(self, *, seed: int, villages: Sequence[str], as_of: date) -> None:
        self.random = chance(seed, "people")
        self.as_of = as_of
        self.numbers = IdNumbers()
        # Communities of a 街道 have several times the people of a village.
        self.villages = Weighted(
            {
                code: self.random.uniform(0.5, 1.5) * (2.5 if int(code[6:9]) < 100 else 1.0)
                for code in villages
            }
        )

    def draw(self, count: int) -> Iterator[Person]:
        """Yield `count` elders; married couples follow each other."""
        made = 0
        while made < count:
            person = self.single(_birth(self.random, self.as_of))
            yield person
            made += 1
            if made < count and self._is_married(person):
                yield self._spouse(person)
                made += 1

    def single(self, birth: date) -> Person:
        """Return one elder with everything about them."""
        random = self.random
        sex = _sex(random, self.as_of.year - birth.year)
        person = Person(
            number=self.numbers.take(birth, sex),
            name=person_name(random, sex),
            sex=sex,
            birth=birth,
            hukou=self.villages.draw(random),
            ethnicity=ETHNICITIES.draw(random),
            group=random.randint(1, 9),
            pension=PENSIONS.draw(random),
        )
        person.pension_in_pay = bool(person.pension) and random.random() < 0.98
        self._give_means(person)
        self._give_needs(person)
        self._give_place(person)
        self._give_household(person)
        self._give_numbers(person)
        return person

    def _give_means(self, person: Person) -> None:
        """特困 1.2 %, 低保 6 %, 低保边缘 1.5 %, one excluding the other; and who lives how."""
        random, luck = self.random, self.random.random()
        person.living = LIVING.draw(random)
        if luck < 0.0145:
            person.self_care = SELF_CARE.draw(random)
            person.destitute = "集中" if luck < 0.005 else "分散"
            person.institution = "特困供养机构" if person.destitute == "集中" else ""
            person.living = () if person.institution else person.living or ("独居",)
            return
        person.allowance = luck < 0.0745
        person.marginal = 0.0745 <= luck < 0.09
        person.family_planning = FAMILY_PLANNING.draw(random)
        person.veteran = VETERANS.draw(random)
        person.regular_pension = bool(person.veteran) and random.random() < 0.7
        person.no_supporter = person.regular_pension and random.random() < 0.15
        person.care_insurance = person.pension == "职工" and random.random() < 0.4
        if luck > 0.994:
            person.institution = "养老机构" if luck > 0.995 else "医院"

    def _give_needs(self, person: Person) -> None:
        """Disability cards for 8 %, assessments for a quarter of those over 80 and a few others."""
        random, age = self.random, self.as_of.year - person.birth.year
        if random.random() < 0.08:
            level = DISABILITY_LEVELS.draw(random)
            person.disability, person.disability_level = DISABILITIES.draw(random), level
            # one in six runs out within the months of the demonstration or soon after
            days = (
                random.randint(40, 300) if random.random() < 0.16 else random.randint(300, 365 * CARD_YEARS)
            )
            person.card_until = self.as_of + timedelta(days=days)
            person.long_term_care = level <= 2 and random.random() < 0.6
        person.dementia = random.random() < (0.04 if age >= 80 else 0.004)
        if random.random() < (0.26 if age >= 80 else 0.03):
            person.ability = ABILITY_LEVELS.draw(random)
            person.assessed = self.as_of - timedelta(days=random.randint(0, 300))

    def _give_place(self, person: Person) -> None:
        """A few live in another village, a few come from the neighbouring county or live there."""
        luck = self.random.random()
        if luck < 0.03:
            person.residence = self.villages.draw(self.random)
        elif luck < 0.037:
            person.residence = NEIGHBOUR_VILLAGE
        elif luck < 0.042:
            person.hukou, person.residence = NEIGHBOUR_VILLAGE, person.hukou

    def _give_household(self, person: Person) -> None:
        """A third live in a child's household, whose head is not in the registry."""
        random = self.random
        if random.random() < 0.35 and not person.destitute and "独居" not in person.living:
            birth = date(random.randint(1965, 1990), random.randint(1, 12), random.randint(1, 28))
            person.head = self.numbers.take(birth, Sex.MALE)
            person.relation = "父" if person.sex is Sex.MALE else "母"

    def _give_numbers(self, person: Person) -> None:
        """Phones for most, an account for nearly all, someone to call for half."""
        random = self.random
        person.phone = phone(random) if random.random() < 0.8 else ""
        if random.random() < 0.92:
            person.bank, person.account = random.choice(BANKS), bank_account(random)
        if random.random() < 0.5:
            person.contact, person.contact_phone = person_name(random, Sex.MALE), phone(random)

    def _is_married(self, person: Person) -> bool:
        alone = person.destitute or person.institution or "独居" in person.living
        return not alone and self.as_of.year - person.birth.year < 88 and self.random.random() < 0.42

    def _spouse(self, person: Person) -> Person:
        """The other half of a couple: own facts, the same house; the husband is the head."""
        random = self.random
        sex = Sex.FEMALE if person.sex is Sex.MALE else Sex.MALE
        latest = self.as_of - timedelta(days=SIXTY)
        birth = person.birth + timedelta(days=random.randint(-1_800, 1_800))
        birth = min(birth, latest - (birth - latest))
        spouse = self.single(birth)
        if spouse.sex is not sex:
            spouse.number, spouse.sex = self.numbers.take(birth, sex), sex
            spouse.name = person_name(random, sex)
        if not (person.head and spouse.head):
            spouse.relation = "配偶"
        spouse.head = person.head or person.number
        spouse.hukou, spouse.residence, spouse.group = person.hukou, person.residence, person.group
        spouse.living = tuple(tag for tag in person.living if tag == "空巢")
        spouse.allowance, spouse.marginal = person.allowance, person.marginal
        spouse.destitute = spouse.self_care = spouse.institution = ""
        spouse.no_supporter = False
        return spouse


def _birth(random: Random, as_of: date) -> date:
    first, last = PYRAMID.draw(random)
    return as_of - timedelta(
        days=random.randint(first * 365 + first // 4 + 1, (last + 1) * 365 + last // 4 - 1)
    )


def _sex(random: Random, age: int) -> Sex:
    """Women are half of those of sixty and two thirds of those of ninety."""
    return Sex.FEMALE if random.random() < 0.5 + max(0, age - 60) * 0.0055 else Sex.MALE
