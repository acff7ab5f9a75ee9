"""The worker application. Settings that keep work from being lost or run twice are asserted by tests."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arapp.settings")

app = Celery("arapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
