"""Renewals in a sandbox: told as its clock passes their day, and as the live organization tells them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.models import RenewalNotice
from core.scope import Scope, enter, work
from messaging.models import Message
from tenants.models import LegalEntity
from tenants.services.entities import update_entity
from tests.db.sandbox.conftest import furnish, move
from tests.db.sandbox.test_copying import copy

ZONE = ZoneInfo("Europe/Berlin")


def tell(days: int) -> None:
    with work():
        row = LegalEntity.objects.get()
        update_entity(row.pk, version=row.version, renewal_notice_days=days, renewal_notice_for="month")


def test_what_the_live_organization_tells_is_told_here_in_order(sandbox: Scope) -> None:
    tell(3)
    copy(sandbox)
    first = datetime.now(ZONE).date() + timedelta(days=1)
    furnish(sandbox, 3, first=first)
    move(sandbox, timedelta(days=70))
    with enter(sandbox), work():
        assert LegalEntity.objects.get().renewal_notice_days == 3
        rows = list(RenewalNotice.objects.order_by("id"))
        told = [(row.renews_on, row.renews_on - row.at.astimezone(ZONE).date()) for row in rows]
        assert Message.objects.filter(kind="renewal_upcoming", state="sent").count() == len(rows)
    assert len(told) == 4, "two of monthly plans each, none of the weekly one"
    assert told == sorted(told)
    assert {days for _, days in told} == {timedelta(days=3)}
