"""Prepaid balances under a sandbox's clock: drawn before their day, ended at its midnight, once."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from billing.services.subscriptions import subscribe
from core import timetravel
from core.scope import Scope, enter, work
from core.tasks import system_scope
from invoicing.models import Document, TopUp, TopUpMove
from invoicing.prepaid import balance
from invoicing.services.prepaid import top_up
from ledger.models import Entry
from tests import factories
from tests.db.billing.test_metered import counted, used
from tests.db.sandbox.conftest import move
from tests.metering import meter

ZONE = ZoneInfo("Europe/Berlin")


def test_what_is_used_is_drawn_and_the_rest_ends_at_its_midnight(sandbox: Scope) -> None:
    with enter(system_scope(sandbox.organization_id)), work():
        today = timetravel.business_now().astimezone(ZONE).date()
        first = today + timedelta(days=2)
        ends = today + timedelta(days=10)
        by = meter("sum")
        price = counted(by, model="per_unit", unit_price=Decimal(1), tax_percent=Decimal(0), unit="week")
        owner = factories.customer(email="")
        plan = factories.subscription(owner, first, unit="week", tax_percent=Decimal(0))
        sub = subscribe(
            customer=owner.public_id, price=plan.price, starts_on=first, added=[(price, Decimal(1))]
        )
        rows = [
            top_up(owner.public_id, minor=10000, expires_on=until, key=f"t{until}", today=today)
            for until in (ends, None)
        ]
        for row in rows:
            factories.pay(row.document, on=today)
    move(sandbox, timedelta(days=3))
    with enter(system_scope(sandbox.organization_id)), work():
        used(by, sub, "30", timetravel.business_now().astimezone(UTC).isoformat())
    move(sandbox, timedelta(days=27))
    with enter(sandbox), work():
        moves = list(TopUpMove.objects.order_by("id").values_list("top_up_id", "kind", "minor", "on"))
        assert moves == [
            (rows[0].pk, "drawn", 3000, first + timedelta(days=7)),
            (rows[0].pk, "expired", 7000, ends),
        ]
        entry = Entry.objects.get(kind="prepaid_expired")
        assert entry.effective_on == ends
        moved = TopUpMove.objects.get(kind="expired")
        midnight = datetime.combine(ends, time(), ZONE)
        assert timedelta() <= entry.recorded_at - midnight < timedelta(minutes=2)
        assert moved.on == entry.posted_on == ends
        assert [each.minor for each in balance(owner.pk, today=date.max)] == [10000]
        assert Document.objects.filter(prepays=True, state="issued").count() == TopUp.objects.count() == 2
