"""Routes of follow-ups."""

from django.urls import URLPattern, URLResolver, path

from portal.views import follow_up_steps, follow_ups

pages: list[URLPattern | URLResolver] = [
    path("follow-ups/", follow_ups.follow_up_list, name="follow-up-list"),
    path("follow-ups/accept/", follow_up_steps.accept, name="follow-ups-accept"),
    path("follow-ups/<int:pk>/", follow_ups.follow_up_detail, name="follow-up-detail"),
    path("follow-ups/<int:pk>/photos/<uuid:photo_id>/", follow_ups.photo, name="follow-up-photo"),
    path("follow-ups/<int:pk>/step/", follow_up_steps.step, name="follow-up-step"),
    path("follow-ups/<int:pk>/hand-on/", follow_up_steps.hand_on, name="follow-up-hand-on"),
    path("follow-ups/<int:pk>/confirm/", follow_up_steps.confirm, name="follow-up-confirm"),
]
