"""Routes of applications, enrolments, certification, review and recovery."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
