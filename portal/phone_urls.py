"""Routes under /m/: the phone's pages, and what it asks in the background."""

from django.urls import URLPattern, URLResolver, path

from portal.views import phone_pages, phone_sync

pages: list[URLPattern | URLResolver] = [
    path("m/", phone_pages.shell, name="phone-shell"),
    path("m/sw.js", phone_pages.service_worker, name="phone-worker"),
    path("m/manifest.webmanifest", phone_pages.manifest, name="phone-manifest"),
    path("m/login/", phone_pages.sign_in, name="phone-login"),
    path("m/logout/", phone_pages.sign_out, name="phone-logout"),
    path("m/data/", phone_sync.data, name="phone-data"),
    path("m/sync/", phone_sync.sync, name="phone-sync"),
    path("m/photos/<uuid:photo_id>/", phone_sync.photo, name="phone-photo"),
    path("m/replay/", phone_sync.replay, name="phone-replay"),
    path("m/call/", phone_sync.call, name="phone-call"),
]
