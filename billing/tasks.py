"""What beat starts for billing beside what is due."""

from celery import shared_task
from django.db import transaction

from billing.services.usage import ahead, make_months
from core import clock


@shared_task
def make_usage_months() -> None:
    """Make the months that events of usage will fall into before anybody needs them; again makes nothing."""
    with transaction.atomic():
        make_months(ahead(clock.wall()))
