"""Beat finds subscriptions that are due; the organization's run for its local date bills them."""

from django.db.models import QuerySet

from billing import effects, mails  # noqa: F401 - register effects and what mails say
from billing.models import LateUsage, Subscription
from billing.selectors import still_billed
from billing.services import renewals
from billing.services.autopay import pay_by_itself
from billing.services.run import run_billing
from core import clock
from core.models import OutboxEvent
from core.registry import clocked_by, due_worker, handles
from core.scope import work
from customers import ports
from customers.events import PaymentMethodKept
from tenants.events import LegalEntityChanged
from tenants.selectors import entity

ports.still_needed.append(still_billed)


@clocked_by("billing", "next_bill_at")
def unbilled() -> "QuerySet[Subscription]":
    """Subscriptions with something still to bill. Inside work()."""
    found: QuerySet[Subscription] = Subscription.objects.filter(state="active", held_at=None)
    return found


@clocked_by("late_usage", "due_at")
def late_usage() -> "QuerySet[LateUsage]":
    """What came after its period was billed and waits for a run to come for it. Inside work()."""
    found: QuerySet[LateUsage] = LateUsage.objects.filter(subscription__held_at=None)
    return found


@due_worker("late_usage")
@due_worker("billing")
def bill_due(row_ids: list[int]) -> None:
    """Bill what is due today in the scope's organization; `row_ids` only says there is something."""
    with work():
        today = clock.today(entity().zone)
    run_billing(today)


@handles(LegalEntityChanged)
def look_for_renewals(rows: list[OutboxEvent]) -> None:
    """Customers may have to be told of renewals from now on, or earlier than before."""
    renewals.begin((row.object_public_id, row.object_version) for row in rows)


@handles(PaymentMethodKept)
def charge_by_itself(rows: list[OutboxEvent]) -> None:
    """Who keeps a card wants what they subscribe to charged to it."""
    pay_by_itself([row.payload["customer"] for row in rows])
