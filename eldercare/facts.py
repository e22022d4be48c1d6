"""Facts as of a day, in SQL: one row per elder out of the dated circumstances.

The builders return SQL text with dates and codes as literals; relations are named by the caller.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from eldercare.choices import Kind
from eldercare.vocabulary import FROM_CIRCUMSTANCE, FactColumn
from organization.areas import area_prefix
from rules import FactType


@dataclass(frozen=True)
class Reading:
    """How a set of facts is read: circumstances as of `day`, age as of `age_day`.

    present_after: who died or moved out on a day before it is not among the persons.
    """

    day: date
    age_day: date
    present_after: date


@dataclass(frozen=True)
class Persons:
    """A relation with columns id, birth_date and sex, and the range of its ids: only that part need be read."""

    relation: str
    lowest: int
    highest: int

    def own(self, column: str) -> str:
        """SQL condition that a column lies within the range."""
        return f"{column} BETWEEN {self.lowest} AND {self.highest}"


@dataclass(frozen=True)
class FactsPolicy:
    """What policy says about reading facts (contract «Semantics pinned»).

    valid_months: months for which an ability level is known; age_from_next_day: 周岁 counts from the day after.
    """

    county_code: str
    valid_months: int
    age_from_next_day: bool


def month_last_day(month: date) -> date:
    """Return the last day of the month whose first day is given."""
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def opening_reading(month: date) -> Reading:
    """期初: circumstances on the first day, age on the last day of the month before (design §2 step 1)."""
    return Reading(day=month, age_day=month - timedelta(days=1), present_after=month)


def closing_reading(month: date) -> Reading:
    """期末: everything on the last day, only who is alive and not moved out that day (design §2 step 1)."""
    last = month_last_day(month)
    return Reading(day=last, age_day=last, present_after=last + timedelta(days=1))


def completed_years(birth: date, day: date) -> int:
    """Return completed years on a day; the birthday counts, 29 Feb counts on 28 Feb in common years."""
    return day.year - birth.year - ((birth.month, birth.day) > _month_day(day))


def age_sql(birth: str, day: date) -> str:
    """SQL of `completed_years` for a birth-date column."""
    month, day_of_month = _month_day(day)
    return (
        f"({day.year} - extract(year FROM {birth})::int"
        f" - (extract(month FROM {birth}) * 100 + extract(day FROM {birth}) > {month * 100 + day_of_month})::int)"
    )


def age_day(reading: Reading, policy: FactsPolicy) -> date:
    """Return the day on which the birthday must have come."""
    return reading.age_day - timedelta(days=1) if policy.age_from_next_day else reading.age_day


def facts_select(reading: Reading, policy: FactsPolicy, persons: Persons) -> str:
    """SELECT of one row per elder of `persons` who is among the county's persons; `changed` is handed through."""
    prefix = area_prefix(policy.county_code)
    facts = ",\n".join(f"{_pivot(column)} AS {column.column}" for column in FROM_CIRCUMSTANCE)
    residence = "coalesce(p.residence_code, p.hukou_code)"
    return f"""
        SELECT r.id AS elder_id,
               CASE WHEN {_here("p.hukou_code", prefix)} THEN p.hukou_code ELSE {residence} END AS area_code,
               p.hukou_code, {residence} AS residence_code, p.death_date, p.moved_out_date, r.birth_date,
               {age_sql("r.birth_date", age_day(reading, policy))}::smallint AS age, r.sex,
               coalesce({_here("p.hukou_code", prefix)}, false) AS hukou_here,
               coalesce({_here(residence, prefix)}, false) AS resident_here,
               {", ".join(f"p.{column.column}" for column in FROM_CIRCUMSTANCE)}, r.changed
        FROM {persons.relation} r
        JOIN (
            SELECT c.elder_id,
                   max(c.value) FILTER (WHERE c.kind = '{Kind.HUKOU}') AS hukou_code,
                   max(c.value) FILTER (WHERE c.kind = '{Kind.RESIDENCE}') AS residence_code,
                   min(lower(c.valid)) FILTER (WHERE c.kind = '{Kind.DEATH}') AS death_date,
                   min(lower(c.valid)) FILTER (WHERE c.kind = '{Kind.MOVED_OUT}') AS moved_out_date,
                   {facts}
            FROM {persons.relation} r JOIN eldercare_circumstance c ON c.elder_id = r.id
            WHERE {persons.own("c.elder_id")} AND {_holds(reading.day)}
              AND (c.kind <> '{Kind.ABILITY_LEVEL}' OR date '{reading.day}' < {_expiry(policy)})
            GROUP BY c.elder_id
        ) p ON p.elder_id = r.id
        WHERE ({_here("p.hukou_code", prefix)} OR {_here(residence, prefix)})
          AND (p.death_date IS NULL OR p.death_date >= date '{reading.present_after}')
          AND (p.moved_out_date IS NULL OR p.moved_out_date >= date '{reading.present_after}')
    """


