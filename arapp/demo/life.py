"""Lives a story day by day through the services, as people, the billing run and the gateway would have done.

A day's work is one transaction together with the count of days done, so a seeding that was killed goes on where it
stopped. Card charges come before it, in transactions of their own, under keys that charge once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_user_model

from arapp.demo import cards, prepaid, story
from arapp.demo.people import House
from arapp.demo.story import Bill, Handwritten, Step
from billing.selectors import due
from billing.services.run import run_billing
from cashapp.services import payments
from cashapp.services.attempts import pay
from core import clock
from core.models import Effect, Job
from core.relay import relay
from core.scope import Actor, current, enter, work
from customers.lookup import named
from invoicing.domain.totals import line
from invoicing.listing import DocumentFilter, documents
from invoicing.selectors import document, lines_left
from invoicing.services import correct
from invoicing.services.credit import credit
from invoicing.services.edit import DraftContent, create_draft
from invoicing.services.issue import issue
from messaging.services.seen import read_by_everybody
from messaging.services.withdraw import skip_queued
from receivables.domain.items import Kind
from receivables.selectors import ItemState, allocations_of, item_states
from receivables.services.write_off import write_off

RUN = Actor("system", label="system")
STILL_DUE = (".pdf", "webhook", "notices.", "prepaid.")
"""Effects of the past that are done after the start all the same: files, what the gateway reports, the digest of the
last days, and the end of what was paid in advance."""


def days_of(house: House, today: date) -> list[date]:
    """Every day from the first thing that happens up to yesterday; today belongs to the product itself."""
    starts = [each.starts_on for each in story.subscribing(house, today)]
    starts += [each.on for each in story.handwritten(house, today)]
    first = min(starts)
    return [first + timedelta(days=n) for n in range((today - first).days)]


@contextmanager
def at(house: House, day: date, hour: int, minute: int = 0, *, actor: Actor | None = None) -> Iterator[None]:
    """The scope with its clock at a moment of the past, in the organization's zone, so that records are dated so."""
    moment = datetime.combine(day, time(hour, minute), ZoneInfo(house.zone))
    offset = min(moment - clock.wall(), timedelta())
    with enter(replace(current(), clock_offset=offset, actor=actor or current().actor)):
        yield


@dataclass(frozen=True, slots=True)
class Known:
    """An invoice of the story: its public id, its customer's, and what will become of it."""

    public_id: str
    customer: str


