"""One invoice of all that is due together: set by API and page, and read back before and after the run."""

from billing.models import Subscription
from billing.services.run import run_billing
from core import clock
from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program, said
from tests.db.pages_documents.conftest import signed_in

TODAY = clock.today("Europe/Berlin")


def test_a_program_asks_for_one_invoice_and_sees_it_before_it_is_made(api: Program, house: Scope) -> None:
    with enter(house), work():
        owner = factories.customer()
        subs = [factories.subscription(owner, TODAY) for _ in range(2)]
    path = f"/customers/{owner.public_id}"
    assert api.get(path)["one_invoice"] is False
    refused = api("PATCH", path, {"one_invoice": "perhaps"})
    assert (refused.status_code, said(refused)["errors"][0]["pointer"]) == (422, "/one_invoice")
    assert said(api("PATCH", path, {"one_invoice": True}))["one_invoice"] is True
    coming = [api.get(f"/subscriptions/{each.public_id}/upcoming") for each in subs]
    assert [each["billed_with"] for each in coming] == [[subs[1].public_id], [subs[0].public_id]]
    assert coming[0]["lines"] == coming[1]["lines"]
    with enter(house):
        run_billing(TODAY)
    (made,) = api.get(f"/invoices?customer={owner.public_id}")["data"]
    assert (made["total_minor"], len(made["lines"])) == (coming[0]["total_minor"], 2)
    assert [each["why"] for each in made["lines"]] == [each["why"] for each in coming[0]["lines"]]


def test_a_program_lets_periods_begin_as_those_of_the_others(
    api: Program, house: Scope, kestrel: Customer
) -> None:
    with enter(house), work():
        price = factories.subscription(factories.customer(), TODAY).price
        first = TODAY.replace(day=1)
    wish = {"customer": kestrel.public_id, "price": price.public_id, "starts_on": str(TODAY)}
    alone = api("POST", "/subscriptions", {**wish, "with_others": True})
    assert (alone.status_code, said(alone)["errors"][0]["pointer"]) == (422, "/with_others")
    twice = api("POST", "/subscriptions", {**wish, "with_others": True, "calendar": True})
    assert twice.status_code == 422
    said(api("POST", "/subscriptions", {**wish, "starts_on": str(first)}))
    assert said(api("POST", "/subscriptions", {**wish, "with_others": True}))["anchor"] == str(first)


def test_a_person_lets_periods_begin_as_those_of_the_others(house: Scope, kestrel: Customer) -> None:
    with enter(house), work():
        price = factories.subscription(kestrel, TODAY.replace(day=1)).price.public_id
    wish = {
        "customer": kestrel.number,
        "price": price,
        "quantity": "1",
        "starts_on": str(TODAY),
        "periods": "others",
    }
    answer = signed_in("Ana").post(
        "/o/acorn/subscriptions/new/", {**wish, "key": "form_01J9ZK0000000000000000"}
    )
    assert answer.status_code == 302
    with enter(house), work():
        assert Subscription.objects.order_by("-id")[0].anchor == TODAY.replace(day=1)


def test_a_person_sets_it_and_sees_what_is_billed_with_it(house: Scope, kestrel: Customer) -> None:
    ana = signed_in("Ana")
    page = f"/o/acorn/customers/{kestrel.public_id}/"
    form = ana.get(f"{page}edit/").context["form"]
    said = {name: value for name in form.fields if (value := form[name].value()) not in (None, False)}
    assert ana.post(f"{page}edit/", {**said, "one_invoice": "on"}).status_code == 302
    assert "one of all that is due together" in ana.get(page).content.decode()
    with enter(house), work():
        kestrel.refresh_from_db()
        assert kestrel.one_invoice
        subs = [factories.subscription(kestrel, TODAY) for _ in range(2)]
    shown = ana.get(f"/o/acorn/subscriptions/{subs[0].public_id}/").content.decode()
    assert "another subscription" in shown
    assert f"/o/acorn/subscriptions/{subs[1].public_id}/" in shown
