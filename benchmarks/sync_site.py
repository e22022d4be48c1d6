"""The portal with the rival's route beside its own, so that the same processes serve both."""

from django.urls import URLPattern, URLResolver, include, path

from benchmarks.rivals.sync_row_by_row import sync

OURS = "/m/sync/"
RIVAL = "/m/rival/"  # a phone's session opens nothing else

urlpatterns: list[URLPattern | URLResolver] = [
    path(RIVAL.removeprefix("/"), sync),
    path("", include("config.urls")),
]
