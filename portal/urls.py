"""Routes of the pages; every view declares its permission."""

from django.urls import URLPattern, URLResolver, include, path

from portal import certification_urls, enrolment_urls, paper_urls, payment_urls, recovery_urls, review_urls
from portal.views import (
    elder,
    elders,
    favicon,
    guide,
    health,
    imports,
    items,
    jobs,
    lines,
    months,
    session,
    workbench,
)

pages: list[URLPattern | URLResolver] = [
    path("", workbench.workbench, name="workbench"),
    path("elders/", elders.elder_list, name="elder-list"),
    path("elders/find/", elders.elder_find, name="elder-find"),
    path("elders/export.<file:kind>", elders.elder_export, name="elder-export"),
    path("elders/<int:pk>/", elder.elder_detail, name="elder-detail"),
    path("elders/<int:pk>/services/", elder.elder_services, name="elder-services"),
    path("elders/<int:pk>/reveal/", elder.elder_reveal, name="elder-reveal"),
    path("areas/<str:code>/children/", elders.area_children, name="area-children"),
    path("imports/", imports.import_list, name="import-list"),
    path("imports/template/", imports.import_template, name="import-template"),
    path("imports/<int:pk>/", imports.import_detail, name="import-detail"),
    path("imports/<int:pk>/commit/", imports.import_commit, name="import-commit"),
    path("imports/<int:pk>/discard/", imports.import_discard, name="import-discard"),
    path("imports/<int:pk>/undo/", imports.import_undo, name="import-undo"),
    path("imports/<int:pk>/errors/", imports.import_errors, name="import-errors"),
    path("jobs/<uuid:job_id>/", jobs.job_progress, name="job-progress"),
    path("months/", months.month_list, name="month-list"),
    path("months/run/", months.month_start, name="month-start"),
    path("months/<month:month>/", months.month_detail, name="month-detail"),
    path("months/<month:month>/lines/", lines.month_lines, name="month-lines"),
    path("months/<month:month>/lines/find/", lines.lines_find, name="lines-find"),
    path("months/<month:month>/lines/export.<file:kind>", lines.lines_export, name="lines-export"),
    path("months/<month:month>/adjustments/", lines.month_adjustments, name="month-adjustments"),
    path(
        "months/<month:month>/adjustments/export.<file:kind>",
        lines.adjustments_export,
        name="adjustments-export",
    ),
    path("months/<month:month>/visits/", months.month_visits, name="month-visits"),
    path("months/<month:month>/counts/<int:item_id>/", months.month_counts, name="month-counts"),
    path("items/", items.item_list, name="item-list"),
    path("items/<int:pk>/", items.item_detail, name="item-detail"),
    path("guide/", guide.guide, name="guide"),
    path("guide/<slug:slug>/", guide.guide, name="guide-page"),
    *review_urls.pages,
    *enrolment_urls.pages,
    *certification_urls.pages,
    *recovery_urls.pages,
    *payment_urls.pages,
    *paper_urls.pages,
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("favicon.ico", favicon.favicon, name="favicon"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("login/", session.sign_in, name="login"),
    path("logout/", session.sign_out, name="logout"),
    *payment_urls.doors,
    path("", include((pages, "portal"))),
]
