"""Days of birth for a filter by age, the inverse of `eldercare.facts.completed_years`."""

from calendar import isleap
from datetime import date


def latest_birth_date(age: int, day: date) -> date:
    """Return the latest day of birth of somebody who has completed `age` years on the day.

    The birthday counts, 29 February counts on 28 February of a common year (contract «Facts on day D»).
    """
    year = day.year - age
    if day.month == 2 and day.day >= 28 and not (isleap(day.year) and day.day == 28):
        return date(year, 2, 29 if isleap(year) else 28)
    return day.replace(year=year)
