"""Bank lines by API: brought in once however often they are sent, matched, booked as proposed or as said, set aside."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cashapp.models import BankLine, Payment
from cashapp.services import incoming
from cashapp.services.lines import MATCH
from core import clock, effects
from core.models import Effect, IdempotencyKey
from core.scope import Scope, enter, work
from customers.models import Customer
from receivables.models import OpenItem
from tests import factories
from tests.db.api.conftest import Program, effects_due, pointers, same_refusal, statements
from tests.db.core.imports import brought_in, counts, csv

pytestmark = pytest.mark.usefixtures("books")
FULL = 11_900


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


def told(minor: int = FULL, **given: Any) -> dict[str, Any]:
    return {"booked_on": "2026-11-10", "amount_minor": minor, "currency": "EUR", **given}


def sent(api: Program, *lines: dict[str, Any], **headers: str) -> Any:
    return api.post("/bank_lines", {"lines": list(lines)}, **headers)


def statuses(answer: Any) -> list[str]:
    assert [answer[name] for name in ("created", "unchanged", "failed")] == [
        sum(each["status"] == name for each in answer["data"]) for name in ("created", "unchanged", "failed")
    ]
    return [each["status"] for each in answer["data"]]


def match(house: Scope) -> None:
    """What the workers would do by now."""
    with inside(house):
        Effect.objects.filter(kind=MATCH, done_at=None).update(due_at=clock.wall())
    with enter(house):
        effects.work_off([])


def lines(house: Scope) -> int:
    with inside(house):
        return BankLine.objects.count()


def payments(house: Scope) -> int:
    with inside(house):
        return Payment.objects.count()


@pytest.fixture
def kestrel(house: Scope) -> Customer:
    with inside(house):
        owner = factories.customer(name="Kestrel Freight", number="K-77")
        factories.invoice(owner)
        factories.invoice(owner)
    return owner


def items(house: Scope) -> list[str]:
    with inside(house):
        return list(OpenItem.objects.order_by("id").values_list("public_id", flat=True))


@pytest.fixture
def doubtful(api: Program, kestrel: Customer, house: Scope) -> str:
    """A line that two invoices of one customer fit equally well."""
    answer = sent(api, told(payer="Kestrel Freight", memo="Thank you"))
    match(house)
    return str(answer["data"][0]["bank_line"])


def test_what_is_certain_is_booked_by_itself(api: Program, kestrel: Customer, house: Scope) -> None:
    number = api.get("/open_items?kind=invoice")["data"][0]["label"]
    answer = sent(api, told(payer="Kestrel Freight", memo=number, external_id="T-1"))
    assert statuses(answer) == ["created"]
    line = answer["data"][0]["bank_line"]
    assert api.get(f"/bank_lines/{line}")["state"] == "open"
    match(house)
    seen = api.get(f"/bank_lines/{line}")
    assert (seen["state"], seen["proposals"], seen["external_id"]) == ("booked", [], "T-1")
    payment = api.get(f"/payments/{seen['payment']}")
    assert (payment["provider"], payment["amount_minor"], payment["state"]) == ("bank", FULL, "applied")
    assert [each["label"] for each in payment["allocations"]] == [number]


def test_sent_twice_it_is_here_once(api: Program, kestrel: Customer, house: Scope) -> None:
    batch = [
        told(external_id="T-1"),
        told(payer="Kestrel", memo="same"),
        told(payer="Kestrel", memo="same"),
        told(1_234, currency="JPY"),
        told(1_234_567, currency="KWD", customer=kestrel.public_id),
    ]
    first = sent(api, *batch)
    assert statuses(first) == ["created"] * 5
    again = sent(api, *batch)
    assert statuses(again) == ["unchanged"] * 5
    assert [each["bank_line"] for each in again["data"]] == [each["bank_line"] for each in first["data"]]
    assert len({each["bank_line"] for each in first["data"]}) == lines(house) == 5
    seen = api.get(f"/bank_lines/{first['data'][4]['bank_line']}")
    assert (seen["amount_minor"], seen["currency"], seen["customer"]) == (1_234_567, "KWD", kestrel.public_id)


def test_the_same_request_under_one_key_is_answered_the_same(api: Program, house: Scope) -> None:
    first = sent(api, told(external_id="T-1"), Idempotency_Key="one")
    assert sent(api, told(external_id="T-1"), Idempotency_Key="one") == first
    with inside(house):
        IdempotencyKey.objects.all().delete()
    assert statuses(sent(api, told(external_id="T-1"), Idempotency_Key="one")) == ["unchanged"]
    assert lines(house) == 1


def test_a_line_of_a_file_is_the_same_line(api: Program, kestrel: Customer, house: Scope) -> None:
    """Whoever changes from files to the API, or back, does not have a day's money twice."""
    heading = (
        "booked_on",
        "amount",
        "currency",
        "payer",
        "account",
        "memo",
        "customer_number",
        "external_id",
    )
    rows = [
        ("2026-11-10", "119.00", "EUR", "Kestrel", "DE02", "INV 1", "K-77", ""),
        ("2026-11-10", "119.00", "EUR", "", "", "", "", "T-1"),
    ]
    with enter(house):
        assert counts(brought_in("payments", csv(heading, rows))) == (2, 0, 0)
    answer = sent(
        api,
        told(payer="Kestrel", account="DE02", memo="INV 1", customer=kestrel.public_id),
        told(external_id="T-1"),
    )
    assert statuses(answer) == ["unchanged", "unchanged"]


