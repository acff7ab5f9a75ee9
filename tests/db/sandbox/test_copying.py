"""The live organization copied into its sandbox: configuration as it is, customers as nobody knows them, once."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.models import Meter, Plan, Price, Subscription
from billing.services.change import change
from billing.services.meters import archive_meter
from billing.services.prices import create_price, retire_price
from billing.services.run import run_billing
from billing.services.subscriptions import add_item, end_item, subscribe
from core import clock
from core.books import verify
from core.errors import Forbidden
from core.models import Job
from core.periods import Listed, Unit, boundary, period_on
from core.sandbox import NotASandbox
from core.scope import Scope, enter, work
from core.tasks import system_scope
from customers.models import Contact, Customer
from tenants.models import LegalEntity, Membership, Role
from tenants.services import copying, roles
from tenants.services.copying import Copying
from tests import factories
from tests.conftest import seat
from tests.db.isolation.rows import tenant_models
from tests.metering import meter

CANARY = "kestrelcanary"


def furnish() -> None:
    """A live organization in which everything that says who somebody is carries CANARY."""
    with work():
        LegalEntity.objects.update(terms_days=21)
        roles.make_role(name="Clerk", rights=["home.view", "customers.view"])
        for n in range(3):
            owner = factories.customer(
                name=f"{CANARY} {n}", number=f"{CANARY}{n}", email=f"{CANARY}{n}@real.example",
                address=f"{CANARY} street {n}", terms_days=40 + n, external_id=f"{CANARY}-erp-{n}",
            )  # fmt: skip
            Contact.objects.create(customer=owner, name=f"{CANARY} second", email=f"{CANARY}.{n}@two.example")
            factories.subscription(
                owner, clock.today("Europe/Berlin") + timedelta(days=3), quantity=Decimal(n + 1)
            )


def copy(sandbox: Scope, *, customers: bool = True) -> Job:
    with enter(sandbox), work():
        job = copying.start(customers=customers)
    go_on(sandbox, job)
    with enter(sandbox), work():
        job.refresh_from_db()
    return job


def go_on(sandbox: Scope, job: Job) -> None:
    with enter(system_scope(sandbox.organization_id)):
        assert copying.work_off(job.public_id, until=clock.wall() + timedelta(minutes=5))


def counts(scope: Scope) -> dict[str, int]:
    with enter(scope), work():
        kinds = (LegalEntity, Role, Plan, Price, Customer, Contact, Subscription)
        return {kind.__name__: kind.objects.count() for kind in kinds}


def everything(scope: Scope) -> str:
    with enter(scope), work():
        return "\n".join(str(list(model.objects.values())) for model in tenant_models())


def test_configuration_comes_and_customers_come_as_nobody_knows_them(sandbox: Scope) -> None:
    furnish()
    job = copy(sandbox)
    assert (job.state, job.done) == ("done", job.total)
    with enter(sandbox), work():
        assert LegalEntity.objects.get().terms_days == 21
        assert Role.objects.get(key="").name == "Clerk"
        assert sorted(Customer.objects.values_list("terms_days", flat=True)) == [40, 41, 42]
        assert sorted(Subscription.objects.values_list("quantity", flat=True)) == [1, 2, 3]
        assert set(Price.objects.values_list("unit_price", flat=True)) == {Decimal("14.50")}
        assert all(
            mail.endswith("@sandbox.example") for mail in Contact.objects.values_list("email", flat=True)
        )
        assert Contact.objects.count() == 6
    assert CANARY not in everything(sandbox)


def test_again_adds_nothing_but_what_is_new(sandbox: Scope) -> None:
    furnish()
    copy(sandbox)
    before = counts(sandbox)
    assert copy(sandbox).payload["made"] == 0
    assert counts(sandbox) == before
    with work():
        factories.customer(name="One more")
    assert copy(sandbox).payload["made"] == 1


def test_terms_added_items_and_what_is_not_offered_any_more_come_as_they_are(sandbox: Scope) -> None:
    with work():
        owner = factories.customer()
        tiers = [{"up_to": Decimal(5), "unit_price": Decimal(7)}, {"unit_price": Decimal("6.5")}]
        calls = create_price(
            name="Calls", code="calls", model="graduated", currency="EUR", tiers=tiers, timing="arrears"
        )
        setup = create_price(
            name="Set-up", code="setup", model="flat", currency="EUR", unit="once", unit_price=Decimal(9)
        )
        free = create_price(name="Free", code="free", model="flat", currency="EUR", unit_price=Decimal(0))
        today = clock.today("Europe/Berlin")
        live = subscribe(
            customer=owner.public_id,
            price=free,
            starts_on=today,
            added=[(setup, Decimal(1)), (calls, Decimal(12))],
        )
        retire_price(free.public_id)
    run_billing(today)
    copy(sandbox, customers=False)
    copy(sandbox)
    with enter(sandbox), work():
        made = Subscription.objects.get(external_id=live.public_id)
        assert [(item.role, item.price.plan.code, item.quantity) for item in made.billed_items] == [
            ("plan", "free", 1), ("added", "calls", 12),
        ]  # fmt: skip
        assert made.items.get(role="added").price.terms == calls.terms
        assert made.anchor == today
        plan = made.items.get(role="plan")
        assert plan.starts_on == boundary(today, Unit.MONTH, 1, 1), (
            "what was billed there is not billed again"
        )
        assert [price.plan.code for price in Price.objects.filter(retired_at__isnull=False)] == ["free"]


def test_prices_that_could_not_be_made_any_more_come_as_they_are(sandbox: Scope) -> None:
    with work():
        flat = {"model": "flat", "currency": "EUR", "unit_price": Decimal(9)}
        setup = create_price(name="Set-up", code="setup", unit="once", **flat)
        calls = create_price(name="Calls", code="calls", **{**flat, "model": "per_unit"}, minimum=Decimal(1))
        Price.objects.filter(pk=setup.pk).update(every=2)
        Price.objects.filter(pk=calls.pk).update(terms={"minimum": "1.005"})
    copy(sandbox)
    with enter(sandbox), work():
        assert Price.objects.get(plan__code="setup").every == 2
        assert Price.objects.get(plan__code="calls").terms == {"minimum": "1.005"}


def test_a_price_by_listed_days_goes_on_on_the_next_of_them(sandbox: Scope) -> None:
    days = ["02-01", "09-01"]
    with work():
        price = create_price(
            name="School",
            code="school",
            model="flat",
            currency="EUR",
            unit_price=Decimal(900),
            unit="dates",
            dates=days,
        )
        today = clock.today("Europe/Berlin")
        live = subscribe(customer=factories.customer().public_id, price=price, starts_on=today)
    run_billing(today)
    copy(sandbox)
    with enter(sandbox), work():
        made = Subscription.objects.get(external_id=live.public_id)
        assert (made.price.unit, made.price.dates) == ("dates", days)
        assert made.items.get().starts_on == period_on(today, Listed(tuple(days)), 1, today).end
        assert verify() == []


def test_what_changes_begins_and_ends_later_does_so_here_too(sandbox: Scope) -> None:
    today = clock.today("Europe/Berlin")
    with work():
        owner = factories.customer()
        one, two, extra = (
            create_price(
                name=f"P{n}", code=f"p{n}", model="per_unit", currency="EUR", unit_price=Decimal(n + 1)
            )
            for n in range(3)
        )
        live = subscribe(customer=owner.public_id, price=one, starts_on=today)
        change(live.public_id, price=two, today=today)
        ending = add_item(live.public_id, price=extra, starts_on=today)
        end_item(ending.public_id, on=today + timedelta(days=9), today=today + timedelta(days=9))
        add_item(live.public_id, price=extra, starts_on=today + timedelta(days=5))
    copy(sandbox)
    with enter(sandbox), work():
        (made,) = Subscription.objects.all()
        assert [(str(i.price.unit_price.normalize()), i.starts_on, i.ends_on) for i in made.billed_items] == [
            ("1", today, boundary(today, Unit.MONTH, 1, 1)),
            ("2", boundary(today, Unit.MONTH, 1, 1), None),
            ("3", today, today + timedelta(days=9)),
            ("3", today + timedelta(days=5), None),
        ]
        assert verify() == []


def test_a_price_comes_also_when_what_it_needs_is_the_usual(sandbox: Scope) -> None:
    said = {"name": "P", "currency": "EUR"}
    with work():
        create_price(**said, code="lots", model="package", unit_price=Decimal(2), per=Decimal(1))
        create_price(**said, code="share", model="percentage", percent=Decimal(0), minimum=Decimal("0.10"))
    assert copy(sandbox, customers=False).state == "done"
    with enter(sandbox), work():
        assert set(Price.objects.values_list("plan__code", flat=True)) == {"lots", "share"}


def test_without_customers_none_come(sandbox: Scope) -> None:
    furnish()
    copy(sandbox, customers=False)
    found = counts(sandbox)
    assert (found["Price"], found["Customer"], found["Subscription"]) == (3, 0, 0)


def test_killed_between_chunks_it_goes_on_behind_them(
    sandbox: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    furnish()
    monkeypatch.setattr(copying, "CHUNK", 1)
    steps: list[int] = []
    step = copying._step

    def fall(*given: Any) -> bool:
        if len(steps) == 5:
            steps.append(0)
            raise SystemExit
        steps.append(1)
        return step(*given)

    monkeypatch.setattr(copying, "_step", fall)
    with enter(sandbox), work():
        job = copying.start(customers=True)
    with pytest.raises(SystemExit):
        go_on(sandbox, job)
    go_on(sandbox, job)
    found = counts(sandbox)
    assert (found["Customer"], found["Price"], found["Subscription"]) == (3, 3, 3)


def test_nothing_of_the_live_one_changes(sandbox: Scope, committed_acorn: Scope) -> None:
    furnish()
    before = counts(committed_acorn)
    copy(sandbox)
    assert counts(committed_acorn) == before


def test_one_at_a_time_by_who_may_and_never_into_a_live_one(sandbox: Scope, committed_acorn: Scope) -> None:
    with work(), pytest.raises(NotASandbox):
        copying.start(customers=False)
    with enter(seat("acorn-sandbox", "vic@acorn.example")), work(), pytest.raises(Forbidden):
        copying.start(customers=False)
    with work():
        poor = roles.make_role(name="Poor", rights=["sandbox.use", "sandbox.manage"])
        Membership.objects.filter(user__email="ben@acorn.example").update(role=poor)
    with enter(seat("acorn-sandbox", "ben@acorn.example")), work():
        with pytest.raises(Forbidden):
            copying.start(customers=True)
        copying.start(customers=False)
    with enter(sandbox), work(), pytest.raises(Copying):
        copying.start(customers=True)


def test_meters_come_as_they_are_and_once(sandbox: Scope) -> None:
    with enter(seat("acorn", "ana@acorn.example")), work():
        meter("weighted_sum", code="storage", group_by=["region"], late_days=10)
        archive_meter(meter("count", code="gone").public_id)
    copy(sandbox, customers=False)
    copy(sandbox, customers=False)
    with enter(sandbox), work():
        (row,) = Meter.objects.all()
        assert (row.code, row.aggregation, row.field, row.group_by, row.late_days) == (
            "storage", "weighted_sum", "amount", ["region"], 10,
        )  # fmt: skip
