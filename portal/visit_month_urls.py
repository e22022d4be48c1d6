"""Routes of the visit rate, the month's report and the frozen figure."""

from django.urls import URLPattern, URLResolver, path

from portal.views import visit_months, visit_rates

MONTH = "visits/<month:month>/"

pages: list[URLPattern | URLResolver] = [
    path("months/<month:month>/visits/", visit_rates.month_visits, name="month-visits"),
    path("visits/rates/", visit_rates.visit_rates_newest, name="visit-rates-newest"),
    path("visits/months/", visit_months.visit_month_list, name="visit-month-list"),
    path(f"{MONTH}rates/", visit_rates.visit_rates, name="visit-rates"),
    path(f"{MONTH}rates/export.<file:kind>", visit_rates.visit_rates_export, name="visit-rates-export"),
    path(f"{MONTH}trend/", visit_rates.visit_trend, name="visit-trend"),
    path(f"{MONTH}report/", visit_months.visit_month, name="visit-month"),
    path(f"{MONTH}report/accept/", visit_months.visit_month_accepted, name="visit-month-accept"),
    path(f"{MONTH}report/<str:area>/submit/", visit_months.visit_month_send, name="visit-month-submit"),
    path(
        f"{MONTH}report/<str:area>/withdraw/", visit_months.visit_month_take_back, name="visit-month-withdraw"
    ),
    path(
        f"{MONTH}report/<str:area>/send-back/", visit_months.visit_month_returned, name="visit-month-return"
    ),
    path(f"{MONTH}snapshot/", visit_months.visit_snapshot, name="visit-snapshot"),
    path(f"{MONTH}snapshot.json", visit_months.visit_snapshot_file, name="visit-snapshot-file"),
]