def test_one_that_cannot_be_holds_up_no_other(api: Program, house: Scope) -> None:
    answer = sent(
        api,
        told(external_id="T-1"),
        told(100, external_id="T-1"),
        told(booked_on="2099-01-01"),
        told(customer="cus_none"),
        told(memo="good"),
    )
    assert statuses(answer) == ["created", "failed", "failed", "failed", "created"]
    assert [each["errors"][0]["pointer"] for each in answer["data"][1:4]] == [
        "/lines/1/external_id",
        "/lines/2/booked_on",
        "/lines/3/customer",
    ]
    assert [each["bank_line"] for each in answer["data"][1:4]] == [None] * 3
    assert lines(house) == 2


def test_lines_that_come_from_two_sides_at_once_are_kept_once(
    api: Program, house: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between looking and writing somebody else brought one of them in; it is looked at again."""
    plan, turns = incoming.lines.plan, []

    def overtaken(*given: Any) -> Any:
        found = plan(*given)
        turns.append(1)
        if len(turns) == 1:
            incoming.keep([incoming.Told(factories.DAY, FULL, "EUR", external_id="T-1")], key="other")
        return found

    monkeypatch.setattr(incoming.lines, "plan", overtaken)
    answer = sent(api, told(external_id="T-1", booked_on="2026-11-02"), told(memo="mine"))
    assert statuses(answer) == ["unchanged", "created"]
    assert (lines(house), len(turns)) == (2, 3)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/lines"),
        ({"lines": []}, "/lines"),
        ({"lines": [told()] * 501}, "/lines"),
        ({"lines": "x"}, "/lines"),
        ({"lines": [told(0)]}, "/lines/0/amount_minor"),
        ({"lines": [told(), told(-5)]}, "/lines/1/amount_minor"),
        ({"lines": [told(10**15 + 1)]}, "/lines/0/amount_minor"),
        ({"lines": [told(currency="XXX")]}, "/lines/0/currency"),
        ({"lines": [told(booked_on="yesterday")]}, "/lines/0/booked_on"),
        ({"lines": [told(memo="x" * 501)]}, "/lines/0/memo"),
        ({"lines": [told(memo="\0")]}, "/lines/0/memo"),
        ({"lines": [told(surprise=1)]}, "/lines/0/surprise"),
    ],
)
def test_a_batch_in_no_form_is_refused_as_a_whole(
    api: Program, house: Scope, body: dict[str, Any], pointer: str
) -> None:
    answer = api("POST", "/bank_lines", body)
    assert (answer.status_code, pointers(answer)[0]) == (422, pointer)
    assert lines(house) == 0


def test_statements_do_not_grow_with_the_batch(
    api: Program, house: Scope, django_assert_max_num_queries: Any
) -> None:
    sent(api, told(external_id="warm"))
    with django_assert_max_num_queries(30):
        answer = sent(api, *(told(100 + n, external_id=f"T-{n}") for n in range(500)))
    assert answer["created"] == 500


def test_matching_is_asked_for(api: Program, doubtful: str, house: Scope) -> None:
    with inside(house):
        Effect.objects.all().delete()
    answer = api.post("/bank_lines/match", status=202, Idempotency_Key="one")
    assert (answer["object"], answer["waiting"]) == ("matching", 1)
    api.post("/bank_lines/match", status=202, Idempotency_Key="one")
    with inside(house):
        assert Effect.objects.filter(kind=MATCH).count() == 1


def test_lines_are_found_and_listed_in_a_constant_number_of_statements(
    api: Program, doubtful: str, kestrel: Customer, house: Scope
) -> None:
    few = statements(api, "/bank_lines?limit=100")
    sent(api, *(told(n, external_id=f"T-{n}", customer=kestrel.public_id) for n in range(1, 31)))
    api.post(f"/bank_lines/{doubtful}/book", {"customer": kestrel.public_id})
    assert statements(api, "/bank_lines?limit=100") <= few
    for query, expected in (
        ("", 31),
        ("state=open&", 30),
        ("state=booked&", 1),
        ("state=aside&", 0),
        ("external_id=T-7&", 1),
        (f"customer={kestrel.public_id}&", 30),
        ("booked_from=2026-11-11&", 0),
        ("currency=USD&", 0),
    ):
        assert len(api.get(f"/bank_lines?{query}limit=100")["data"]) == expected
    assert api("GET", "/bank_lines?state=lost").status_code == 422


def test_another_organizations_line_is_nobodys(
    api: Program, as_key: Callable[..., Program], doubtful: str
) -> None:
    bea = as_key("birch", "bea@birch.example")
    for method, path, given in (
        ("GET", "", None),
        ("POST", "/book", {"customer": "cus_none"}),
        ("POST", "/aside", {"reason": "x"}),
        ("POST", "/back", None),
    ):
        same_refusal(bea, method, f"/bank_lines/{doubtful}{path}", doubtful, given)
    assert bea.get("/bank_lines")["data"] == []
    assert api.get(f"/bank_lines/{doubtful}")["state"] == "open"
    assert statuses(sent(bea, told(payer="Kestrel Freight", memo="Thank you"))) == ["created"]


def test_a_restricted_key_changes_nothing(
    api: Program, as_key: Callable[..., Program], doubtful: str, kestrel: Customer, house: Scope
) -> None:
    reader = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    before = lines(house)
    with inside(house):
        asked = effects_due()
    for path, given in (
        ("/bank_lines", {"lines": [told(external_id="new")]}),
        ("/bank_lines/match", None),
        (f"/bank_lines/{doubtful}/book", {"customer": kestrel.public_id}),
        (f"/bank_lines/{doubtful}/aside", {"reason": "x"}),
        (f"/bank_lines/{doubtful}/back", None),
    ):
        assert reader("POST", path, given).status_code == 403
    assert (lines(house), payments(house)) == (before, 0)
    with inside(house):
        assert effects_due() == asked
    assert reader.get(f"/bank_lines/{doubtful}")["state"] == "open"
