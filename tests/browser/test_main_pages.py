"""Every main page with something on it, light and dark, on a desk and on a phone: nothing that axe would object to."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from billing.services.features import Granted, create_feature, set_plan_features
from billing.services.overrides import set_override
from billing.services.products import create_product, move_plan
from billing.services.run import run_billing
from cashapp.services.matching import match_all
from cashapp.services.payments import record
from core import clock
from core.scope import Scope, work
from customers.services.links import PAY, token_for
from invoicing.models import Document
from tenants.models import User
from tests import factories
from tests.browser.conftest import Watched, serving
from tests.browser.looking import findings_in_both_looks, visit
from tests.db.cashapp.lines import line

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def house(committed_acorn: Scope, committed: dict[str, str]) -> Iterator[dict[str, str]]:
    """Acorn in the middle of its work; the addresses of its pages by name."""
    today = clock.today("Europe/Berlin")
    with work():
        owner = factories.customer(name="Kestrel Freight", number="K-77", email="ap@kestrel.example")
        late = factories.invoice(owner, ("120", "14.50"), ("2", "99.00"), on=today - timedelta(days=50))
        factories.invoice(factories.customer(name="Palo Verde", currency="USD"), on=today - timedelta(days=9))
        draft = Document.objects.get(pk=factories.draft_invoice(owner, ("3", "420.00")))
        record(customer=owner.public_id, minor=4_000, received_on=today, method="bank_transfer", key="k")
        sub = factories.subscription(owner, today)
        plan = sub.price.plan.public_id
        product = create_product(name="Track", code="track", description="Where vehicles are")
        move_plan(plan, product="track")
        create_feature(name="Seats", code="seats", kind="limit", unit="seats")
        set_plan_features(plan, [Granted("seats", Decimal(10))])
        set_override(sub.public_id, feature="seats", mode="add", amount=Decimal(50), why="Fair", today=today)
        waits = line(2_070_60, payer="KESTREL FREIGHT", memo="your invoice", booked_on=today)
        line(77_00, payer="Unknown", memo="", booked_on=today)
        token = token_for(purpose=PAY, target=late.public_id, customer_id=late.customer_id)
    run = run_billing(today)
    match_all()
    client = Client()
    client.force_login(User.objects.get(name="Ana"))
    pages = {
        "home": "", "customers": "customers/", "customer": f"customers/{owner.public_id}/",
        "invoices": "invoices/", "invoice": f"invoices/{late.public_id}/",
        "editor": f"invoices/{draft.public_id}/edit/", "plans": "plans/", "subscriptions": "subscriptions/",
        "subscription": f"subscriptions/{sub.public_id}/", "history": f"subscriptions/{sub.public_id}/history/",
        "runs": "runs/", "run": f"runs/{run.public_id}/",
        "matching": "bank-lines/", "bank line": f"bank-lines/{waits.public_id}/", "payments": "payments/",
        "features": "plans/features/", "grants": f"plans/features/?plan={plan}", "coupons": "plans/coupons/",
        "products": "plans/products/", "product": f"plans/products/{product.public_id}/",
        "moving": f"plans/?move={plan}",
        "override": f"subscriptions/{sub.public_id}/override/?feature=seats",
        "ageing": "ageing/", "revenue": "recurring-revenue/", "movements": "recurring-revenue/movements/",
        "journal": "journal/", "settings": "settings/", "members": "settings/members/",
    }  # fmt: skip
    with serving(committed) as origin:
        yield {
            "origin": origin,
            "session": client.cookies["session"].value,
            "pay": f"{origin}/pay/{token}/",
            **{name: f"{origin}/o/acorn/{path}" for name, path in pages.items()},
        }


@pytest.mark.timeout(400)
@pytest.mark.parametrize("watched", [(1440, "light"), (390, "light")], indirect=True, ids=["1440", "390"])
def test_main_pages_are_accessible(watched: Watched, house: dict[str, str]) -> None:
    page, wrong = watched.page, {}
    cookie = {"name": "session", "value": house.pop("session"), "url": house.pop("origin")}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    for name, address in house.items():
        answer = visit(page, address)
        assert answer is not None
        assert answer.ok, name
        found = findings_in_both_looks(page)
        if page.evaluate(SIDEWAYS):
            found.append("wider than the screen")
        if found:
            wrong[name] = found
    assert wrong == {}
    assert watched.wrong == []
