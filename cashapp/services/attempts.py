"""Charging: intent written and committed, gateway asked with no transaction open, answer recorded once.

Whoever learns the outcome (the caller, a webhook, the sweeper, two of them at once) records it through the same
function under the attempt's lock; the second finds it recorded.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from django.db import IntegrityError, transaction

from cashapp.domain.states import LIVE, MOVES, State
from cashapp.events import ChargeFailed
from cashapp.gateways.port import ChargeRequest, ChargeResult, NoAnswer, Outcome
from cashapp.gateways.registry import gateway
from cashapp.models import CODE, MESSAGE, METHOD, Attempt, AttemptItem
from cashapp.services import tries
from cashapp.services.payments import book
from core import clock, states
from core.errors import Conflict, Invalid, KeyReused, NotFound
from core.events import emit
from core.locks import lock_one
from core.money import Money
from core.scope import work
from core.suspension import require_live
from customers.selectors import billing_facts
from receivables.selectors import states_by_id
from receivables.services.allocate import TooMuch
from receivables.services.reserve import release, reserve
from tenants.selectors import entity_facts

log = logging.getLogger(__name__)

CHECK_AFTER = timedelta(minutes=2)
GIVE_UP_AFTER = timedelta(minutes=15)  # far beyond any request's timeout: a late one cannot arrive after it
EXPIRE_AFTER = timedelta(hours=1)  # longer than a bank's page lets anybody think
NEVER_TAKEN = "gateway_unreachable"


class AlreadyUnderWay(Conflict):
    """Another payment of one of the items has not ended yet."""

    code = "payment_under_way"


def pay(*, key: str, amounts: Mapping[int, int], method: str, description: str) -> Attempt:
    """Charge positive minor units of debit items (by id) to a payment method. Opens its own transactions.

    Natural key: `key`, the payer's intent: asked again it charges nothing more and returns the attempt as it
    stands. Raises KeyReused when the key was used for other amounts or another method, AlreadyUnderWay, TooMuch,
    Invalid, NoGateway, Suspended; then nothing was charged.
    """
    gateway()
    if not method.isprintable() or not 0 < len(method) <= METHOD:
        raise Invalid("Choose how to pay. Nothing was charged.")
    with work():
        attempt = intend(key, amounts, method, description)
    if attempt.state == State.CREATED:
        return send(attempt)
    return attempt


def intend(
    key: str, amounts: Mapping[int, int], method: str, description: str, saved_id: int | None = None
) -> Attempt:
    """The attempt for this key, written with its reservations unless it is there. Inside work().

    With `saved_id`, the kept card whose token `method` is, nobody is there to confirm anything. Raises as `pay`.
    """
    found = _intended(key, amounts, method)
    if found is not None:
        return found
    require_live()
    if not amounts:
        raise Invalid("There is nothing to pay.")
    if AttemptItem.objects.filter(item_id__in=amounts, live=True).exists():
        raise AlreadyUnderWay("A payment of this is under way. Nothing more was charged.")
    try:
        items = reserve(amounts)
    except TooMuch:
        if (found := _intended(key, amounts, method)) is not None:  # the other click committed meanwhile
            return found
        raise
    owners = {(item.customer_id, item.entity_id, item.currency) for item in items}
    if len(owners) != 1:
        raise Invalid("One payment is for one customer and one currency.")
    ((customer_id, entity_id, currency),) = owners
    try:
        with transaction.atomic():
            attempt = Attempt.objects.create(
                key=key,
                customer_id=customer_id,
                entity_id=entity_id,
                gateway=gateway().name,
                method=method,
                minor=sum(amounts.values()),
                currency=currency,
                description=description,
                saved_id=saved_id,
                intended_at=clock.now(),
                check_at=clock.now() + CHECK_AFTER,
            )
            AttemptItem.objects.bulk_create(
                AttemptItem(attempt=attempt, item_id=item_id, minor=minor)
                for item_id, minor in amounts.items()
            )
    except IntegrityError as error:
        raise AlreadyUnderWay("A payment of this is under way. Nothing more was charged.") from error
    return attempt


def _intended(key: str, amounts: Mapping[int, int], method: str) -> Attempt | None:
    found = Attempt.objects.filter(key=key).first()
    if found is not None:
        parts = dict(AttemptItem.objects.filter(attempt=found).values_list("item_id", "minor"))
        if parts != dict(amounts) or found.method != method:
            raise KeyReused("This form was used before. Nothing more was charged; look at the amount again.")
    return found


def send(attempt: Attempt) -> Attempt:
    """Ask the gateway and record what it says. No transaction is open while it is asked."""
    with work():
        states.move(attempt, State.SENT, moves=MOVES)
    request = ChargeRequest(
        attempt.key,
        Money(attempt.minor, attempt.currency),
        attempt.method,
        attempt.description,
        off_session=attempt.saved_id is not None,
    )
    try:
        result = gateway(attempt.gateway).charge(request)
    except NoAnswer:
        log.warning("The gateway did not answer about attempt %s.", attempt.public_id)
        return _unknown(attempt)
    return record(attempt.public_id, result)


def _unknown(attempt: Attempt) -> Attempt:
    with work():
        locked = lock_one(Attempt.objects.filter(pk=attempt.pk))
        if locked.state == State.SENT:  # a webhook may have been faster
            states.move(locked, State.UNKNOWN, moves=MOVES, reason="no answer")
    return locked


def record(public_id: str, result: ChargeResult) -> Attempt:
    """Record an outcome once, whoever brings it: payment, allocation, state, events, in one transaction of its own.

    Locks the attempt, then the items. An outcome already recorded changes nothing. Emits payment.received or
    charge.failed.
    """
    with work():
        attempt = lock_one(Attempt.objects.filter(public_id=public_id))
        wanted = State(str(result.outcome))
        if attempt.state == wanted or wanted not in MOVES[State(attempt.state)]:
            return attempt
        was_live = attempt.state in LIVE
        parts = dict(AttemptItem.objects.filter(attempt=attempt).values_list("item_id", "minor"))
        if wanted != State.ACTION_REQUIRED and was_live:
            release(parts)
            AttemptItem.objects.filter(attempt=attempt).update(live=False)
        if wanted == State.SUCCEEDED:
            _book(attempt, result, parts)
        if wanted == State.DECLINED:
            _say_failed(attempt, result.code[:CODE])
        states.move(
            attempt,
            wanted,
            moves=MOVES,
            reason=result.code,
            reference=result.reference,
            code=result.code[:CODE],
            message=result.message[:MESSAGE],
            check_at=clock.now() + CHECK_AFTER if wanted == State.ACTION_REQUIRED else None,
        )
    return attempt


def _book(attempt: Attempt, result: ChargeResult, parts: Mapping[int, int]) -> None:
    """Book the money; of an attempt given up before, only what is still open can be applied."""
    now = states_by_id(parts)
    applied = {
        item_id: min(minor, now[item_id].available_minor)
        for item_id, minor in parts.items()
        if now[item_id].available_minor > 0
    }
    book(
        customer_id=attempt.customer_id,
        entity_id=attempt.entity_id,
        amount=Money(attempt.minor, attempt.currency),
        received_on=clock.today(entity_facts()[attempt.entity_id].zone),
        provider=attempt.gateway,
        provider_ref=result.reference,
        method="card",
        memo=attempt.description,
        parts=applied,
        attempt=attempt,
    )


def _say_failed(attempt: Attempt, code: str) -> None:
    customer = billing_facts([attempt.customer_id])[attempt.customer_id]
    emit(
        ChargeFailed(
            attempt.public_id,
            attempt.version + 1,
            customer=customer.public_id,
            currency=attempt.currency,
            minor=attempt.minor,
            code=code,
            automatic=attempt.saved_id is not None,
        )
    )


def ask(attempt: Attempt) -> Attempt:
    """Ask the gateway what became of an attempt and record it; called by the sweeper and after a webhook.

    One that the gateway never took is abandoned after GIVE_UP_AFTER; one whose payer did not confirm it is given up
    at the gateway after EXPIRE_AFTER. Its items are free again then; money that comes all the same is booked. Raises
    NoAnswer about one that ended, which no sweeper would ask about again.
    """
    age = clock.now() - attempt.intended_at
    try:
        result = gateway(attempt.gateway).find(attempt.key)
        if result is not None:
            attempt = record(attempt.public_id, result)
        elif age >= GIVE_UP_AFTER:
            return _abandon(attempt)
        if attempt.state == State.ACTION_REQUIRED and age >= EXPIRE_AFTER:
            attempt = _expire(attempt)
    except NoAnswer:
        if attempt.state not in LIVE:
            raise
    if attempt.state in LIVE:
        with work():
            ask_again_later(attempt)
    return attempt


def _expire(attempt: Attempt) -> Attempt:
    """Give an attempt up at the gateway, and record what it is then: a payer may have been faster."""
    result = gateway(attempt.gateway).cancel(attempt.reference)
    if result.outcome == Outcome.DECLINED:
        result = replace(result, code="expired", message="The payment was not confirmed in time.")
    return record(attempt.public_id, result)


def ask_again_later(attempt: Attempt) -> None:
    """Have the sweeper ask again after a while, if it would ask at all. Inside work()."""
    Attempt.objects.filter(pk=attempt.pk, check_at__isnull=False).update(check_at=clock.now() + CHECK_AFTER)


def _abandon(attempt: Attempt) -> Attempt:
    with work():
        locked = lock_one(Attempt.objects.filter(pk=attempt.pk))
        if State.ABANDONED in MOVES[State(locked.state)]:
            release(dict(AttemptItem.objects.filter(attempt=locked).values_list("item_id", "minor")))
            AttemptItem.objects.filter(attempt=locked).update(live=False)
            if locked.saved_id is not None and not tries.plan_next(locked.key):  # nobody is there to see it
                _say_failed(locked, NEVER_TAKEN)
            states.move(
                locked, State.ABANDONED, moves=MOVES, reason="the gateway never took it", check_at=None
            )
    return locked


def give_up(public_id: str) -> Attempt:
    """Cancel an attempt that waits for the payer's authentication, so that another card can be tried."""
    attempt = attempt_row(public_id)
    if attempt.state != State.ACTION_REQUIRED:
        raise AlreadyUnderWay("This payment cannot be given up now.")
    try:
        result = gateway(attempt.gateway).cancel(attempt.reference)
    except NoAnswer as error:
        raise AlreadyUnderWay("The gateway does not answer. Nothing was changed; try again.") from error
    return record(public_id, result)


def attempt_row(public_id: str) -> Attempt:
    """The attempt with this public id, read in a work() of its own; raises NotFound."""
    with work():
        found = Attempt.objects.filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That payment is not here.")
    return found