def census_select(month: date, policy: FactsPolicy, persons: Persons) -> str:
    """SELECT (id, birth_date, sex, changed, opening, closing): who is among the county's persons in which reading.

    Counted from areas, deaths and moves alone, apart from `facts_select`: the two must agree. changed: facts may differ
    between the readings, because a circumstance begins or ends or a birthday comes in between.
    """
    opening, closing = opening_reading(month), closing_reading(month)
    prefix = area_prefix(policy.county_code)
    return f"""
        SELECT r.id, r.birth_date, r.sex, counted.opening, counted.closing,
               counted.moved OR {age_sql("r.birth_date", age_day(opening, policy))}
                             <> {age_sql("r.birth_date", age_day(closing, policy))} AS changed
        FROM {persons.relation} r
        JOIN (
            SELECT c.elder_id, {_present(opening, prefix)} AS opening, {_present(closing, prefix)} AS closing,
                   coalesce(bool_or(true) FILTER (WHERE {_moves(opening.day, closing.day, policy)}), false) AS moved
            FROM {persons.relation} r JOIN eldercare_circumstance c ON c.elder_id = r.id
            WHERE {persons.own("c.elder_id")}
            GROUP BY c.elder_id
        ) counted ON counted.elder_id = r.id"""


def _moves(after: date, until: date, policy: FactsPolicy) -> str:
    """A circumstance begins, ends or is no longer known on a day after `after` up to `until`."""
    inside = f"> date '{after}' AND {{0}} <= date '{until}'"
    lower, upper, expiry = "lower(c.valid)", "upper(c.valid)", _expiry(policy)
    # the first condition is cheap and rules nearly every row out
    return (
        f"(c.kind = '{Kind.ABILITY_LEVEL}' OR NOT c.valid @> daterange('{after}', '{until}', '[]'))"
        f" AND ({lower} {inside.format(lower)} OR {upper} {inside.format(upper)}"
        f" OR c.kind = '{Kind.ABILITY_LEVEL}' AND {expiry} {inside.format(expiry)})"
    )


def _holds(day: date) -> str:
    """A circumstance's range holds the day; IS TRUE keeps the slow index of the exclusion constraint out."""
    return f"(c.valid @> date '{day}') IS TRUE"


def _present(reading: Reading, prefix: str) -> str:
    held = _holds(reading.day)
    return (
        f"bool_or(c.kind IN ('{Kind.HUKOU}', '{Kind.RESIDENCE}') AND {held} AND {_here('c.value', prefix)})"
        f" AND NOT bool_or(c.kind IN ('{Kind.DEATH}', '{Kind.MOVED_OUT}') AND {held}"
        f" AND lower(c.valid) < date '{reading.present_after}')"
    )


def _expiry(policy: FactsPolicy) -> str:
    """First day on which an ability level is no longer known."""
    return f"(lower(c.valid) + interval '{policy.valid_months} months')::date"


def _month_day(day: date) -> tuple[int, int]:
    """Month and day up to which birthdays have come; 28 Feb of a common year takes 29 Feb along."""
    is_leap = day.year % 4 == 0 and (day.year % 100 != 0 or day.year % 400 == 0)
    return (2, 29) if (day.month, day.day) == (2, 28) and not is_leap else (day.month, day.day)


def _here(code: str, prefix: str) -> str:
    return f"starts_with({code}, '{prefix}')"


def _pivot(column: FactColumn) -> str:
    held = f"FILTER (WHERE c.kind = '{column.kind}')"
    if column.fact.type is FactType.BOOLEAN:
        return f"coalesce(bool_or(true) {held}, false)"
    value = f"(max(c.value) {held})"
    if column.fact.type is FactType.NUMBER:
        return f"{value}::smallint"
    return value if column.absent is None else f"coalesce({value}, '{column.absent}')"
