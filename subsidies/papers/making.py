"""Making a paper that was ordered: at once or in the background, audited either way."""

import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Final, NamedTuple

from eldercare.models import Elder
from operations.services.audit import audit_record
from organization.models import User
from subsidies.models import Application, Batch, Month, Recovery
from subsidies.papers.application import application_paper, application_pdf, application_xlsx
from subsidies.papers.approval import approval_of, approval_pdf, approval_xlsx
from subsidies.papers.changes import TITLES, change_rows, changes_of, changes_sheet
from subsidies.papers.head import PDF, XLSX, PaperFile
from subsidies.papers.notice import notice_rows, notices_of, notices_pdf, notices_sheet
from subsidies.papers.recovery import recovery_number, recovery_paper, recovery_pdf, recovery_xlsx
from subsidies.papers.register import NOT_PAID, register_of, register_payments, register_sheet
from subsidies.papers.sheet import Sheet, sheet_pdfs, sheet_xlsx

ZIP: Final = "application/zip"
MIMES: Final = {"pdf": PDF, "xlsx": XLSX, "zip": ZIP}


@dataclass(frozen=True)
class Order:
    """Which paper is wanted. form: pdf or xlsx. target: primary key of the batch, month, application or recovery.

    change: new, stopped or changed; elder, item: primary keys that narrow the paper down.
    """

    paper: str
    form: str
    target: int
    change: str = ""
    elder: int | None = None
    item: int | None = None

    def params(self) -> dict[str, str | int | None]:
        """The order as a job's parameters; Order(**params) gives it back."""
        return asdict(self)


class Made(NamedTuple):
    """A paper on its way. act: the audit's verb; subject: whom or what it is about."""

    name: str
    content: bytes
    mark: str
    act: str
    subject: str
    form: str
    lines: int = 1


def paper_make(*, order: Order, actor: User, address: str = "") -> PaperFile:
    """Make the paper for what the actor may see, and write it down in the audit chain.

    Raises MoneyRefusedError where there is nothing to print.
    """
    made = MAKERS[order.paper](order, actor)
    data = {"form": order.form, "lines": made.lines, "mark": made.mark, **_narrowed(order)}
    audit_record(action=made.act, subject=made.subject, actor=actor, data=data, address=address)
    return PaperFile(f"{made.name}.{made.form}", made.content, MIMES[made.form], made.mark)


def order_size(*, order: Order, actor: User) -> int:
    """Rows that the paper would have."""
    match order.paper:
        case "register":
            batch = Batch.objects.get(pk=order.target)
            return register_payments(batch, actor, order.item).exclude(state__in=NOT_PAID).count()
        case "changes":
            month = Month.objects.get(pk=order.target)
            return change_rows(month, order.change, actor, order.item).count()
        case "notice" if order.elder is None:
            rows = notice_rows(Month.objects.get(pk=order.target), actor)
            return sum(each.count() for each in rows)
    return 1


def _register(order: Order, actor: User) -> Made:
    register = register_of(Batch.objects.select_related("month").get(pk=order.target), actor, order.item)
    name, lines = f"发放清册-{register.batch.number}", len(register.lines)
    subject = f"batch:{register.batch.number}"
    return _listed(
        register_sheet(register),
        order,
        Made(name, b"", register.head.mark, "导出发放清册", subject, "", lines),
    )


def _changes(order: Order, actor: User) -> Made:
    changes = changes_of(Month.objects.get(pk=order.target), order.change, actor, order.item)
    title, month = TITLES[order.change], changes.month
    subject = f"month:{month.county_code}:{month}"
    made = Made(f"{title}-{month}", b"", changes.head.mark, f"导出{title}", subject, "", len(changes.lines))
    return _listed(changes_sheet(changes), order, made)


def _notice(order: Order, actor: User) -> Made:
    month = Month.objects.get(pk=order.target)
    elder = Elder.objects.get(pk=order.elder) if order.elder else None
    notices = notices_of(month, actor, elder)
    subject = f"elder:{elder.pk}" if elder else f"month:{month.county_code}:{month}"
    name = f"告知书-{month}" + (f"-{elder.pk}" if elder else "")
    made = Made(name, b"", notices.head.mark, "打印停发变更告知书", subject, "pdf", len(notices.items))
    if order.form == "pdf":
        return made._replace(content=notices_pdf(notices))
    return _listed(notices_sheet(notices), order, made._replace(name=f"告知书送达登记表-{month}"))


def _application(order: Order, actor: User) -> Made:
    application = Application.objects.select_related("elder", "item__document").get(pk=order.target)
    paper = application_paper(application, actor)
    content = application_pdf(paper) if order.form == "pdf" else application_xlsx(paper)
    subject = f"application:{application.pk}"
    return Made(f"审批表-{paper.number}", content, paper.head.mark, "打印申请审批表", subject, order.form)


def _approval(order: Order, actor: User) -> Made:
    approval = approval_of(Batch.objects.select_related("month", "made_by").get(pk=order.target), actor)
    content = approval_pdf(approval) if order.form == "pdf" else approval_xlsx(approval)
    number = approval.batch.number
    subject = f"batch:{number}"
    return Made(f"发放审批单-{number}", content, approval.head.mark, "打印发放审批单", subject, order.form)


def _recovery(order: Order, actor: User) -> Made:
    case = Recovery.objects.select_related("elder", "item", "run").get(pk=order.target)
    paper = recovery_paper(case, actor)
    content = recovery_pdf(paper) if order.form == "pdf" else recovery_xlsx(paper)
    name, subject = f"追缴通知书-{recovery_number(case)}", f"recovery:{case.pk}"
    return Made(name, content, paper.head.mark, "打印追缴通知书", subject, order.form)


MAKERS: Final[dict[str, Callable[[Order, User], Made]]] = {
    "register": _register,
    "changes": _changes,
    "notice": _notice,
    "application": _application,
    "approval": _approval,
    "recovery": _recovery,
}


def _listed(sheet: Sheet, order: Order, made: Made) -> Made:
    """A list as workbook, as one PDF, or as several volumes in a zip."""
    if order.form == "xlsx":
        return made._replace(content=sheet_xlsx(sheet), form="xlsx")
    volumes = sheet_pdfs(sheet)
    if len(volumes) == 1:
        return made._replace(content=volumes[0], form="pdf")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        for number, volume in enumerate(volumes, 1):
            file.writestr(f"{made.name}-第{number}册.pdf", volume)
    return made._replace(content=packed.getvalue(), form="zip")


def _narrowed(order: Order) -> dict[str, str | int]:
    return {name: value for name in ("change", "item") if (value := getattr(order, name))}
