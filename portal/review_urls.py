"""Routes of the monthly review by exception."""

from django.urls import URLPattern, URLResolver, path

from portal.views import anomalies, reviews

pages: list[URLPattern | URLResolver] = [
    path("months/<month:month>/review/", reviews.month_review, name="month-review"),
    path("months/<month:month>/anomalies/", anomalies.anomaly_list, name="anomaly-list"),
    path("months/<month:month>/anomalies/decide/", anomalies.anomalies_decide, name="anomalies-decide"),
]
