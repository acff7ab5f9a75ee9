"""What becomes due about members and API requests."""

from datetime import timedelta

from django.utils.translation import gettext_lazy as _

from core import clock
from core.effects import Later
from core.models import Effect
from core.registry import effect, given_up
from core.scope import work
from tenants.services import copying, keys, requests, temporary

TURN = timedelta(seconds=30)


@effect(temporary.WARN, _("Warn of access that ends"))
def warn(row: Effect) -> None:
    """Announce it; the mail has its own key, so twice is once."""
    with work():
        temporary.warn(row.payload["member"], until=row.payload["until"], days=row.payload["days"])


@effect(temporary.END, _("End access whose time is over"))
def end(row: Effect) -> None:
    """Shut out; run again it finds it done."""
    with work():
        temporary.end(row.payload["member"], until=row.payload["until"])


@effect(keys.WARN, _("Warn of an API key that ends"))
def warn_of_key(row: Effect) -> None:
    """Announce it; who is told of it is told once."""
    with work():
        keys.warn(row.payload["key"], days=row.payload["days"])


@effect(requests.FORGET, _("Forget old API requests"))
def forget(row: Effect) -> None:
    """Delete what is older than is kept; run again it finds nothing. What a moved clock brought here early waits."""
    left = requests.too_early(row.key)
    if left > timedelta():
        raise Later(clock.now() + left)
    requests.forget_old()


@effect(copying.KIND, _("Copy the live organization into the sandbox"))
def copy_in(row: Effect) -> None:
    """For one turn; what is left comes with the next, behind what was committed."""
    if not copying.work_off(row.payload["job"], until=clock.wall() + TURN):
        raise Later(clock.now())


@given_up(copying.KIND)
def end_copying(row: Effect, why: str) -> None:
    copying.give_up(row.payload["job"], why)
