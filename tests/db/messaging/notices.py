"""What the tests of notifications share: things that happen, a worker's turn, and what was written."""

from typing import Any

from django.core import mail

from billing.events import BillingRunFinished, BillingRunStopped
from core import doors
from core.effects import work_off
from core.events import Event, emit
from core.relay import relay
from core.scope import Scope, enter, work
from core.tasks import system_scope
from messaging.models import Notification
from tenants.models import Membership, Role, User
from tests.conftest import seat

RUN = "run_01JABCDEFGHJKMNPQRSTVWXYZ0"


def happen(*events: Event, slug: str = "acorn") -> None:
    """The events are emitted and relayed in an organization."""
    with enter(_system(slug)):
        with work():
            emit(*events)
        relay([])


def turn(slug: str = "acorn") -> None:
    """A worker's turn: what is due goes out, and what that makes known is relayed."""
    with enter(_system(slug)):
        work_off([])
        relay([])


def _system(slug: str) -> Scope:
    organization_id = doors.org_of_slug(slug)
    assert organization_id is not None
    return system_scope(organization_id)


def finished(documents: int = 40, held: int = 0) -> BillingRunFinished:
    return BillingRunFinished(RUN, 1, as_of="2026-11-25", documents=documents, held=held)


def stopped(why: str = "The books of the day are closed.") -> BillingRunStopped:
    return BillingRunStopped(RUN, 2, as_of="2026-11-26", why=why)


def told(name: str, slug: str = "acorn") -> list[tuple[str, int]]:
    """Kinds and times of what somebody was told, in order."""
    with enter(_system(slug)), work():
        rows = Notification.objects.filter(member__user__name=name).order_by("id")
        return list(rows.values_list("kind", "times"))


def count() -> int:
    with enter(_system("acorn")), work():
        return int(Notification.objects.count())


def mails() -> list[tuple[str, str]]:
    """To whom mails went, and their subjects."""
    return sorted((each.to[0].partition("@")[0], each.subject) for each in mail.outbox)


def give(name: str, key: str) -> None:
    """A member gets a built-in role, by a hand that tells nobody."""
    with enter(_system("acorn")), work():
        Membership.objects.filter(user__name=name).update(role=Role.objects.get(key=key))


def member(name: str) -> Any:
    with enter(_system("acorn")), work():
        return Membership.objects.select_related("user").get(user__name=name)


def scope_of(name: str) -> Scope:
    email = User.objects.get(name=name).email
    return seat("birch" if name == "Bea" else "acorn", email)
