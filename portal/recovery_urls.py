"""Routes of recovery cases."""

from django.urls import URLPattern, URLResolver, path

from portal.views import recoveries, recovery_steps

pages: list[URLPattern | URLResolver] = [
    path("recoveries/", recoveries.recovery_list, name="recovery-list"),
    path("recoveries/find/", recoveries.recoveries_find, name="recoveries-find"),
    path("recoveries/candidates/", recoveries.candidate_list, name="recovery-candidates"),
    path("recoveries/open/", recoveries.recoveries_open, name="recoveries-open"),
    path("recoveries/<int:pk>/", recoveries.recovery_detail, name="recovery-detail"),
    path("recoveries/<int:pk>/consent.file", recoveries.recovery_paper, name="recovery-paper"),
    path("recoveries/<int:pk>/notify/", recovery_steps.notify, name="recovery-notify"),
    path("recoveries/<int:pk>/consent/", recovery_steps.consent, name="recovery-consent"),
    path("recoveries/<int:pk>/repay/", recovery_steps.repay, name="recovery-repay"),
    path("recoveries/<int:pk>/reverse/", recovery_steps.reverse_repaid, name="recovery-reverse"),
    path("recoveries/<int:pk>/reopen/", recovery_steps.reopen, name="recovery-reopen"),
    path("recoveries/<int:pk>/request/", recovery_steps.ask, name="recovery-request"),
    path("recoveries/<int:pk>/decide/", recovery_steps.decide, name="recovery-decide"),
    path("elders/<int:pk>/recoveries/", recoveries.elder_recoveries, name="elder-recoveries"),
]
