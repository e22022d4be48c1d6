"""Settings, URLs and the Celery app: the only package that knows every app."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
