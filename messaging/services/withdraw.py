"""Taking back what was queued and must not go out any more."""

from django.db.models import F

from core import clock
from core.locks import lock
from core.states import record_moves
from messaging.domain.states import State
from messaging.models import Message


def skip_queued(*, reason: str) -> int:
    """Skip every message of the organization that is still queued, and return how many. Inside work().

    A person may send one of them again. What is being sent or was sent stays as it is.
    """
    rows = lock(Message.objects.filter(state=State.QUEUED))
    if rows:
        Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.SKIPPED, why=reason, version=F("version") + 1, updated_at=clock.now()
        )
        record_moves([(row.public_id, State.QUEUED, State.SKIPPED) for row in rows], reason=reason)
    return len(rows)
