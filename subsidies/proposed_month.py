"""The first month that an application is to be paid from: proposed by the item's terms, or chosen by the approver."""

from datetime import date

from subsidies.applications import Standing, standing_of, version_on
from subsidies.choices import FirstMonth
from subsidies.first_month import earliest_month, first_month, month_of, months_later
from subsidies.models import Application, PaymentTerms
from subsidies.refusals import MoneyRefusedError


def first_month_proposed(application: Application, terms: PaymentTerms | None, today: date) -> date:
    """First month paid by the item's terms (审批次月 without any), after whatever an earlier enrolment paid."""
    lookback, standing = _lookback(application), _standing(application)
    applied = month_of(application.applied_on)
    since = standing.eligible_since or applied
    month = first_month(
        terms.start if terms else FirstMonth.AFTER_APPROVED,
        application.applied_on,
        today,
        lookback,
        # what was given up is not paid back by asking for it again
        max(since, applied) if standing.renounced else since,
    )
    return max(month, months_later(standing.paid_through, 1)) if standing.paid_through else month


def first_month_checked(application: Application, wanted: date | None, proposed: date) -> date:
    """The approver's month, or the proposed one; what was paid before is not paid again."""
    if wanted is None:
        return proposed
    if wanted.day != 1:
        raise MoneyRefusedError("起始月应是某月的 1 日；请选择月份")
    earliest = earliest_month(application.applied_on, _lookback(application))
    paid = _standing(application).paid_through
    if paid is not None and wanted <= paid:
        raise MoneyRefusedError(f"以前的登记已发到 {paid:%Y-%m}；起始月请选在此之后")
    if wanted < earliest:
        raise MoneyRefusedError(f"按可补发月数最早从 {earliest:%Y-%m} 起；请选择这个月或以后的月份")
    return wanted


def _lookback(application: Application) -> int:
    """Months back that the item may still pay, by what is in force when it is asked for."""
    version = version_on(application.item, application.applied_on)
    return version.lookback if version else 0


def _standing(application: Application) -> Standing:
    earliest = earliest_month(application.applied_on, _lookback(application))
    return standing_of(application.elder, application.item, earliest)
