"""Builders of visits for page tests."""

from datetime import date, datetime
from io import BytesIO
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.db.backends.postgresql.psycopg_any import DateRange
from PIL import Image

from catalog.models import Document, VisitTier
from eldercare.models import Elder
from operations.services.stored_file import stored_file_create
from tests.conftest import COUNTY
from visits.models import Obligation, Visit, VisitPhoto

SHANGHAI = ZoneInfo("Asia/Shanghai")
MARCH = date(2026, 3, 1)


def visit(elder: Elder, at: str = "2026-03-10 10:00", **more: object) -> Visit:
    """A record at a local time; by default seen at home, by 周访's phone."""
    values: dict[str, object] = {
        "id": uuid4(),
        "mode": "上门",
        "result": "见到本人",
        "visitor": "周访",
        "channel": "手机",
    }
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    return Visit.objects.create(elder=elder, at=moment, **(values | more))


def owe(elder: Elder, month: date = MARCH) -> Obligation:
    """Let the elder be seen once in the month, in any mode."""
    document, _ = Document.objects.get_or_create(
        code="tiers", defaults={"title": "测试清单", "issued": date(2020, 1, 1), "area_id": COUNTY}
    )
    tier, _ = VisitTier.objects.get_or_create(
        document=document,
        code="month",
        defaults={
            "name": "每月探访",
            "rule": "居住在本县",
            "per": "月",
            "times": 1,
            "modes": ["上门", "电话", "视频"],
            "order": 1,
            "valid": DateRange(date(2020, 1, 1), None),
        },
    )
    return Obligation.objects.create(
        month=month, county_code=COUNTY, elder=elder, tier=tier, area_code=elder.residence_code, due=1
    )


def photo(record: Visit, colour: str = "teal", fingerprint: int = 1) -> tuple[VisitPhoto, bytes]:
    """A stored photo of the record and its plain bytes."""
    stream = BytesIO()
    Image.new("RGB", (16, 12), colour).save(stream, "JPEG")
    file = stored_file_create(name="p.jpg", content=stream.getvalue())
    return VisitPhoto.objects.create(visit=record, file=file, fingerprint=fingerprint), stream.getvalue()
