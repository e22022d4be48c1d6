"""Taking in a file of visits: all of it or nothing, with what is wrong row by row, and the template."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from catalog.choices import VisitMode
from operations.commands import Refused
from operations.plain_workbook import plain_workbook
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires
from portal.exports import attachment
from portal.forms import SheetForm
from visits.choices import Result
from visits.services.visit import VisitsImported, visits_import
from visits.visit_file import columns

SHOWN: Final = 100
WIDTHS: Final = (40, 24, 20, 10, 14, 12, 40)


@requires(Permission.VISIT_IMPORT)
@require_http_methods(["GET", "POST"])
def visit_import(request: SignedInRequest) -> HttpResponse:
    """Upload a file; the answer says what was stored, or every row that stands in the way."""
    form = SheetForm(request.POST or None, request.FILES or None)
    result: VisitsImported | None = None
    refused: dict[str, Any] = {}
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            result = visits_import(content=file.read(), name=file.name, actor=request.user)
        except Refused as refusal:
            refused = {"said": str(refusal).split("\n")[0], **refusal.details}
    context = {
        "form": form,
        "result": result,
        "refused": refused,
        "warnings": result.warnings[:SHOWN] if result else (),
        "columns": [column.name for column in columns(timezone.now())],
        "modes": VisitMode.values,
        "results": Result.values,
    }
    return render(request, "portal/visit_import.html", context, status=400 if form.errors else 200)


@requires(Permission.VISIT_IMPORT)
@require_GET
def visit_template(request: SignedInRequest) -> HttpResponse:
    """The file's columns as an empty workbook, every cell of it text."""
    heads = [column.name for column in columns(timezone.now())]
    return attachment(plain_workbook("探访记录", [heads], headings=1, widths=WIDTHS), "探访记录模板.xlsx")
