"""Routes of visit records, their photos, and call backs."""

from django.urls import URLPattern, URLResolver, path

from portal.views import call_backs, visit_records

pages: list[URLPattern | URLResolver] = [
    path("visits/records/", visit_records.record_list, name="visit-record-list"),
    path("visits/records/find/", visit_records.record_find, name="visit-record-find"),
    path("visits/records/return/", visit_records.records_return, name="visit-records-return"),
    path("visits/records/export.<file:kind>", visit_records.record_export, name="visit-record-export"),
    path("visits/records/<uuid:pk>/", visit_records.record_detail, name="visit-record-detail"),
    path("visits/photos/<uuid:pk>/", visit_records.photo, name="visit-photo"),
    path("visits/call-backs/", call_backs.call_back_list, name="call-back-list"),
    path("visits/call-backs/draw/", call_backs.draw, name="call-back-draw"),
    path("visits/call-backs/<int:pk>/", call_backs.call_back_detail, name="call-back-detail"),
    path("visits/call-backs/<int:pk>/<int:call_id>/", call_backs.call_back_record, name="call-back-record"),
    path(
        "visits/call-backs/<int:pk>/<int:call_id>/phone/",
        call_backs.call_back_phone,
        name="call-back-phone",
    ),
]
