"""Changing many subscriptions at once for programs: a dry run says what would become of each, the same call does it."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from billing import bulk_listing, listing
from billing.api.bulk_outputs import (
    BulkChangeFiguresOut,
    BulkChangeItemOut,
    BulkChangeOut,
    GivenBulk,
    SubscriptionBulkOut,
    bulk_given,
    given,
    report,
)
from billing.api.views import TAG
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.bulk_change import ACTS, Wish, act_on, found, look_at
from core.api.fields import Day, Flag, In, PublicId, Text
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Invalid, NotFound
from invoicing.api.outputs import business_today

MAX_IDS = 100
DIGEST = 64


class SubscriptionBulkIn(In):
    act = serializers.ChoiceField(choices=list(ACTS))
    ids = serializers.ListField(child=PublicId(), min_length=1, max_length=MAX_IDS)
    dry_run = Flag(required=False, help_text="Say what would become of each, and write nothing.")
    price = PublicId(
        required=False,
        help_text="Of a change: the price to move to. Quantities stay; a price of its own is lost.",
    )
    on = Day(
        required=False,
        help_text="First day of it; the end of each one's period under way, unless you say otherwise.",
    )
    resumes_on = Day(
        required=False, help_text="Of a pause: first day that is billed again; left out, nobody knows yet."
    )
    refund = Flag(
        required=False,
        help_text="Of an end: ask what was paid of unused days back to its method; else it stays as credit.",
    )
    digests = serializers.DictField(
        child=Text(max_length=DIGEST),
        required=False,
        help_text="Of the dry run, by id: what is another by now is refused with `changed_since`.",
    )


def _wish(said: Mapping[str, Any]) -> Wish:
    """The wish, with what its act takes; raises Invalid for what another act takes."""
    act = said["act"]
    takes = {"change": {"price"}, "pause": {"resumes_on"}, "end": {"refund"}}
    strange = {"price", "resumes_on", "refund"} & said.keys() - takes[act]
    if strange:
        problem = f"Nothing that {act} takes."
        raise Invalid(problem, fields=dict.fromkeys(sorted(strange), problem))
    price = referred("price", lambda: listing.price(said["price"])) if "price" in said else None
    return Wish(act, price, said.get("on"), said.get("resumes_on"), said.get("refund", False))


class SubscriptionsBulk(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=SubscriptionBulkIn, gives=SubscriptionBulkOut)
    def post(self, call: Call) -> dict[str, Any]:
        """Move up to 100 subscriptions to another price, end them or pause them.

        Each is told of on its own, and one that is refused stops no other. With `dry_run` each is changed, billed by
        the function that runs bill with, and taken back. What has ended, what a run holds and what something is
        planned for already is refused. An id named twice is done once.
        """
        said, today = call.data, business_today()
        wish, ids = _wish(said), list(dict.fromkeys(said["ids"]))
        digests = said.get("digests", {})
        if digests.keys() - set(ids):
            raise Invalid("Only of what is named.", fields={"digests": "Only of what is named."})
        rows = found(wish, ids)
        if not said.get("dry_run"):
            left = act_on(ids, wish, today=today, digests=digests)
            return report(
                wish, [given(name, rows.get(name), error=left.get(name)) for name in ids], dry_run=False
            )
        seen = {each.row.public_id: each for each in look_at(list(rows.values()), wish, today=today)}
        absent = NotFound("That is not here.")
        return report(
            wish,
            [
                given(name, rows[name], seen[name], error=seen[name].error)
                if name in seen
                else given(name, error=absent)
                for name in ids
            ],
            dry_run=True,
        )


class BulkChanges(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=BulkChangeOut, many=True)
    def get(self, call: Call) -> Listing:
        """List the bulk changes that people made on pages, the newest first."""
        return Listing(bulk_listing.bulk_changes())


class OneBulkChange(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, gives=BulkChangeFiguresOut)
    def get(self, call: Call, public_id: str) -> GivenBulk:
        """Get a bulk change and what it comes to. Its jobs say how far it is."""
        return bulk_given(bulk_listing.bulk_change(public_id))


class BulkItemsQuery(In):
    outcome = serializers.ChoiceField(choices=bulk_listing.OUTCOMES, required=False)


class BulkChangeItems(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, query=BulkItemsQuery, gives=BulkChangeItemOut, many=True)
    def get(self, call: Call, public_id: str) -> Listing:
        """List what becomes of each subscription of a bulk change."""
        row = bulk_listing.bulk_change(public_id)
        return Listing(bulk_listing.bulk_items(row, **call.filters), bulk_listing.IN_ORDER)
