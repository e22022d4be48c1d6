"""People who take an application through its steps, and the way through all of them at once."""

from dataclasses import dataclass
from datetime import date

from catalog.models import Item
from eldercare.models import Elder
from organization.choices import Role
from organization.models import User
from subsidies.models import Application, PaymentTerms
from subsidies.services.application import application_approve, application_check, application_make
from tests.conftest import COUNTY, TOWN_A, make_user


@dataclass(frozen=True)
class Staff:
    """Three persons for the three steps."""

    clerk: User
    lead: User
    chief: User


def make_staff() -> Staff:
    """A clerk and a lead of 甲镇, and the county's chief."""
    return Staff(
        make_user("app_clerk", Role.TOWNSHIP_CLERK, TOWN_A),
        make_user("app_lead", Role.TOWNSHIP_LEAD, TOWN_A),
        make_user("app_chief", Role.BUREAU_CHIEF, COUNTY),
    )


def terms(code: str, **given: object) -> PaymentTerms:
    """Payment terms of an item; paid by the portal from 2023 on unless said otherwise."""
    values: dict[str, object] = {"first_month": date(2023, 1, 1)} | given
    return PaymentTerms.objects.create(item=Item.objects.get(code=code), **values)


def apply(elder: Elder, code: str, staff: Staff, on: date | None = None) -> Application:
    """Hand in an application of the elder himself."""
    item = Item.objects.get(code=code)
    return application_make(
        elder=elder, item=item, channel="本人", actor=staff.clerk, applied_on=on
    ).application


def approved(elder: Elder, code: str, staff: Staff, on: date | None = None) -> Application:
    """Take an application through all three steps, approved on the day of the application."""
    made = apply(elder, code, staff, on)
    application_check(application_id=made.pk, actor=staff.lead)
    return application_approve(application_id=made.pk, actor=staff.chief, today=on)
