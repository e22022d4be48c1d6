"""Routes of batches, bank files, reconciliation and settings of payment."""

from django.urls import URLPattern, URLResolver

pages: list[URLPattern | URLResolver] = []
