"""What members are told of billing."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from billing.events import (
    BillingRunFinished,
    BillingRunStopped,
    SubscriptionChangedByCustomer,
    SubscriptionEndedByCustomer,
    SubscriptionKeptByCustomer,
    UsageThresholdReached,
)
from billing.models import BulkChange, Plan
from billing.permissions import RUNS_START, RUNS_VIEW, SUBSCRIPTIONS_VIEW, USAGE_VIEW
from billing.services.bulk_jobs import LOOK, RUN
from core.jobs import JobEnded
from core.models import OutboxEvent
from core.templatetags.fmt import longdate, quantity
from messaging.domain.ways import Way
from messaging.notices import FINISHED, MONEY, NEEDED, Kind, Occasion, Said, Told, declare


def _day(facts: Any) -> str:
    return longdate(date.fromisoformat(facts["as_of"]))


def _billed(row: OutboxEvent) -> Occasion | None:
    return Occasion(row.object_public_id, row.payload) if row.payload["documents"] else None


def _held(row: OutboxEvent) -> Occasion | None:
    return Occasion(row.object_public_id, row.payload) if row.payload["held"] else None


def _say_finished(told: Told) -> Said:
    n = told.facts["documents"]
    detail = ngettext("%(n)s invoice issued", "%(n)s invoices issued", n) % {"n": n}
    title = _("Billing run of %(day)s finished") % {"day": _day(told.facts)}
    return Said(title, detail, ("run", told.about))


def _say_held(told: Told) -> Said:
    n = told.facts["held"]
    title = ngettext(
        "%(n)s subscription is held for a look", "%(n)s subscriptions are held for a look", n
    ) % {"n": n}
    detail = _("Billing run of %(day)s; each says why, and is billed when it is fixed or released.")
    return Said(title, detail % {"day": _day(told.facts)}, ("run", told.about))


def _say_stopped(told: Told) -> Said:
    title = _("Billing run of %(day)s stopped") % {"day": _day(told.facts)}
    return Said(title, told.facts["why"], ("run", told.about))


declare(
    Kind(
        name="billing.held",
        label=gettext_lazy("A billing run holds subscriptions for a look"),
        group=NEEDED,
        permission=RUNS_VIEW,
        act=RUNS_START,
        say=_say_held,
        pick=_held,
        icon="player-pause",
        tone="warn",
        way=Way.DIGEST,
    ),
    BillingRunFinished,
)
declare(
    Kind(
        name="billing.stopped",
        label=gettext_lazy("A billing run stops before everything is billed"),
        group=NEEDED,
        permission=RUNS_VIEW,
        act=RUNS_START,
        say=_say_stopped,
        icon="alert-triangle",
        tone="bad",
        way=Way.MAIL,
    ),
    BillingRunStopped,
)
declare(
    Kind(
        name="billing.finished",
        label=gettext_lazy("A billing run that issued invoices is finished"),
        group=FINISHED,
        permission=RUNS_VIEW,
        say=_say_finished,
        pick=_billed,
        icon="file-invoice",
        tone="ok",
    ),
    BillingRunFinished,
)


def _say_reached(told: Told) -> Said:
    said = {"meter": told.facts["meter"], "threshold": quantity(Decimal(told.facts["threshold"]))}
    detail = _("%(customer)s: %(value)s since %(day)s") % {
        "customer": told.name(told.facts["customer"]) or told.facts["subscription"],
        "value": quantity(Decimal(told.facts["value"])),
        "day": longdate(date.fromisoformat(told.facts["period_start"])),
    }
    title = _("Usage of %(meter)s has reached %(threshold)s") % said
    page = ("subscription-usage", told.facts["subscription"])
    return Said(title, detail, page, urlencode({"meter": told.facts["meter"]}))


declare(
    Kind(
        name="usage.reached",
        label=gettext_lazy("Usage reaches the figure of an alert"),
        group=MONEY,
        permission=USAGE_VIEW,
        say=_say_reached,
        icon="gauge",
        tone="warn",
        way=Way.DIGEST,
    ),
    UsageThresholdReached,
)


def _say_ended(told: Told) -> Said:
    name = told.name(told.facts["customer"]) or told.facts["customer"]
    last = date.fromisoformat(told.facts["ends_on"]) - timedelta(days=1)
    title = _("%(customer)s has ended a subscription") % {"customer": name}
    return Said(title, _("Through %(day)s") % {"day": longdate(last)}, ("subscription", told.about))


declare(
    Kind(
        name="subscription.ended_by_customer",
        label=gettext_lazy("A customer ends a subscription"),
        group=MONEY,
        permission=SUBSCRIPTIONS_VIEW,
        say=_say_ended,
        icon="ban",
        tone="warn",
        way=Way.DIGEST,
    ),
    SubscriptionEndedByCustomer,
)


def _with_plan(row: OutboxEvent) -> Occasion:
    name = Plan.objects.values_list("name", flat=True).get(code=row.payload["plan"])
    return Occasion(row.object_public_id, {**row.payload, "plan": name})


def _say_changed(told: Told) -> Said:
    said = {
        "customer": told.name(told.facts["customer"]) or told.facts["customer"],
        "plan": told.facts["plan"],
    }
    title = _("%(customer)s has changed a subscription to %(plan)s") % said
    day = longdate(date.fromisoformat(told.facts["on"]))
    return Said(title, _("From %(day)s on") % {"day": day}, ("subscription", told.about))


declare(
    Kind(
        name="subscription.changed_by_customer",
        label=gettext_lazy("A customer changes a subscription to another plan"),
        group=MONEY,
        permission=SUBSCRIPTIONS_VIEW,
        say=_say_changed,
        pick=_with_plan,
        icon="arrows-exchange",
        way=Way.DIGEST,
    ),
    SubscriptionChangedByCustomer,
)


def _say_kept(told: Told) -> Said:
    said = {
        "customer": told.name(told.facts["customer"]) or told.facts["customer"],
        "plan": told.facts["plan"],
    }
    title = _("%(customer)s keeps a subscription to %(plan)s") % said
    detail = {
        "plan": _("The change from %(day)s on is taken back"),
        "end": _("The end on %(day)s is taken back"),
    }[told.facts["what"]]
    day = longdate(date.fromisoformat(told.facts["on"]))
    return Said(title, detail % {"day": day}, ("subscription", told.about))


declare(
    Kind(
        name="subscription.kept_by_customer",
        label=gettext_lazy("A customer takes back a change or an end of a subscription"),
        group=MONEY,
        permission=SUBSCRIPTIONS_VIEW,
        say=_say_kept,
        pick=_with_plan,
        icon="arrow-back-up",
        tone="ok",
        way=Way.DIGEST,
    ),
    SubscriptionKeptByCustomer,
)


def _bulk_of_who_asked(row: OutboxEvent) -> Occasion | None:
    by = {LOOK: "look", RUN: "run"}.get(row.payload["kind"])
    if by is None:
        return None
    bulk = BulkChange.objects.select_related(by).get(**{f"{by}__public_id": row.object_public_id})
    job = getattr(bulk, by)
    facts = {**row.payload, "act": bulk.act, "why": job.message}
    return Occasion(bulk.public_id, facts, key=job.public_id, users=frozenset({job.payload["user"]}))


def _say_bulk(told: Told) -> Said:
    n, good = told.facts["done"], told.facts["state"] == "done"
    if told.facts["kind"] == LOOK:
        title = _("Many subscriptions are looked at") if good else _("Looking at many subscriptions failed")
    else:
        title = _("Changing many subscriptions is done") if good else _("Changing many subscriptions failed")
    counted = ngettext("%(n)s subscription worked off", "%(n)s subscriptions worked off", n) % {"n": n}
    return Said(title, told.facts["why"] or counted, ("bulk-change", told.about))


declare(
    Kind(
        name="subscriptions.bulk",
        label=gettext_lazy("A bulk change of subscriptions that you asked for ends"),
        group=FINISHED,
        permission=SUBSCRIPTIONS_VIEW,
        say=_say_bulk,
        pick=_bulk_of_who_asked,
        icon="repeat",
    ),
    JobEnded,
)
