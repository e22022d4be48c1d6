"""The first page after signing in: what to do, how the month stands, what runs."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from operations.models import Job, Todo
from organization.choices import Permission
from organization.permissions import SignedInRequest, requires, user_may
from portal.figures import MONTHS_SHOWN, amount_chart, change_figures, month_figures
from portal.money_figures import paid_figures
from portal.queues import queues_for, warnings_of
from portal.scope import months_of, todos_for
from portal.visit_figures import visit_figures
from portal.visit_queues import visit_queues
from subsidies.missed import missed_list

TODOS_SHOWN = 10
JOBS_SHOWN = 5


@requires(Permission.SIGNED_IN)
@require_GET
def workbench(request: SignedInRequest) -> HttpResponse:
    """What waits for me, my to-dos, the newest month's figures with the trend, my jobs."""
    user = request.user
    months = (
        list(months_of(user).order_by("-month")[:MONTHS_SHOWN])
        if user_may(user, Permission.MONTH_VIEW)
        else []
    )
    figures = [month_figures(month, user) for month in reversed(months)]
    newest = months[0] if months else None
    today = timezone.localdate()
    warnings = warnings_of(user, newest, today)
    missed = missed_list(newest, user).order_by().count() if newest else 0
    queues = [*visit_queues(user, timezone.now()), *queues_for(user, newest, warnings, missed, today)]
    sees_visits = user_may(user, Permission.VISIT_VIEW)
    sees_money = newest is not None and user_may(user, Permission.PAYMENT_VIEW)
    context = {
        "queues": queues,
        "waiting": sum(queue.count for queue in queues if queue.decides),
        "warnings": warnings,
        "missed": missed,
        "paid": paid_figures(newest, user) if newest and sees_money else None,
        "todos": todos_for(user, Todo.objects.filter(done_at=None)).select_related("area")[:TODOS_SHOWN],
        "today": today,
        "figures": figures,
        "newest": figures[-1] if figures else None,
        "chart": amount_chart(figures),
        "changes": change_figures(newest, user) if newest else None,
        "visited": visit_figures(newest.month, user) if newest and sees_visits else None,
        "jobs": Job.objects.filter(created_by=user)[:JOBS_SHOWN],
    }
    return render(request, "portal/workbench.html", context)
