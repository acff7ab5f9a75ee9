"""What once lost a pause, a discount or a cent: acts in the order in which nobody means them."""

from datetime import date
from decimal import Decimal

import pytest

from billing.services.discounts import discount
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end, end_item
from core.errors import Invalid
from core.models import OutboxEvent
from core.scope import Scope, work
from invoicing.models import Document
from receivables.selectors import item_states
from receivables.services.reserve import release, reserve
from tests import factories
from tests.billed import proven
from tests.db.billing.test_change import priced
from tests.db.billing.test_lifecycle import JUNE, MID, bought, credited, flat

SOON, AUGUST, SEPTEMBER = date(2026, 6, 20), date(2026, 8, 1), date(2026, 9, 1)
IN_JUNE = [("2026-06-01", "2026-07-01", 1000), ("2026-06-01", "2026-07-01", 500)]


def test_what_an_amount_left_of_a_period_is_credited_by_its_days_also_in_two_steps(acorn: Scope) -> None:
    """100 less 60 are 40: half of it back from the 16th on, the rest when it ends where it began."""
    with work():
        sub = bought(1)
        added = add_item(sub.public_id, price=flat(100), starts_on=JUNE)
        discount(
            sub.public_id, name="x", amount=Decimal(60), plans=[added.price.plan.code], today=JUNE
        )  # fmt: skip
    run_billing(JUNE)
    with work():
        end_item(added.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        end(sub.public_id, on=JUNE, today=MID)
    run_billing(MID)
    assert sorted(credited()) == [
        ("2026-06-01", "2026-06-16", 2000),
        ("2026-06-01", "2026-07-01", 100),
        ("2026-06-16", "2026-07-01", 2000),
    ]
    proven()


def test_two_steps_of_a_credit_leave_no_cent(acorn: Scope) -> None:
    """10.008 are billed as 10.01; half of it is 5.00, twice."""
    with work():
        sub = bought(1)
        price = priced(model="flat", unit_price=Decimal("10.008"))
        added = add_item(sub.public_id, price=price, starts_on=JUNE)
    run_billing(JUNE)
    with work():
        end_item(added.public_id, on=MID, today=MID)
    run_billing(MID)
    with work():
        end(sub.public_id, on=JUNE, today=MID)
    run_billing(MID)
    assert sum(minor for *_, minor in credited()) == 1001 + 100
    proven()


def test_a_refund_is_not_asked_of_what_is_only_promised(acorn: Scope) -> None:
    """A payment of the whole invoice is under way when half of it is credited."""
    with work():
        sub = bought(10)
    run_billing(JUNE)
    with work():
        invoice = Document.objects.get()
        promised = {item_states([invoice.public_id])[invoice.public_id].item_id: 1000}
        reserve(promised)
        end(sub.public_id, on=MID, today=MID, refund=True)
    run_billing(MID)
    assert credited() == [("2026-06-16", "2026-07-01", 500)]
    with work():
        assert not OutboxEvent.objects.filter(name="refund.asked").exists()
        release(promised)
    proven()


def test_a_discount_for_more_periods_than_there_are_days_is_refused(acorn: Scope) -> None:
    with work():
        owner = factories.customer()
        sub = factories.subscribe(
            customer=owner.public_id, price=flat(9, unit="year", every=120), starts_on=JUNE
        )
        with pytest.raises(Invalid, match="longer than days"):
            discount(sub.public_id, name="x", percent=Decimal(5), periods=120, today=JUNE)
    proven()
