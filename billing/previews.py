"""What will be billed: the next invoice of a subscription, and what a run would do, by the run's own functions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from billing.counted import bills_first
from billing.domain.charges import ACTIVE, Charge, charge
from billing.domain.dues import Odd, unused_from
from billing.domain.facts import SubscriptionFacts
from billing.domain.gate import Finding
from billing.domain.invoices import deposit_percent, invoices_of
from billing.domain.prepaid import metered_minor
from billing.expectation import Expectation, judge, missed, with_nothing
from billing.findings import held, told
from billing.models import (
    LateUsage,
    Subscription,
)
from billing.selectors import (
    billable,
    billable_again,
    closed_books,
    preview,
    subscription_facts,
    to_bill,
)
from billing.together import NextCredit, Seen, invoice_with
from core.errors import AppError
from core.money import Money
from customers.selectors import billing_facts
from invoicing.domain.terms import deposit_of
from invoicing.domain.totals import Totals, totals
from invoicing.prepaid import would_pay

PREVIEWED = 1000


@dataclass(frozen=True, slots=True)
class NextBill:
    """What the next invoice of a subscription, as of a day, will say and what is credited with it, or why it cannot be.

    `charges` are all that the invoice bills, the subscription's own among them; none where it makes no invoice.
    `prepaid_minor` of its total is paid out of the customer's prepaid balance, if that stays as it is.
    """

    charge: Charge | None
    totals: Totals | None
    odd: str = ""
    credits: tuple[NextCredit, ...] = ()
    as_of: date | None = None
    charges: tuple[Charge, ...] = ()
    prepaid_minor: int = 0

    @property
    def due_minor(self) -> int:
        """What is left to pay of it, less what is credited with it; below zero where more is credited."""
        total = self.totals.total_minor - self.prepaid_minor if self.totals is not None else 0
        return total - sum(each.totals.total_minor for each in self.credits)

    @property
    def deposit_minor(self) -> int:
        """What of its total is due on its day, where the rest is due later; what is paid in advance counts for it."""
        if self.totals is None or not self.charges:
            return 0
        terms, percent = self.charges[0].facts.terms_days, deposit_percent(self.charges)
        return max(0, deposit_of(self.totals.total_minor, percent, terms) - self.prepaid_minor)

    @property
    def others(self) -> list[str]:
        """Public ids of other subscriptions on the same invoice."""
        return [each.facts.public_id for each in self.charges if each is not self.charge]


def next_bill(
    row: Subscription,
    *,
    today: date,
    settled: bool = False,
    alone: bool = False,
    facts: SubscriptionFacts | None = None,
    seen: Seen | None = None,
) -> NextBill:
    """The next invoice of a subscription, by the run's own function. Inside work().

    It is as of the day on which something is due next, or late usage is, or today, if that is later; `settled`: of its
    bill, when all that ends within a billed period has ended, as previews ask; `alone`: without what others have on the
    same invoice; `seen`: with what previews found before in this transaction. Of one that has ended there is none, but
    where usage came late.
    """
    known = facts
    if known is None and (row.state == ACTIVE or LateUsage.objects.filter(subscription=row).exists()):
        (known,) = subscription_facts([row.pk])
    if known is None or (row.state != ACTIVE and not any(item.late for item in known.items)):
        return NextBill(None, None)
    known, as_of = _comes(row, known, today, settled=settled)
    (known,) = to_bill([known], as_of)
    try:
        found = charge(known, as_of)
        less = found.credits or any(each.back for each in found.corrections)
        given = (seen or Seen()).credits_with(found, as_of) if less else ()
    except (Odd, AppError) as reason:  # what cannot be credited, as in closed books, is not billed either
        return NextBill(None, None, str(reason))
    if not found.drafts and not given:
        return NextBill(None, None)
    whole = (found,) if alone else invoice_with(found, as_of, today)
    paid = would_pay(
        metered_minor(whole),
        customer_id=known.customer_id,
        entity_id=known.entity_id,
        currency=known.currency,
        on=as_of,
    )
    return NextBill(found, _totals(whole), credits=given, as_of=as_of, charges=whole, prepaid_minor=paid)


def _comes(
    row: Subscription, facts: SubscriptionFacts, today: date, *, settled: bool
) -> tuple[SubscriptionFacts, date]:
    """The day of the run that makes the next invoice, and the facts without what another run bills before."""
    late = facts.late_on
    alone = late is not None and not bills_first(row, max(late, today))
    if late is not None and alone and (row.state != ACTIVE or not settled):
        return facts, max(late, today)
    ends = [day for item in facts.items if (day := unused_from(facts, item)) is not None]
    if alone:
        facts = replace(facts, items=tuple(replace(item, late=None) for item in facts.items))
    return facts, max([row.next_bill_on, today, *(ends if settled else ())])


def _totals(invoice: Sequence[Charge]) -> Totals:
    return totals(tuple(line for each in invoice for line in each.drafts))


@dataclass(frozen=True, slots=True)
class CurrencyPreview:
    """What a run would bill in one currency."""

    count: int
    net: Money
    total: Money


@dataclass(frozen=True, slots=True)
class WouldHold:
    """A subscription that a run would put aside: whose, why, and what the gate finds, as it would be stored."""

    subscription: str
    name: str
    reason: str
    findings: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class RunPreview:
    """What a run would do: invoices and totals by currency, what it would hold and why; `more` was not looked at.

    `closed` says whose books keep it from billing all that is due.
    """

    count: int
    sums: list[CurrencyPreview]
    odd: list[WouldHold]
    more: int
    closed: str


def run_preview(as_of: date) -> RunPreview:
    """What a run for the day would bill, by the run's own function, the first 1000 subscriptions. Inside work()."""
    lines, found = judged_preview(as_of)
    return RunPreview(
        count=len(lines),
        sums=_sums(lines),
        odd=_named(found[:50]),
        more=max(0, billable(as_of).count() + billable_again(as_of).count() - PREVIEWED),
        closed=closed_books(as_of),
    )


def judged_preview(
    as_of: date,
) -> tuple[list[Charge], list[tuple[SubscriptionFacts, str, Sequence[Finding]]]]:
    """What a run for the day would bill, and what it would hold with the reason, of the first 1000. Inside work()."""
    charges, odd = preview(as_of, limit=PREVIEWED)
    charges += with_nothing(missed(as_of), as_of)
    judged = judge(charges, Expectation(as_of))
    lines = [each for each in charges if each.drafts and each.facts.subscription_id not in judged.findings]
    facts = {each.facts.subscription_id: each.facts for each in charges}
    found: list[tuple[SubscriptionFacts, str, Sequence[Finding]]] = [(each, why, ()) for each, why in odd]
    found += [(facts[pk], reason, findings) for pk, reason, findings in held(judged.findings)]
    return lines, found


def _sums(charges: Sequence[Charge]) -> list[CurrencyPreview]:
    groups: dict[str, list[Totals]] = defaultdict(list)
    for each in invoices_of(charges):
        groups[each[0].facts.currency].append(_totals(each))
    return [
        CurrencyPreview(
            len(all_of_it),
            Money(sum(each.net_minor for each in all_of_it), code),
            Money(sum(each.total_minor for each in all_of_it), code),
        )
        for code, all_of_it in sorted(groups.items())
    ]


def _named(found: Sequence[tuple[SubscriptionFacts, str, Sequence[Finding]]]) -> list[WouldHold]:
    customers = billing_facts({facts.customer_id for facts, _, _ in found})
    return [
        WouldHold(facts.public_id, customers[facts.customer_id].name, reason, told(findings))
        for facts, reason, findings in found
    ]
