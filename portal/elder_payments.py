"""What an elder was paid: the newest lines, each with where it stands, for who may see payments."""

from typing import Final

from eldercare.models import Elder
from organization.choices import Permission
from organization.models import User
from organization.querysets import in_areas
from portal.payment_rows import PaymentRow, payment_rows
from subsidies.choices import BatchState
from subsidies.models import Payment

SHOWN: Final = 12


def payments_of_elder(elder: Elder, user: User) -> list[PaymentRow]:
    """The newest lines of an elder that lie in the user's areas, drafts and void batches left out."""
    rows = Payment.objects.filter(elder=elder).exclude(batch__state__in=[BatchState.DRAFT, BatchState.VOID])
    prefixes = user.area_prefixes(Permission.PAYMENT_VIEW)
    rows = in_areas(rows, prefixes, "area_code") | in_areas(rows, prefixes, "batch__county_code")
    newest = rows.select_related("elder", "item", "batch").order_by("-month", "-pk")[:SHOWN]
    return payment_rows(newest)
