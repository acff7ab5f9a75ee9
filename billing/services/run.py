"""The billing run: everything due by a local date becomes issued invoices, in batches, each all or nothing.

Killed anywhere, it is started again and bills only what is missing: a period is billed in the transaction that
writes its BilledPeriod, which the database knows as unique.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial

from django.db import OperationalError
from django.db.models import F, QuerySet

from billing.domain.charges import ENDED, Charge
from billing.domain.dues import Due
from billing.domain.facts import SubscriptionFacts
from billing.domain.invoices import deposit_percent, invoices_of
from billing.domain.lines import discount_minor
from billing.domain.prepaid import metered_minor
from billing.events import BillingRunFinished, BillingRunStopped, SubscriptionEnded
from billing.expectation import MISSED, Expectation, Judged, judge, missed, with_nothing
from billing.findings import Held, held, told
from billing.models import (
    WHY,
    BilledPeriod,
    BillingRun,
    DiscountShare,
    HeldSubscription,
    Subscription,
    SubscriptionDiscount,
)
from billing.selectors import (
    billable,
    billable_again,
    closed_books,
    due,
    due_again,
    priced,
    subscription_facts,
    to_bill,
)
from billing.services.corrections import correct
from billing.services.credits import give_credits
from billing.services.late_usage import have_alone, leave, settle
from core import bulk, clock
from core.events import emit, emit_all
from core.locks import claim, lock
from core.money import from_decimal
from core.scope import work
from core.suspension import Suspended, require_live
from customers.services.customers import claim_customers
from invoicing.services.drafts import DocumentDraft, write_drafts
from invoicing.services.issue import issue
from invoicing.services.prepaid import hold, pay_in_advance
from ledger.services.post import PeriodClosed

log = logging.getLogger(__name__)

BATCH = 500
CUSTOMERS = 100
"""Of so many customers who want one invoice at once."""


def open_run(as_of: date) -> BillingRun:
    """The organization's run for a date: made, or rejoined when it is there. Natural key: the date."""
    with work():
        run: BillingRun = BillingRun.objects.get_or_create(as_of=as_of)[0]
    return run


def run_billing(as_of: date, *, batch: int = BATCH) -> BillingRun:
    """Bill everything due by `as_of`, a local date, and return the run. Opens its own transactions.

    Promises that each period is billed once whatever runs beside or again, that nothing the gate finds odd is issued
    before a person said yes to it, and that one subscription that is held, with its reason, stops nothing. Emits
    invoice.issued per document and billing_run.finished.
    What is no subscription's fault holds none. A run ends stopped, with the reason, at the batch that finds the
    organization suspended, and when something is left because a legal entity's books of the day are closed; started
    again it goes on. Raises OperationalError when the database is busy.
    """
    run = open_run(as_of)
    expected = Expectation(as_of)
    try:
        if run.finished_at is None:
            _look_for_missing(run, expected)
        while _bill_batch(run, batch, expected):
            pass
    except (PeriodClosed, Suspended) as reason:
        return _end(run, reason.message)
    return _end(run)


def _end(run: BillingRun, why: str = "") -> BillingRun:
    """Write how the run ended, once: done when nothing is left to bill, else stopped, and why."""
    with work():
        left = due(run.as_of).exists() or due_again(run.as_of).exists()
        why = (why or closed_books(run.as_of)) if left else ""
        state = "stopped" if why else "done"
        ended = (
            BillingRun.objects.filter(pk=run.pk)
            .exclude(state=state, stopped_why=why)
            .update(state=state, stopped_why=why, finished_at=clock.now(), version=F("version") + 1)
        )
        run.refresh_from_db()
        if ended and state == "done":
            emit(
                BillingRunFinished(
                    run.public_id, run.version, as_of=str(run.as_of), documents=run.documents, held=run.held
                )
            )
        elif ended:
            emit(BillingRunStopped(run.public_id, run.version, as_of=str(run.as_of), why=why))
    return run


def give_up(as_of: date, why: str) -> None:
    """End the run of a day that nobody comes for any more, with the reason; an ended one stays. Inside work()."""
    ended = BillingRun.objects.filter(as_of=as_of, state="running").update(
        state="stopped", stopped_why=why[:WHY], finished_at=clock.now(), version=F("version") + 1
    )
    if ended:
        run = BillingRun.objects.get(as_of=as_of)
        emit(BillingRunStopped(run.public_id, run.version, as_of=str(as_of), why=run.stopped_why))


def _look_for_missing(run: BillingRun, expected: Expectation) -> None:
    """Hold what should be due and is not: nobody would miss it before its customer left."""
    with work():
        require_live()
        late = Subscription.objects.filter(
            pk__in=missed(run.as_of), state="active", held_at=None, next_bill_on__gt=run.as_of
        )
        rows = claim(late.order_by("id"), MISSED)
        if rows:
            charges = with_nothing([row.pk for row in rows], run.as_of)
            _hold(run, held(judge(charges, expected).findings))


