"""Kept cards in a sandbox: its clock moved over many due days charges each once, on its day."""

from datetime import timedelta

from cashapp.models import Payment, SandboxCharge
from cashapp.services.cards import keep_card
from core import clock
from core.scope import Scope, enter, work
from core.tasks import system_scope
from customers.models import Customer
from invoicing.models import Document
from receivables.models import OpenItem
from tests import factories
from tests.conftest import judge
from tests.db.sandbox.conftest import move


def test_many_due_days_at_once_charge_each_invoice_once_and_on_its_day(sandbox: Scope) -> None:
    with enter(sandbox):
        with work():
            owners: list[Customer] = []
            for n in range(2):
                owners.append(factories.customer(name=f"Payer {n}", email=f"p{n}@kestrel.example"))
                factories.subscription(owners[n], clock.today("Europe/Berlin") + timedelta(days=n + 1))
        keep_card(owners[0].public_id, method="card_ok", consent="Yes.")
        keep_card(owners[1].public_id, method="card_timeout", consent="Yes.")
    move(sandbox, timedelta(days=100))
    with enter(system_scope(sandbox.organization_id)), work():
        today = clock.today("Europe/Berlin")
        due = list(Document.objects.filter(due_on__lte=today).order_by("number"))
        assert len(due) > 3
        assert SandboxCharge.objects.count() == len(due)
        paid = Payment.objects.order_by("id").values_list("received_on", flat=True)
        assert sorted(paid) == sorted(each.due_on for each in due)
        left = OpenItem.objects.exclude(open_minor=0).values_list("source", flat=True)
        assert set(left).isdisjoint(each.public_id for each in due)
    judge(sandbox)
