"""What every paper carries: the sending office, who made it and when, and a number by which the audit log knows it."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.utils import timezone

from organization.areas import county_code
from organization.models import Area, Letterhead, User

PDF: Final = "application/pdf"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
OBJECTION: Final = (
    "对本文书有异议的，可以到村（居）民委员会、镇（街）或者本局说明情况，书面或者口头提出复核；"
    "也可以依法申请行政复议或者提起行政诉讼。"
)


@dataclass(frozen=True)
class PaperFile:
    """A finished paper. mark: its 文件编号, printed on every page and kept in the audit chain."""

    name: str
    content: bytes
    mime: str
    mark: str


@dataclass(frozen=True)
class Head:
    """Sender and maker of a paper; '' prints as a blank line."""

    county: str
    unit: str
    phone: str
    address: str
    refund_account: str
    objection: str
    maker: str
    maker_unit: str
    made_at: datetime
    mark: str

    def made(self) -> dict[str, str]:
        """What the foot of every page says."""
        return {
            "maker": self.maker,
            "unit": self.maker_unit,
            "at": f"{timezone.localtime(self.made_at):%Y-%m-%d %H:%M}",
            "mark": self.mark,
        }

    def sender(self) -> dict[str, str]:
        """The office as notices print it, and today's date."""
        return {
            "unit": self.unit,
            "phone": self.phone,
            "address": self.address,
            "refund_account": self.refund_account,
            "objection": self.objection,
            "on": day_words(timezone.localdate(self.made_at)),
        }

    def about(self) -> list[tuple[str, ...]]:
        """Rows above or below a workbook's table: who made it and when."""
        made = self.made()
        return [
            ("制表人", f"{self.maker}（{self.maker_unit}）"),
            ("制表时间", made["at"]),
            ("文件编号", self.mark),
        ]


def head_of(county: str, actor: User) -> Head:
    """Sender and maker for papers of a county."""
    name = Area.objects.filter(code=county).values_list("name", flat=True).first() or county
    letterhead = Letterhead.objects.filter(area_id=county).first()
    return Head(
        county=name,
        unit=letterhead.unit if letterhead else f"{name}民政局",
        phone=letterhead.phone if letterhead else "",
        address=letterhead.address if letterhead else "",
        refund_account=letterhead.refund_account if letterhead else "",
        objection=(letterhead.objection if letterhead else "") or OBJECTION,
        maker=str(actor),
        maker_unit=_unit_of(actor, county),
        made_at=timezone.now(),
        mark=uuid.uuid4().hex[:8].upper(),
    )


def month_words(month: date) -> str:
    """2024年11月."""
    return f"{month.year}年{month.month}月"


def day_words(day: date | None) -> str:
    """2024年11月5日; '' for no day."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def moment(at: datetime | None) -> str:
    """2024-11-21 10:05 in local time; '' for none."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


def plain(value: Any) -> str:
    """A value of a form's cell; '' for none."""
    return "" if value is None else str(value)


def _unit_of(actor: User, county: str) -> str:
    """Bureau or area of the actor's role in the county."""
    for assignment in actor.active_assignments:
        if county_code(assignment.area_id) == county:
            return str(assignment.bureau or assignment.area)
    return ""