def _bill_batch(run: BillingRun, size: int, expected: Expectation) -> bool:
    """Bill up to `size` subscriptions; False when nothing was due. A batch that fails is billed one by one.

    When no bill is due any more it is the turn of late usage that waited for none.
    """
    try:
        with work():
            require_live()
            if found := _alone(run, size) or _together(run):
                return _bill(run, found, expected)
            return _bill(run, _again(run, size), expected, again=True)
    except Suspended:
        raise
    except Exception:
        log.exception(
            "A batch of billing run %s failed; billing its subscriptions one by one.", run.public_id
        )
        return _bill_singly(run, size, expected)


def _alone(run: BillingRun, size: int) -> list[int]:
    """What is due of customers who want an invoice for each, up to `size`, and nobody else bills meanwhile."""
    rows = claim(billable(run.as_of).filter(customer__one_invoice=False), size)
    return [row.pk for row in rows]


def _just(run: BillingRun, subscription_id: int) -> list[int]:
    """The subscription, if it is still due and nobody else bills it."""
    return [row.pk for row in claim(billable(run.as_of).filter(pk=subscription_id), 1)]


def _again(run: BillingRun, size: int, **which: int) -> list[int]:
    """What is due for late usage alone, when no bill is due any more, and nobody else bills meanwhile."""
    waiting = billable_again(run.as_of).filter(**which).order_by("customer_id", "id")
    return [row.pk for row in claim(waiting, size)]


def _together(run: BillingRun, **which: int) -> list[int]:
    """Everything due of some customers who want it on one invoice, which nobody else bills meanwhile.

    The customers are locked for that; what somebody changes just now waits for them, and is billed as it then is.
    """
    waiting = billable(run.as_of).filter(customer__one_invoice=True, **which)
    customers = claim_customers(waiting.values("customer_id"), CUSTOMERS)
    return [row.pk for row in lock(waiting.filter(customer_id__in=customers))] if customers else []


def _bill_singly(run: BillingRun, size: int, expected: Expectation) -> bool:
    """Bill what is due one by one, first what is together together, and hold what cannot be billed even alone."""
    with work():
        waiting = _waiting(billable(run.as_of), size)
        again = [] if waiting else _waiting(billable_again(run.as_of), size)
    for customer_id in {customer_id: None for _, customer_id, together in waiting if together}:
        _tried(run, partial(_together, run, customer_id=customer_id), expected)
    for subscription_id, _, _ in (*waiting, *again):
        take = partial(_again, run, 1, pk=subscription_id) if again else partial(_just, run, subscription_id)
        if (error := _tried(run, take, expected, again=bool(again))) is not None:
            with work():
                _hold(run, [(subscription_id, f"{type(error).__name__}: {error}"[:500], ())])
    return bool(waiting)


def _waiting(rows: "QuerySet[Subscription]", size: int) -> list[tuple[int, int, bool]]:
    found = rows.values_list("id", "customer_id", "customer__one_invoice")
    return list(found.order_by("customer__one_invoice", "customer_id", "id")[:size])


def _tried(
    run: BillingRun, take: Callable[[], list[int]], expected: Expectation, *, again: bool = False
) -> Exception | None:
    """Bill some for themselves and return what was wrong with them; raises what is no subscription's fault."""
    try:
        with work():
            require_live()
            _bill(run, take(), expected, again=again)
    except (PeriodClosed, OperationalError, Suspended):
        raise
    except Exception as error:
        log.exception("Subscriptions of billing run %s cannot be billed.", run.public_id)
        return error
    return None


def _bill(
    run: BillingRun, subscription_ids: Sequence[int], expected: Expectation, *, again: bool = False
) -> bool:
    """Bill the subscriptions, which are locked; False when there are none.

    `again`: for their late usage alone, when nothing else is due of them.
    """
    if not subscription_ids:
        return False
    bulk.plan_anew()
    facts = subscription_facts(subscription_ids)
    taken = have_alone(facts)
    charges, odd = priced(to_bill(leave(facts, taken), run.as_of), run.as_of)
    judged = judge(charges, expected)
    _hold(run, [*((facts.subscription_id, reason, ()) for facts, reason in odd), *held(judged.findings)])
    passed = [each for each in charges if each.facts.subscription_id not in judged.findings]
    groups = invoices_of(passed)
    metered = [metered_minor(each) for each in groups]
    funds = hold(each[0].facts.customer_id for each, minor in zip(groups, metered, strict=True) if minor)
    document_ids = write_drafts([_draft(each) for each in groups])
    billed = [(each, pk) for group, pk in zip(groups, document_ids, strict=True) for each in group]
    periods = BilledPeriod.objects.bulk_create(_periods(run, billed, judged))
    _keep_shares(periods, [(each.facts, due) for each, _ in billed for due in each.dues])
    _advance([each for each in passed if each.dues or each.credits] if again else passed)
    issued = issue(document_ids, issued_on=run.as_of, reason=f"Billing run of {run.as_of:%-d %B %Y}")
    documents = {row.pk: row for row in issued}
    pay_in_advance(funds, dict(zip(document_ids, metered, strict=True)), documents, on=run.as_of)
    invoices = {each.facts.subscription_id: documents[pk] for each, pk in billed}
    notes = give_credits(run, passed, invoices) + correct(run, passed, invoices)
    settle(passed, taken, run.as_of)
    BillingRun.objects.filter(pk=run.pk).update(
        billed=F("billed") + sum(len(each.dues) for each, _ in billed),
        documents=F("documents") + len(document_ids),
        credit_notes=F("credit_notes") + notes,
        state="running",
        stopped_why="",
    )
    return True


