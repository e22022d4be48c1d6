"""Routes of printed papers."""

from django.urls import URLPattern, URLResolver, path, register_converter

from portal.converters import ChangeConverter, PaperFormConverter
from portal.views import papers

register_converter(PaperFormConverter, "form")
register_converter(ChangeConverter, "change")

pages: list[URLPattern | URLResolver] = [
    path("papers/batches/<int:pk>/register.<form:form>", papers.paper_register, name="paper-register"),
    path("papers/batches/<int:pk>/approval.<form:form>", papers.paper_approval, name="paper-approval"),
    path(
        "papers/months/<month:month>/<change:change>.<form:form>", papers.paper_changes, name="paper-changes"
    ),
    path("papers/months/<month:month>/notices.<form:form>", papers.paper_notices, name="paper-notices"),
    path("papers/elders/<int:pk>/<month:month>/notice.pdf", papers.paper_notice, name="paper-notice"),
    path("papers/applications/<int:pk>/form.<form:form>", papers.paper_application, name="paper-application"),
    path("papers/recoveries/<int:pk>/notice.<form:form>", papers.paper_recovery, name="paper-recovery"),
    path("papers/jobs/<uuid:job_id>/", papers.paper_job, name="paper-job"),
    path("papers/jobs/<uuid:job_id>/file/", papers.paper_file, name="paper-file"),
]
