"""From an invoice to the subscriptions it bills, and from a subscription to its invoices."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import BilledPeriod, CreditedPeriod, Subscription
from billing.services.run import run_billing
from billing.services.subscriptions import end
from core.scope import Scope, enter, work
from customers.models import Customer
from invoicing.services.credit import credit
from tests import factories
from tests.db.api.conftest import Program, statements
from tests.db.api.invoices import draft, today
from tests.db.pages_documents.conftest import signed_in

pytestmark = pytest.mark.usefixtures("judged")
NOBODY = "sub_01J00000000000000000000000"


@pytest.fixture
def subs(house: Scope, kestrel: Customer) -> list[Subscription]:
    """Two of one customer on one invoice, and one of another customer; all billed."""
    with enter(house):
        with work():
            Customer.objects.filter(pk=kestrel.pk).update(one_invoice=True)
            made = [factories.subscription(kestrel, today(), quantity=Decimal(n)) for n in (1, 2)]
            made.append(factories.subscription(factories.customer(), today()))
        run_billing(today())
    return made


def found(api: Program, of: Subscription | str, more: str = "") -> list[Any]:
    """The documents of a subscription, the oldest first."""
    name = of if isinstance(of, str) else of.public_id
    return list(reversed(api.get(f"/invoices?subscription={name}{more}")["data"]))


def test_an_invoice_names_what_it_bills_and_is_found_by_it(
    api: Program, kestrel: Customer, subs: list[Subscription]
) -> None:
    first, second, other = (each.public_id for each in subs)
    by_hand = draft(api, kestrel)
    assert (by_hand["subscriptions"], by_hand["lines"][0]["subscription"]) == ([], None)
    (both,) = found(api, first)
    assert [line["subscription"] for line in both["lines"]] == both["subscriptions"] == [first, second]
    assert api.get(f"/invoices/{both['id']}") == both == found(api, second)[0]
    assert [each["subscriptions"] for each in found(api, other)] == [[other]]
    assert [line["subscription"] for line in api.get(f"/subscriptions/{first}/upcoming")["lines"]] == [
        first,
        second,
    ]


def test_a_credit_note_names_what_it_takes_back(api: Program, house: Scope, subs: list[Subscription]) -> None:
    first, second, other = (each.public_id for each in subs)
    (both,) = found(api, first)
    with enter(house), work():
        note = credit(both["id"], amounts={2: 100}, on=today(), reason="late", key="k").public_id
    given = api.get(f"/invoices/{note}")
    assert (given["subscriptions"], given["lines"][0]["subscription"]) == ([second], second)
    assert [each["id"] for each in found(api, second)] == [both["id"], note]
    assert [each["id"] for each in found(api, first)] == [both["id"]]
    with enter(house):
        with work():
            end(other, on=today() + timedelta(days=2), today=today())
        run_billing(today() + timedelta(days=2))
        with work():
            (made,) = CreditedPeriod.objects.select_related("document")
    assert [(each["object"], each["subscriptions"]) for each in found(api, other)] == [
        ("invoice", [other]),
        ("credit_note", [other]),
    ]
    assert found(api, other)[1]["id"] == made.document.public_id
    assert found(api, other, "&kind=credit_note&state=draft") == []


def test_another_organizations_subscription_is_nobodys(
    api: Program, as_key: Callable[..., Program], subs: list[Subscription]
) -> None:
    bea = as_key("birch", "bea@birch.example")
    assert found(bea, subs[0]) == found(bea, NOBODY) == found(api, NOBODY) == []
    page = signed_in("Ana").get("/o/acorn/invoices/?subscription=" + NOBODY).content.decode()
    assert "Nothing matches" in page


def test_a_list_asks_once_for_all_subscriptions(api: Program, house: Scope, kestrel: Customer) -> None:
    def more(n: int) -> list[int]:
        with enter(house):
            with work():
                made = [factories.subscription(kestrel, today()) for _ in range(n)]
            run_billing(today())
            with work():
                for each in BilledPeriod.objects.filter(subscription__in=made).select_related("document"):
                    name = each.document.public_id
                    credit(name, amounts={1: 100}, on=today(), reason="late", key=name)
        one = f"/invoices?subscription={made[0].public_id}"
        return [statements(api, "/invoices?limit=100"), statements(api, one)]

    before = more(1)
    assert (more(4), len(api.get("/invoices?limit=100")["data"])) == (before, 10)


def test_pages_lead_from_one_to_the_other(house: Scope, api: Program, subs: list[Subscription]) -> None:
    first, second, other = (each.public_id for each in subs)
    (both,), (single,) = found(api, first), found(api, other)
    ana = signed_in("Ana")
    shown = ana.get(f"/o/acorn/invoices/{both['id']}/").content.decode()
    for each in (first, second):
        assert shown.count(f'href="/o/acorn/subscriptions/{each}/"') == 2, "above and at its line"
    shown = ana.get(f"/o/acorn/invoices/{single['id']}/").content.decode()
    assert shown.count(f'href="/o/acorn/subscriptions/{other}/"') == 1
    listed = f"/o/acorn/invoices/?subscription={first}"
    assert f'href="{listed}"' in ana.get(f"/o/acorn/subscriptions/{first}/").content.decode()
    page = ana.get(listed).content.decode()
    assert "Subscription is Track Pro" in page
    assert f"/o/acorn/invoices/{both['id']}/" in page
    assert f"/o/acorn/invoices/{single['id']}/" not in page
    file = b"".join(ana.get(f"/o/acorn/invoices/invoices.csv?subscription={first}"))  # type: ignore[call-overload]
    assert (both["number"].encode() in file, single["number"].encode() in file) == (True, False)
