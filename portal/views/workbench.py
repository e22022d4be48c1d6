"""The first page after signing in: what to do, how the month stands, what runs."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from operations.models import Job, Todo
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires, user_may
from portal.figures import MONTHS_SHOWN, amount_chart, month_figures
from portal.scope import months_of, todos_for
from portal.visit_figures import visit_figures

TODOS_SHOWN = 10
JOBS_SHOWN = 5


@requires(Permission.SIGNED_IN)
@require_GET
def workbench(request: SignedInRequest) -> HttpResponse:
    """My to-dos, the newest month's figures with the trend, my jobs."""
    user = request.user
    months = (
        list(months_of(user).order_by("-month")[:MONTHS_SHOWN])
        if user_may(user, Permission.MONTH_VIEW)
        else []
    )
    figures = [month_figures(month, user) for month in reversed(months)]
    context = {
        "todos": todos_for(user, Todo.objects.filter(done_at=None)).select_related("area")[:TODOS_SHOWN],
        "today": timezone.localdate(),
        "figures": figures,
        "newest": figures[-1] if figures else None,
        "chart": amount_chart(figures),
        "visited": visit_figures(months[0], user) if months else None,
        "jobs": Job.objects.filter(created_by=user)[:JOBS_SHOWN],
    }
    return render(request, "portal/workbench.html", context)