def _draft(group: Sequence[Charge]) -> DocumentDraft:
    facts: SubscriptionFacts = group[0].facts
    return DocumentDraft(
        kind="invoice",
        entity_id=facts.entity_id,
        customer_id=facts.customer_id,
        currency=facts.currency,
        terms_days=facts.terms_days,
        deposit_percent=deposit_percent(group),
        source=f"{facts.public_id}:{group[0].drafts[0].source}",
        lines=tuple(line for each in group for line in each.drafts),
        autopay=facts.autopay,
    )


def _periods(run: BillingRun, billed: Sequence[tuple[Charge, int]], judged: Judged) -> list[BilledPeriod]:
    return [
        BilledPeriod(
            subscription_id=each.facts.subscription_id,
            item_id=due.item.item_id,
            run=run,
            document_id=document_id,
            period_start=due.span.start,
            period_end=due.span.end,
            until=due.until,
            amount_minor=line.amount_minor,
            discount_minor=discount_minor(each.facts.currency, due),
            quantity=due.quantity,
            terms=judged.kept[due.item.item_id],
        )
        for each, document_id in billed
        for due, line in zip(each.dues, each.lines, strict=True)
    ]


def _keep_shares(periods: Sequence[BilledPeriod], billed: Sequence[tuple[SubscriptionFacts, Due]]) -> None:
    """Keep what each period had of amounts per bill; at most two statements."""
    shared = [
        (period, part, due, facts.currency)
        for period, (facts, due) in zip(periods, billed, strict=True)
        for part in due.discounts
        if part.of is not None
    ]
    if not shared:
        return
    named = {part.key for _, part, _, _ in shared}
    ids = dict(SubscriptionDiscount.objects.filter(public_id__in=named).values_list("public_id", "pk"))
    DiscountShare.objects.bulk_create(
        [
            DiscountShare(
                discount_id=ids[part.key],
                period=period,
                due_on=due.on,
                amount_minor=from_decimal(part.amount, currency).minor,
            )
            for period, part, due, currency in shared
        ]
    )


def _advance(charges: Sequence[Charge]) -> None:
    """Say of each subscription when it is due next and which plan is in force; one statement."""
    bulk.update(
        Subscription,
        [
            {
                "id": each.facts.subscription_id,
                "next_bill_on": each.next_bill_on,
                "next_bill_at": each.next_bill_at,
                "state": each.state,
                "price_id": each.plan.price_id,
                "quantity": each.plan.quantity,
            }
            for each in charges
        ],
    )
    ended = {each.facts.subscription_id: each for each in charges if each.state == ENDED}
    if ended:
        over = Subscription.objects.filter(pk__in=ended)
        over.update(version=F("version") + 1)
        rows = over.values_list("pk", "public_id", "version", "customer__public_id")
        emit_all(
            SubscriptionEnded(
                name, version, customer=customer, ended_on=str(ended[pk].next_bill_on),
                at=str(ended[pk].facts.ends_time),
            )
            for pk, name, version, customer in rows
        )  # fmt: skip


def _hold(run: BillingRun, found: Sequence[Held]) -> None:
    """Put subscriptions aside with their reason until a person releases them; three statements for any number."""
    if not found:
        return
    at = clock.now()
    HeldSubscription.objects.bulk_create(
        [
            HeldSubscription(run=run, subscription_id=pk, reason=reason, findings=told(why), at=at)
            for pk, reason, why in found
        ],
        update_conflicts=True,
        unique_fields=["organization", "run", "subscription"],
        update_fields=["reason", "findings", "at"],
    )
    bulk.update(Subscription, [{"id": pk, "held_at": at, "held_reason": reason} for pk, reason, _ in found])
    BillingRun.objects.filter(pk=run.pk).update(held=F("held") + len(found))
