"""享受申请审批表: one application with the opinions of each step (domain §2.4)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import timezone

from eldercare.facts import completed_years
from eldercare.models import BankAccount
from operations.chinese_money import chinese_money
from operations.models import AuditEntry
from operations.papers import pdf
from operations.plain_workbook import plain_workbook
from organization.areas import county_code
from organization.models import User
from subsidies.applications import version_on
from subsidies.choices import ApplicationState, Channel
from subsidies.models import Application, Entitlement
from subsidies.papers.head import Head, day_words, head_of, moment, month_words
from subsidies.papers.places import Places


@dataclass(frozen=True)
class Opinion:
    """One step: whose opinion, what it says, who and when; '' where it is still to come."""

    title: str
    text: str
    person: str
    at: str


@dataclass(frozen=True)
class ApplicationPaper:
    """The form. facts: label and text, in printed order."""

    head: Head
    number: str
    item: str
    facts: tuple[tuple[str, str], ...]
    opinions: tuple[Opinion, ...]

    @property
    def title(self) -> str:
        """Name of the form."""
        return f"{self.item}申请审批表"


def application_paper(application: Application, actor: User) -> ApplicationPaper:
    """Everything that the form says about an application."""
    county = county_code(application.area_code)
    elder, places = application.elder, Places(county)
    account = BankAccount.objects.filter(elder=elder, valid__contains=timezone.localdate()).first()
    version = version_on(application.item, application.applied_on)
    basis = f"《{application.item.document.title}》{version.clause}" if version else ""
    agent = "　".join(part for part in (application.agent_name, application.agent_relation) if part)
    facts = (
        ("姓名", elder.name),
        ("性别", elder.sex),
        ("年龄", f"{completed_years(elder.birth_date, application.applied_on)} 周岁"),
        ("民族", elder.ethnicity),
        ("证件号码", elder.masked_id_number),
        ("联系电话", elder.masked_phone if elder.phone_cipher else ""),
        ("村（社区）", places.village(application.area_code)),
        ("住址", elder.address),
        ("开户行", account.bank if account else ""),
        ("账号尾号", account.masked_account[-4:] if account else ""),
        ("申请项目", str(application.item)),
        ("政策依据", basis),
        ("申请日期", day_words(application.applied_on)),
        ("申请方式", str(Channel(application.channel).label)),
        ("代办人", agent),
        ("月标准", _standard(application)),
        ("起始月", month_words(application.first_month) if application.first_month else ""),
        ("情况说明", application.note),
    )
    number = f"{application.applied_on:%Y%m}-{application.pk:06d}"
    return ApplicationPaper(
        head_of(county, actor), number, application.item.name, facts, _opinions(application)
    )


def application_pdf(paper: ApplicationPaper) -> bytes:
    """The form as PDF."""
    data: dict[str, Any] = {
        "title": paper.title,
        "made": paper.head.made(),
        "number": paper.number,
        "facts": dict(paper.facts),
        "opinions": [vars(opinion) for opinion in paper.opinions],
    }
    return pdf(template="application.typ", data=data)


def application_xlsx(paper: ApplicationPaper) -> bytes:
    """The form as a workbook: label and text, then the opinions."""
    opinions = [(o.title, o.text, o.person, o.at) for o in paper.opinions]
    rows = [(paper.title,), ("申请编号", paper.number), *paper.facts, *opinions, *paper.head.about()]
    return plain_workbook("审批表", rows, headings=1, widths=(16, 40, 16, 20))


def _opinions(application: Application) -> tuple[Opinion, ...]:
    state, refusal = application.state, application.refusal
    refused = state == ApplicationState.REJECTED
    check = approve = ""
    if application.checked_by is not None:
        said = AuditEntry.objects.filter(subject=f"application:{application.pk}", action="审核申请").first()
        check = (said.data.get("note", "") if said else "") or "审核通过。"
    elif refused:
        check = f"不予批准：{refusal}"
    if refused and application.checked_by is not None:
        approve = f"不予批准：{refusal}"
    elif application.approved_by is not None and application.first_month is not None:
        approve = f"批准，自{month_words(application.first_month)}起发放。"
        if application.notice_until is not None:
            approve += f"公示至{day_words(application.notice_until)}。"
    if state == ApplicationState.WITHDRAWN:
        approve = f"申请已撤回：{refusal}"
    maker = Opinion("村（社区）或受理人意见", "", str(application.made_by), moment(application.made_at))
    checker = Opinion(
        "镇（街）审核意见", check, _name(application.checked_by), moment(application.checked_at)
    )
    chief = Opinion(
        "县民政局审批意见", approve, _name(application.approved_by), moment(application.approved_at)
    )
    return maker, checker, chief


def _name(user: User | None) -> str:
    return str(user) if user else ""


def _standard(application: Application) -> str:
    """元 a month as the newest decided month priced it; '' if none did."""
    rows = Entitlement.objects.filter(elder=application.elder, item=application.item, rev_to=None)
    amount: Decimal | None = rows.order_by("-month").values_list("amount", flat=True).first()
    return f"{amount:,.2f} 元（{chinese_money(amount)}）" if amount else "以当月核定为准"
