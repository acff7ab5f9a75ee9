"""Telling customers of a renewal before it is billed: looked for once on each local day of a legal entity."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q

from billing.domain.charges import ACTIVE
from billing.domain.dues import Odd
from billing.domain.facts import SubscriptionFacts
from billing.domain.renewals import AT_LEAST, Renewal, RenewalBill, bill_of, renewal
from billing.events import RenewalUpcoming
from billing.models import PLAN, RenewalNotice, Subscription, SubscriptionItem
from billing.selectors import subscription_facts
from core import clock, effects
from core.events import emit_all
from core.locks import lock
from core.periods import DATES, local_midnight
from core.scope import work
from core.suspension import Suspended, require_live
from customers.selectors import invoice_addresses_of
from messaging.services.queue import Draft, is_deliverable, queue_for_event
from tenants.selectors import entity_named

LOOK = "renewals.look"
MAIL = "renewal_upcoming"
BATCH = 500
_ROW = ("pk", "public_id", "version", "customer_id", "customer__public_id", "starts_on", "trial_ends_on")


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A renewal to tell of: of which subscription, what is billed for it, and the notice where it was told before."""

    row: dict[str, Any]
    facts: SubscriptionFacts
    renewal: Renewal
    bill: RenewalBill
    notice: RenewalNotice | None = None


def look(entity: str, *, turn: str, after: int = 0) -> None:
    """Tell of what renews soon of a legal entity, by its public id, and make the next look due. Opens its own work().

    At most BATCH subscriptions behind `after` at once, the rest is another effect's; `turn` names the look, a daily one
    by its day. With nobody to be told there is no next one, and a suspended organization tells nobody today. Natural
    keys: of a look the entity and turn, of a notice the subscription and day. Emits subscription.renewal_upcoming.
    """
    with work():
        ids = _plan(entity, turn, after)
    if ids:
        with work(), suppress(Suspended):
            require_live()
            tell(upcoming(ids, entity))


def begin(entities: Iterable[tuple[str, int]]) -> None:
    """Have a look made now at what renews soon of legal entities (public id, version) that were changed. Inside work().

    The days after follow by themselves.
    """
    effects.due(LOOK, [_due(entity, f"v{version}", 0) for entity, version in entities])


def _plan(entity: str, turn: str, after: int) -> list[int]:
    """Make what follows due, and return what may have to be told of now."""
    house = entity_named(entity)
    if not house.renewal_notice_days:
        return []
    today = clock.today(house.zone)
    tomorrow = today + timedelta(days=1)
    if str(tomorrow) == turn:  # its zone was changed, and midnight is yet to come there
        tomorrow += timedelta(days=1)
    effects.due(LOOK, [_due(entity, str(tomorrow), 0)], at=local_midnight(tomorrow, house.zone))
    last = today + timedelta(days=house.renewal_notice_days)
    ends = Q(trial_ends_on__gt=today, trial_ends_on__lte=last)
    long = SubscriptionItem.objects.filter(
        _long(house.renewal_notice_for), subscription=OuterRef("pk"), role=PLAN
    )
    rows = Subscription.objects.filter(
        ends | Q(Exists(long), next_bill_on__lte=last), state=ACTIVE, held_at=None, customer__entity_id=house.pk,
        customer__archived_at=None, pk__gt=after,
    )  # fmt: skip
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if len(ids) == BATCH:
        effects.due(LOOK, [_due(entity, turn, ids[-1])])
    return ids


def _due(entity: str, turn: str, after: int) -> tuple[str, dict[str, Any]]:
    return f"{entity}:{turn}:{after}", {"entity": entity, "turn": turn, "after": after}


def _long(least: str) -> Q:
    """Items of a plan that may be renewed for so long; from one listed day to the next it may be long or short."""
    found = Q(price__unit=DATES)
    for unit, every in AT_LEAST[least].items():
        found |= Q(price__unit=unit, price__every__gte=every)
    return found


def upcoming(subscription_ids: Sequence[int], entity: str) -> list[Upcoming]:
    """What is to be told today of these subscriptions of a legal entity, in constant queries. Inside work().

    What cannot be billed as it stands is not told: the run will hold it.
    """
    house = entity_named(entity)
    today = clock.today(house.zone)
    rows = {row["pk"]: row for row in Subscription.objects.filter(pk__in=subscription_ids).values(*_ROW)}
    found = []
    for facts in subscription_facts(subscription_ids):
        row = rows[facts.subscription_id]
        one = renewal(
            facts, starts_on=row["starts_on"], trial_ends_on=row["trial_ends_on"], today=today,
            within=house.renewal_notice_days, least=house.renewal_notice_for,
        )  # fmt: skip
        try:
            bill = bill_of(facts, one) if one is not None else None
        except Odd:
            continue
        if one is not None and bill is not None:
            found.append(Upcoming(row, facts, one, bill))
    return found


def tell(found: Sequence[Upcoming]) -> None:
    """Tell customers and programs of renewals, each once, in constant statements. Inside work().

    Who had no address when programs were told gets the mail when there is one.
    """
    left = _left(found)
    if not left:
        return
    lock(Subscription.objects.filter(pk__in=[each.facts.subscription_id for each in left]))
    left = _left(left)  # another worker may have told them meanwhile
    to = {
        pk: [address for address in known if is_deliverable(address)]
        for pk, known in invoice_addresses_of({each.facts.customer_id for each in left}).items()
    }
    fresh = [each for each in left if each.notice is None]
    RenewalNotice.objects.bulk_create(
        RenewalNotice(
            subscription_id=each.facts.subscription_id, renews_on=each.renewal.on, trial=each.renewal.trial,
            at=clock.now(), mailed=bool(to.get(each.facts.customer_id)),
        )
        for each in fresh
    )  # fmt: skip
    reached = [each.notice.pk for each in left if each.notice and to.get(each.facts.customer_id)]
    RenewalNotice.objects.filter(pk__in=reached).update(mailed=True)
    emit_all(_event(each) for each in fresh)
    queue_for_event([draft for each in left for draft in _drafts(each, to.get(each.facts.customer_id, []))])


def _left(found: Sequence[Upcoming]) -> list[Upcoming]:
    """Those whose customer was not told by mail yet, each with its notice where programs were."""
    rows = RenewalNotice.objects.filter(
        subscription__in=[each.facts.subscription_id for each in found],
        renews_on__in={each.renewal.on for each in found},
    )
    told = {(row.subscription_id, row.renews_on): row for row in rows}
    with_it = [
        replace(each, notice=told.get((each.facts.subscription_id, each.renewal.on))) for each in found
    ]
    return [each for each in with_it if each.notice is None or not each.notice.mailed]


def _drafts(each: Upcoming, addresses: Sequence[str]) -> list[Draft]:
    """The mails of a renewal, one to each address."""
    return [
        Draft(
            MAIL, each.facts.public_id, to=address, dedupe=f"{each.renewal.on}:{n}",
            customer=each.row["customer__public_id"],
        )
        for n, address in enumerate(addresses)
    ]  # fmt: skip


def _event(each: Upcoming) -> RenewalUpcoming:
    return RenewalUpcoming(
        each.facts.public_id,
        each.row["version"],
        customer=each.row["customer__public_id"],
        renews_on=each.renewal.on.isoformat(),
        trial=each.renewal.trial,
        billed_on=each.bill.on.isoformat(),
        currency=each.facts.currency,
        total_minor=each.bill.total_minor,
        metered=each.bill.metered,
    )
