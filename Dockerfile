# The portal's image: web, worker, beat and migrate all run from it (docker-compose.yml).
# Written and checked without a container engine: not built on the machine where it was written.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /app
COPY requirements.txt .
RUN pip install --require-hashes -r requirements.txt

COPY . .
ENV PORTAL_STATIC_ROOT=/app/staticfiles PORTAL_DATA=/data
# settings want their variables; collectstatic opens no database and signs nothing, so these are never used again
RUN PORTAL_SECRET_KEY="$(head -c 48 /dev/urandom | base64)" PORTAL_FIELD_KEYS='{}' \
    DATABASE_URL=postgresql://build/portal REDIS_URL=redis://build/0 \
    python manage.py collectstatic --noinput --verbosity 0 \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin portal \
 && install -d -o portal -g portal -m 0700 /data
USER portal
VOLUME /data
EXPOSE 8000

# asked under the portal's own name: any other host name is refused before the view
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 \
  CMD ["python", "-c", "import http.client as h, os; web = h.HTTPConnection('127.0.0.1', 8000, timeout=8); web.request('GET', '/healthz', headers={'Host': os.environ.get('PORTAL_ALLOWED_HOSTS', 'localhost').split(',')[0]}); raise SystemExit(web.getresponse().status != 200)"]

CMD ["gunicorn", "config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", \
     "--workers", "3", "--threads", "4", "--timeout", "120", "--graceful-timeout", "25", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
