"""What of the month rests on a roster that somebody wants to take back."""

from django.db.models import Exists, OuterRef

from eldercare.models import ImportBatch, ImportChange, MonthlyFacts
from subsidies.models import Month


def months_resting(batch: ImportBatch) -> list[str]:
    """Sentences that name the months decided since the batch was written, with persons whom it changed."""
    changed = ImportChange.objects.filter(batch=batch, before__isnull=False).values("elder_id")
    decided_with = MonthlyFacts.objects.filter(
        month=OuterRef("month"), county_code=OuterRef("county_code"), elder_id__in=changed
    )
    months = Month.objects.filter(Exists(decided_with), published_at__gt=batch.committed_at).order_by("month")
    return [f"改动的人已按新资料进入 {month.month:%Y-%m} 的月度核定" for month in months]
