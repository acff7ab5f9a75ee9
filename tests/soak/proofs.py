"""Quiet, and what must be true then: proven books, each mail and each charge once, numbers without a gap."""

import re
import time
from collections import Counter
from datetime import timedelta

from django.db.models import Sum

from billing.models import BillingRun
from cashapp.models import Attempt, AttemptItem, BankLine, Payment, SandboxCharge
from core import clock
from core.books import verify
from core.models import Effect, Import, OutboxEvent
from core.scope import enter, work
from core.seals import prove as prove_audit
from invoicing.models import Document
from messaging.models import Message
from receivables.models import Allocation
from tests.soak.house import House
from tests.soak.machines import Machines, Post

WAITS = ("created", "sent", "unknown")


def drain(machines: Machines, post: Post, houses: list[House], seconds: float = 300) -> list[str]:
    """End what is half done, let time pass for whatever waits, and work until nothing is due; what is left."""
    machines.kill()
    post.come(["ok"])
    for house in houses:
        with enter(house.scope), work():
            pass_time()
    machines.start()
    machines.wait_for_web()
    end = time.monotonic() + seconds
    while (left := [each for house in houses for each in undone(house)]) and time.monotonic() < end:
        time.sleep(1)
        for house in houses:
            with enter(house.scope), work():
                call_soon()
    return left


def pass_time() -> None:
    """What a dead process held runs out, and a gateway that was down is given up; nobody lives who could mind."""
    Effect.objects.filter(done_at=None).update(lease_until=None)
    long_ago = clock.wall() - timedelta(minutes=20)
    Attempt.objects.filter(state__in=WAITS).update(intended_at=long_ago, check_at=clock.wall())
    call_soon()


def call_soon() -> None:
    """Pauses between tries are over."""
    now = clock.wall()
    Effect.objects.filter(done_at=None, due_at__gt=now).update(due_at=now)
    OutboxEvent.objects.filter(relayed_at=None, next_attempt_at__gt=now + timedelta(seconds=20)).update(
        next_attempt_at=now
    )
    Attempt.objects.filter(state__in=WAITS, check_at__gt=now).update(check_at=now)


def undone(house: House) -> list[str]:
    with enter(house.scope), work():
        counts = {
            "events": OutboxEvent.objects.filter(relayed_at=None).count(),
            "effects": Effect.objects.filter(done_at=None).count(),
            "attempts": Attempt.objects.filter(state__in=WAITS).count(),
            "mails": Message.objects.filter(state__in=["queued", "sending"]).count(),
            "runs": BillingRun.objects.filter(state="running").count(),
            "imports": Import.objects.filter(state__in=["checking", "running", "undoing"]).count(),
            "pdfs": Document.objects.filter(pdf=None).exclude(state="draft").count(),
        }
        parked = [
            f"{house.slug}: parked {row}"
            for model in (OutboxEvent, Effect)
            for row in model.objects.exclude(parked_at=None).values_list("id", "last_error")
        ]
    return [*parked, *(f"{house.slug}: {n} {name} are not done" for name, n in counts.items() if n)]


def prove(machines: Machines, post: Post, houses: list[House]) -> list[str]:
    """What is not as it must be, one line each."""
    wrong = [f"{name} ended by itself" for name in machines.fallen()]
    for house in houses:
        wrong += [f"{house.slug}: {each}" for each in house.browser.errors]
        house.browser.errors.clear()
        with enter(house.scope), work():
            found = [*map(str, verify()), *charges(), *numbers(), *prove_audit().wrong]
        wrong += [f"{house.slug}: {each}" for each in found]
    return wrong + mails(machines, post, houses)


def happened(house: House) -> str:
    """What came of it all: a soak in which nothing happens proves nothing."""
    fields = {
        Document: ("kind", "state"), Payment: ("provider", "state"), Attempt: ("method", "state"),
        BankLine: ("state",), Import: ("state",), Message: ("kind", "state"), Allocation: ("debit_item__kind",),
    }  # fmt: skip
    with enter(house.scope), work():
        counts = {
            model.__name__: Counter("/".join(row) for row in model.objects.values_list(*names))
            for model, names in fields.items()
        }
    return f"{house.slug}: " + "; ".join(f"{name} {dict(found)}" for name, found in counts.items())


def charges() -> list[str]:
    """Each charge of the sandbox is one payment, and no invoice was charged for more than it asked."""
    taken = list(SandboxCharge.objects.filter(outcome="succeeded").values_list("reference", flat=True))
    booked = list(Payment.objects.filter(provider="sandbox").values_list("provider_ref", flat=True))
    wrong = [] if sorted(taken) == sorted(booked) else [f"charged {len(taken)}, booked {len(booked)}"]
    paid = AttemptItem.objects.filter(attempt__state="succeeded").values("item__label", "item__total_minor")
    return wrong + [
        f"charged too often: {row}"
        for row in paid.annotate(sum=Sum("minor"))
        if row["sum"] > row["item__total_minor"]
    ]


def numbers() -> list[str]:
    series: dict[str, list[int]] = {}
    for number in Document.objects.exclude(number="").exclude(state="draft").values_list("number", flat=True):
        prefix, _, count = number.rpartition("-")
        series.setdefault(prefix, []).append(int(re.sub(r"\D", "", count)))
    return [
        f"numbers of {prefix} have a gap or a double"
        for prefix, found in series.items()
        if sorted(found) != list(range(1, len(found) + 1))
    ]


def mails(machines: Machines, post: Post, houses: list[House]) -> list[str]:
    """A mail goes out once; twice only where a process or the connection broke off after it had been taken."""
    copies = Counter(each["Message-ID"] for each in list(post.taken))
    doubles = sum(1 for n in copies.values() if n > 1)
    wrong = [f"{n} copies of {name}" for name, n in copies.items() if n > 2]
    if doubles > machines.kills * 2 + post.drops:
        wrong.append(f"{doubles} mails went out twice")
    known = set()
    for house in houses:
        with enter(house.scope), work():
            rows = list(Message.objects.values_list("header_id", "state", "kind", "about", "to_address"))
        known |= {row[0] for row in rows}
        wrong += [
            f"not sent, though it says so: {row}" for row in rows if row[1] == "sent" and not copies[row[0]]
        ]
        wrong += [f"two messages: {key}" for key, n in Counter(row[2:] for row in rows).items() if n > 1]
    return wrong + [f"nobody wrote {name}" for name in copies if name not in known]
