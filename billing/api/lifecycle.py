"""Pausing, resuming, ending and reactivating subscriptions for programs."""

from rest_framework import serializers

from billing import listing, previews
from billing.api.outputs import GivenBill, SubscriptionOut, UpcomingOut
from billing.api.views import TAG, EndSubscriptionIn
from billing.models import Subscription
from billing.permissions import SUBSCRIPTIONS_EDIT, SUBSCRIPTIONS_VIEW
from billing.services.lifecycle import pause, reactivate, resume
from billing.services.self_service import own_url
from billing.services.subscriptions import end
from core.api.fields import Day, In, Out
from core.api.operations import Api, Call, operation
from core.pages import dry_run
from invoicing.api.outputs import business_today


class PauseIn(In):
    on = Day(
        required=False,
        help_text="First day that is not billed; the end of the plan's period under way, unless you say otherwise.",
    )
    resumes_on = Day(required=False, help_text="First day that is billed again; left out, nobody knows yet.")


class ResumeIn(In):
    on = Day(help_text="First day that is billed again; up to the pause's first day it takes the pause back.")


class ReactivateIn(In):
    on = Day(
        required=False,
        help_text="First day that is billed again of what has ended; today, unless you say otherwise.",
    )


class SubscriptionEndPreview(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, takes=EndSubscriptionIn, gives=UpcomingOut)
    def post(self, call: Call, public_id: str) -> GivenBill:
        """What would be billed and credited next if a subscription ended on a day.

        It is ended, billed by the function that runs bill with, and taken back.
        """
        with dry_run():
            end(public_id, today=business_today(), **call.data)
            row = listing.subscription(public_id)
            return GivenBill(row, previews.next_bill(row, today=business_today(), settled=True))


class CustomerLinkOut(Out):
    """Where a customer sees a subscription, and ends it as far as its legal entity lets them."""

    OBJECT = "customer_link"

    url = serializers.CharField(help_text="Opens the page without an account; keep it from others.")


class SubscriptionCustomerLink(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, gives=CustomerLinkOut)
    def post(self, call: Call, public_id: str) -> dict[str, str]:
        """Get the link to a subscription's page for its customer. Again gives the same while it is alive."""
        return {"url": own_url(listing.subscription(public_id))}


class SubscriptionPause(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=PauseIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Pause a subscription from a day on, until a day or until it is resumed.

        The next run credits what is billed beyond the day. Periods are counted as before. The same again changes
        nothing.
        """
        call.hold(listing.subscription(public_id))
        pause(public_id, today=business_today(), **call.data)
        return listing.subscription(public_id)


class SubscriptionPausePreview(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_VIEW, takes=PauseIn, gives=UpcomingOut)
    def post(self, call: Call, public_id: str) -> GivenBill:
        """What would be billed and credited next if a subscription was paused on a day.

        It is paused, billed by the function that runs bill with, and taken back.
        """
        with dry_run():
            pause(public_id, today=business_today(), **call.data)
            row = listing.subscription(public_id)
            return GivenBill(row, previews.next_bill(row, today=business_today(), settled=True))


class SubscriptionResume(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=ResumeIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Go on with a paused subscription on a day, or take back a pause that has not begun."""
        call.hold(listing.subscription(public_id))
        resume(public_id, today=business_today(), **call.data)
        return listing.subscription(public_id)


class SubscriptionReactivate(Api):
    tag = TAG

    @operation(SUBSCRIPTIONS_EDIT, takes=ReactivateIn, gives=SubscriptionOut)
    def post(self, call: Call, public_id: str) -> Subscription:
        """Take back an end that has not come, or begin again with what has ended.

        All that was billed at its end is billed again, at the same prices and quantities, also retired ones.
        """
        call.hold(listing.subscription(public_id))
        reactivate(public_id, today=business_today(), **call.data)
        return listing.subscription(public_id)
