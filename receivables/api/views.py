"""What is open, and the figures over it, for programs."""

from datetime import date
from typing import Any

from rest_framework import serializers

from core import clock
from core.api.fields import CurrencyCode, Day, Flag, In, PublicId, Whole
from core.api.operations import Api, Call, Listing, operation
from customers.selectors import by_ids, customer
from ledger.selectors import control_balances
from receivables import balances
from receivables.ageing import Aged, ageing
from receivables.api.outputs import AgeingOut, DsoOut, OpenItemOut, PaymentHabitsOut
from receivables.domain.dso import first_day
from receivables.domain.habits import Habits
from receivables.domain.items import Kind, Side
from receivables.habits import habits_of, late_items
from receivables.models import OpenItem
from receivables.permissions import AGEING_VIEW
from receivables.selectors import ItemFilter, item, items
from tenants.selectors import entity

TAG = "Receivables"
MOST_CUSTOMERS = 500
MOST_LATE = 100
_BUCKETS = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90")


class OpenItemsQuery(In):
    customer = PublicId(required=False)
    currency = CurrencyCode(required=False)
    kind = serializers.ChoiceField([str(each) for each in Kind], required=False)
    side = serializers.ChoiceField([str(each) for each in Side], required=False)
    due_before = Day(required=False)
    only_open = Flag(required=False, help_text="Leave out what is settled.")


class AsOfQuery(In):
    as_of = Day(required=False, help_text="The end of this day; of today when left out.")


class AgeingQuery(AsOfQuery):
    customers = Whole(
        min_value=0,
        max_value=MOST_CUSTOMERS,
        default=0,
        help_text="How many customers of each currency to list, the most overdue first; totals are of all.",
    )


class OpenItems(Api):
    tag = TAG

    @operation(AGEING_VIEW, query=OpenItemsQuery, gives=OpenItemOut, many=True, expands=["customer"])
    def get(self, call: Call) -> Listing:
        """List open items, the newest first; settled ones too unless left out."""
        return Listing(items(ItemFilter(**call.filters)))


class OneOpenItem(Api):
    tag = TAG

    @operation(AGEING_VIEW, gives=OpenItemOut, expands=["customer"])
    def get(self, call: Call, public_id: str) -> OpenItem:
        """Get an open item."""
        return item(public_id)


class PaymentHabits(Api):
    tag = TAG

    @operation(AGEING_VIEW, gives=PaymentHabitsOut)
    def get(self, call: Call, public_id: str) -> dict[str, Any]:
        """How a customer paid what was due in the last year, with the evidence, and what deposit to ask for."""
        owner = customer(public_id)
        today = clock.today(owner.entity.zone)
        habits = habits_of([owner.pk], today=today).get(owner.pk, Habits())
        return {
            "customer": owner,
            "habits": habits,
            "advised": habits.deposit_percent if owner.deposit_percent is None else 0,
            "late": late_items(owner.pk, today=today, limit=MOST_LATE),
        }


class Ageing(Api):
    tag = TAG

    @operation(AGEING_VIEW, query=AgeingQuery, gives=AgeingOut)
    def get(self, call: Call) -> dict[str, Any]:
        """Who owed what, and how late, at the end of a day."""
        on = _day(call)
        found = ageing(on, limit=call.query["customers"])
        booked = control_balances(on)
        named = by_ids({row.customer_id for each in found for row in each.rows})
        return {
            "as_of": on,
            "currencies": [
                {
                    **_aged(each.total),
                    "currency": each.currency,
                    "customer_count": each.count,
                    "proved": booked.get(each.currency, 0) == each.total.net.minor,
                    "customers": [{**_aged(row), "customer": named[row.customer_id]} for row in each.rows],
                }
                for each in found
            ],
        }


def _aged(row: Aged) -> dict[str, int]:
    return {
        **{f"{name}_minor": minor for name, minor in zip(_BUCKETS, row.owed, strict=True)},
        "overdue_minor": row.overdue_minor,
        "credit_minor": row.credit_minor,
        "net_minor": row.net.minor,
    }


class DaysSalesOutstanding(Api):
    tag = TAG

    @operation(AGEING_VIEW, query=AsOfQuery, gives=DsoOut)
    def get(self, call: Call) -> dict[str, Any]:
        """Days sales outstanding at the end of a day, by currency."""
        on = _day(call)
        closing = {each.currency: each.total.net.minor for each in ageing(on, limit=0)}
        return {
            "as_of": on,
            "since": first_day(on),
            "currencies": [
                {
                    "currency": code,
                    "value": each.value,
                    "closing_minor": each.closing_minor,
                    "invoiced_minor": each.invoiced_minor,
                    "credited_minor": each.credited_minor,
                    "voided_minor": each.voided_minor,
                    "sales_minor": each.sales_minor,
                }
                for code, each in balances.dso(closing, on=on).items()
            ],
        }


def _day(call: Call) -> date:
    found: date = call.query.get("as_of") or clock.today(entity().zone)
    return found