class Life:
    """One organization's days. The agenda is made again from the documents, so it need not be kept."""

    def __init__(self, house: House, job: Job) -> None:
        self.house, self.job = house, job
        self.today = date.fromisoformat(job.payload["today"])
        self.habits = {number: market.buyers[place].habit for number, market, place in story.customers(house)}
        self.written: dict[date, list[Handwritten]] = {}
        for each in story.handwritten(house, self.today):
            self.written.setdefault(each.on, []).append(each)
        self.fates = {f"manual:{each.key}": each.fate for day in self.written.values() for each in day}
        self.billing_days = story.billing_days(house, self.today)
        self.agenda: dict[date, list[Step]] = {}
        self.known: dict[str, Known] = {}
        person = (*house.members, house.owner)[0]
        user = get_user_model().objects.get(email=person.email)
        self.clerk = Actor("member", user.pk, person.name)

    def live(self) -> None:
        """All days that were not lived yet, and the drafts of today."""
        days = days_of(self.house, self.today)
        with work():
            self._look_ahead(since=days[0])
        for day in days[self.job.done :]:
            self._charge_cards(day)
            self.job.done += 1
            busy = day in self.billing_days or day in self.written or day in self.agenda
            if busy or day == prepaid.paid_on(self.today):
                with work():
                    self._live_through(day)
                    Job.objects.filter(pk=self.job.pk).update(done=self.job.done, state="running")
        cards.keep_some(self.house)
        with enter(replace(current(), actor=self.clerk)), work():
            for each in story.drafts(self.house, self.today):
                self._draft(each)

    def _live_through(self, day: date) -> None:
        """Everything of a day but card charges."""
        with at(self.house, day, 6, 10, actor=RUN):
            billed = day in self.billing_days and due(day).exists() and run_billing(day)
        written = self.written.get(day, [])
        with at(self.house, day, 10, actor=self.clerk):
            if written:
                issue([self._draft(each) for each in written], issued_on=day)
            if day == prepaid.paid_on(self.today):
                prepaid.top_up_some(day)
        if billed or written or day == prepaid.paid_on(self.today):
            self._look_ahead(since=day)
        for n, step in enumerate(self.agenda.get(day, [])):
            with at(self.house, day, 11 + n % 6, 7 * n % 60, actor=self.clerk):
                self._act(step)
        with at(self.house, day, 18, actor=RUN):
            relay([])
            if (self.today - day).days > 1:
                forget_mail()

    def _draft(self, each: Handwritten) -> int:
        customer, market = named(each.customer), each.market
        content = DraftContent(
            customer=customer,
            terms_days=customer.terms_days,
            lines=tuple(
                line(description, quantity, price, market.currency, tax_percent=market.tax_percent)
                for description, quantity, price in each.lines
            ),
        )
        return create_draft(content, key=each.key).pk

    def _look_ahead(self, *, since: date) -> None:
        """Put what will become of new invoices into the agenda."""
        found = documents(DocumentFilter(kind="invoice", issued_from=since), today=self.today)
        for row in found.select_related("customer").order_by("id"):
            if row.number in self.known or not row.total_minor:
                continue
            self.known[row.number] = Known(row.public_id, row.customer.public_id)
            bill = Bill(
                number=row.number,
                issued_on=row.issued_on,  # type: ignore[arg-type]  # an issued one has both
                due_on=row.due_on,  # type: ignore[arg-type]
                habit=self.habits[row.customer.number],
                fate="prepaid" if row.prepays else self.fates.get(row.source, ""),
            )
            for step in story.plan(bill, self.today):
                self.agenda.setdefault(step.on, []).append(step)

    def _item(self, step: Step) -> ItemState | None:
        """The open item of the invoice that the step is about."""
        public_id = self.known[step.number].public_id
        return item_states([public_id]).get(public_id)

    def _charge_cards(self, day: date) -> None:
        """A gateway is called with no transaction open; asked again after a kill, it charges nothing more."""
        for n, step in enumerate(self.agenda.get(day, [])):
            if step.act not in {"card", "declined"} or "sandbox" not in settings.PAYMENT_GATEWAYS:
                continue
            with at(self.house, day, 9, 3 * n % 60, actor=RUN):
                with work():
                    item = self._item(step)
                if item and item.available_minor:
                    pay(
                        key=f"demo:{step.key}",
                        amounts={item.item_id: item.available_minor},
                        method="card_ok" if step.act == "card" else "card_declined",
                        description=item.label,
                    )

    def _act(self, step: Step) -> None:
        acts: dict[str, Callable[[Step, ItemState], None]] = {
            "transfer": self._transfer,
            "void": self._void,
            "credit": self._credit,
            "write_off": self._write_off,
            "undo": self._undo,
        }
        item = self._item(step)
        if item and step.act in acts:
            acts[step.act](step, item)

    def _transfer(self, step: Step, item: ItemState) -> None:
        minor = item.available_minor * step.share // 100
        if minor:
            payments.record(
                customer=self.known[step.number].customer,
                minor=minor + step.extra,
                received_on=step.on,
                method="bank_transfer",
                key=f"demo:{step.key}",
                memo=f"Transfer {item.label}",
                parts={item.item_id: minor},
            )

    def _void(self, step: Step, item: ItemState) -> None:
        correct.void(item.source, on=step.on, reason="Sent to the wrong customer")

    def _credit(self, step: Step, item: ItemState) -> None:
        """A third of the first line, also of an invoice that was paid: then it stays the customer's."""
        minor = lines_left(document(item.source))[1] // 3
        credit(
            item.source, on=step.on, reason="Damaged on arrival", key=f"demo:{step.key}", amounts={1: minor}
        )

    def _write_off(self, step: Step, item: ItemState) -> None:
        write_off(
            item.item_id,
            minor=item.available_minor,
            on=step.on,
            reason="Insolvency, nothing to expect",
            key=f"demo:{step.key}",
        )

    def _undo(self, step: Step, item: ItemState) -> None:
        paid = [
            row.credit_item for row in allocations_of(item.item_id) if row.credit_item.kind == Kind.PAYMENT
        ]
        payments.reverse(paid[-1].source, on=step.on, reason="Returned by the bank")


def forget_mail() -> None:
    """Skip the messages that this day queued and mark its effects done: nobody wants a year of old mail, or of news.

    Runs in the day's own transaction, so that no worker ever sees these rows. STILL_DUE names what stays.
    """
    skip_queued(reason="Older than this installation")
    read_by_everybody()
    waiting: dict[int, Any] = dict(
        Effect.objects.filter(done_at=None, parked_at=None).values_list("id", "kind")
    )
    old = [pk for pk, kind in waiting.items() if not any(word in kind for word in STILL_DUE)]
    Effect.objects.filter(pk__in=old).update(done_at=clock.now())
