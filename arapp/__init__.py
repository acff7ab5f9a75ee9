"""The composition of the product. Collecting garbage is told here, since every process imports this first: what a
request makes ends with its last reference, and what start-up makes stays, so looking for cycles at every 700th new
object, as Python does by itself, took a tenth of a page's time."""

import gc

gc.set_threshold(50_000, 20, 50)

from arapp.celery import app as celery_app  # noqa: E402 - importing makes most of what stays

__all__ = ["celery_app"]
