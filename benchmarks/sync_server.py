"""What gunicorn serves while the sync is measured: the portal under the routes of `benchmarks.sync_site`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.ROOT_URLCONF = "benchmarks.sync_site"
application = get_wsgi_application()
