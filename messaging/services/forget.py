"""Notifications are kept for ninety days."""

from core import clock
from core.scope import work
from messaging.models import Notification
from messaging.services.notify import KEPT

_AT_ONCE = 2000


def forget_old() -> None:
    """Delete what is older than is kept, in batches. Outside work(); run again it finds nothing."""
    while True:
        with work():
            old = Notification.objects.filter(written_at__lt=clock.now() - KEPT)
            found = list(old.order_by("written_at").values_list("pk", flat=True)[:_AT_ONCE])
            Notification.objects.filter(pk__in=found).delete()
        if not found:
            return
