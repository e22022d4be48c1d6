"""Routes of certification rounds."""

from django.urls import URLPattern, URLResolver, path

from portal.views import certifications

pages: list[URLPattern | URLResolver] = [
    path("certifications/", certifications.certification_list, name="certification-list"),
    path("certifications/new/", certifications.certification_new, name="certification-new"),
    path("certifications/<int:pk>/", certifications.certification_detail, name="certification-detail"),
    path("certifications/<int:pk>/find/", certifications.certification_find, name="certification-find"),
    path("certifications/<int:pk>/record/", certifications.certification_record, name="certification-record"),
]
