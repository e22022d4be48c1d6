"""Routes of enrolments, applications and 漏享."""

from django.urls import URLPattern, URLResolver, path

from portal.views import application_steps, applications, enrolments, missed

pages: list[URLPattern | URLResolver] = [
    path("months/<month:month>/missed/", missed.missed, name="missed"),
    path("months/<month:month>/missed/apply/", missed.missed_apply, name="missed-apply"),
    path("applications/", applications.application_list, name="application-list"),
    path("applications/new/", applications.application_new, name="application-new"),
    path("applications/check/", application_steps.applications_check, name="applications-check"),
    path("applications/approve/", application_steps.applications_approve, name="applications-approve"),
    path("applications/<int:pk>/", applications.application_detail, name="application-detail"),
    path("applications/<int:pk>/reasons/", applications.application_reasons, name="application-reasons"),
    path("applications/<int:pk>/check/", application_steps.application_check_one, name="application-check"),
    path(
        "applications/<int:pk>/approve/",
        application_steps.application_approve_one,
        name="application-approve",
    ),
    path(
        "applications/<int:pk>/refuse/", application_steps.application_refuse_one, name="application-refuse"
    ),
    path(
        "applications/<int:pk>/withdraw/",
        application_steps.application_withdraw_one,
        name="application-withdraw",
    ),
    path("elders/<int:pk>/enrolments/", enrolments.elder_enrolments, name="elder-enrolments"),
    path("elders/<int:pk>/enrolments/change/", enrolments.enrolment_change, name="enrolment-change"),
]
