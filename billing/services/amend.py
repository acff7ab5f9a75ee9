"""Changing what is no step of a subscription: how it ends, how it is paid, what other systems keep with it."""

from collections.abc import Mapping
from datetime import date

from django.db import IntegrityError, transaction

from billing.models import Subscription
from billing.services.autopay import set_autopay
from billing.services.subscriptions import ExternalIdTaken, end
from core.locks import lock_one


def amend(
    public_id: str,
    *,
    today: date,
    ends_on: date | None = None,
    autopay: bool | None = None,
    external_id: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Subscription:
    """Change what may change of a subscription: its end, as `end` does, how it is paid, as `set_autopay` does, and what
    other systems keep with it.

    What is None stays, and all of an end whose day stays. Inside work(). Raises what `end` raises, and ExternalIdTaken.
    """
    if autopay is not None:
        set_autopay(public_id, on=autopay)
    subscription = lock_one(Subscription.objects.filter(public_id=public_id))
    changed = {"external_id": external_id, "metadata": None if metadata is None else dict(metadata)}
    fields = [
        name for name, value in changed.items() if value is not None and value != getattr(subscription, name)
    ]
    for name in fields:
        setattr(subscription, name, changed[name])
    if fields:
        try:
            with transaction.atomic():
                subscription.touch(*fields)
        except IntegrityError as error:
            raise ExternalIdTaken(
                f"Another subscription is called “{external_id}” by your system."
            ) from error
    stays = ends_on in {None, subscription.ends_on}
    return subscription if stays else end(public_id, on=ends_on, today=today)
