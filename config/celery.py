"""The Celery app: Redis rings the bell, PostgreSQL holds every job's truth."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("portal")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# handlers of background jobs that fill a file of their own
for name in ("batch_tasks", "bank_tasks", "paper_tasks"):
    app.autodiscover_tasks(related_name=name)
