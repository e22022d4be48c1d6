"""Which batches, lines and money figures of counties a user may see or work on."""

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404

from organization.areas import COUNTY_DIGITS
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from portal.scope import place_of
from subsidies.choices import BatchState
from subsidies.models import Batch, Payment


def covers(user: User, county_code: str, permission: Permission = Permission.PAYMENT_VIEW) -> bool:
    """Tell whether the user has the permission for the whole county."""
    return any(county_code.startswith(prefix) for prefix in user.area_prefixes(permission))


def batches_of(user: User, permission: Permission = Permission.PAYMENT_VIEW) -> QuerySet[Batch]:
    """Batches of the counties in which the user has the permission; a draft only for who covers its county."""
    found = Q(pk__in=[])
    for prefix in user.area_prefixes(permission):
        whole = Q(county_code__startswith=prefix[:COUNTY_DIGITS])
        found |= whole if len(prefix) <= COUNTY_DIGITS else whole & ~Q(state=BatchState.DRAFT)
    return Batch.objects.filter(found)


def batch_or_404(user: User, pk: int, permission: Permission = Permission.PAYMENT_VIEW) -> Batch:
    """A batch that the user may see or, with another permission, work on."""
    rows = batches_of(user, permission).select_related(
        "month", "made_by", "bank_file__profile", "bank_file__made_by"
    )
    batch = rows.filter(pk=pk).first()
    if batch is None:
        raise Http404
    return batch


def payments_of(
    batch: Batch, user: User, permission: Permission = Permission.PAYMENT_VIEW
) -> QuerySet[Payment]:
    """Lines of a batch: all for who covers its county, elsewhere those of the user's own villages."""
    rows: QuerySet[Payment] = batch.payments.all()
    if covers(user, batch.county_code, permission):
        return rows
    return in_areas(rows, user.area_prefixes(permission), "area_code")


def county_of(user: User, permission: Permission) -> str:
    """The user's county for pages about the money of a whole county. Raises PermissionDenied for a smaller area."""
    county = place_of(user).county_code
    if not county or not covers(user, county, permission):
        raise PermissionDenied(f"{Permission(permission).label}（需要全县范围）")
    return county
