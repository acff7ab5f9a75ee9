"""Messages, imports and jobs by API: seen as the pages show them, sent again, stopped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from core import clock, jobs
from core.models import Effect, Job, Organization
from core.scope import Scope, enter, work
from invoicing.listing import DocumentFilter
from invoicing.services import bulk
from messaging.domain.states import State
from messaging.models import Message
from tests import factories
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements
from tests.db.core.imports import INVOICES, brought_in, checked, csv
from tests.db.messaging.test_pages import TOKEN, message


@contextmanager
def inside(house: Scope) -> Iterator[None]:
    with enter(house), work():
        yield


@pytest.fixture
def letters(house: Scope) -> list[str]:
    """A sent letter and a failed one."""
    with inside(house):
        sent = message(customer_public_id="cus_1", about="pay_1")
        failed = message(State.FAILED, to_address="Ap@kestrel.example", kind="invitation", about="ask_1")
        return [sent.public_id, failed.public_id]


def sends(house: Scope) -> int:
    with inside(house):
        return Effect.objects.filter(kind="message.send").count()


def test_a_letter_is_read_without_the_secrets_of_its_links(api: Program, letters: list[str]) -> None:
    letter = api.get(f"/messages/{letters[0]}")
    assert "Pay at https://acorn.example/pay/…?x=1 please" in letter["text"]
    assert TOKEN not in str(letter)
    assert "<p>Hello</p>" in letter["html"]
    assert (letter["state"], letter["customer"], letter["about"], letter["attachments"]) == (
        "sent",
        "cus_1",
        "pay_1",
        [],
    )


def test_messages_are_found(api: Program, letters: list[str], house: Scope) -> None:
    for query, expected in (
        ("state=sent", [letters[0]]),
        ("state=failed", [letters[1]]),
        ("kind=receipt", [letters[0]]),
        ("q=ap0@", [letters[0]]),
        ("customer=cus_1", [letters[0]]),
        ("about=pay_1", [letters[0]]),
        ("about=pay_9", []),
    ):
        assert [each["id"] for each in api.get(f"/messages?{query}")["data"]] == expected, query
    assert pointers(api("GET", "/messages?state=lost")) == ["/state"]
    few = statements(api, "/messages?limit=100")
    with inside(house):
        for _ in range(12):
            message()
    assert statements(api, "/messages?limit=100") <= few


def test_a_failed_message_is_sent_again_once_and_a_sent_one_never(
    api: Program, letters: list[str], house: Scope
) -> None:
    for _ in range(2):
        again = api.post(f"/messages/{letters[1]}/send_again", Idempotency_Key="one")
        assert again["state"] == "queued"
    assert sends(house) == 1
    for public_id in letters:
        refused = api("POST", f"/messages/{public_id}/send_again")
        assert (refused.status_code, said(refused)["code"]) == (409, "state_conflict")
    assert sends(house) == 1


def test_a_suspended_organization_sends_nothing_again(api: Program, letters: list[str], house: Scope) -> None:
    with inside(house):
        Organization.objects.filter(pk=house.organization_id).update(suspended_at=clock.now())
    refused = api("POST", f"/messages/{letters[1]}/send_again")
    assert (refused.status_code, said(refused)["code"]) == (409, "organization_suspended")
    assert sends(house) == 0


def test_an_import_and_its_rows(api: Program, house: Scope) -> None:
    heading = ("name", "number", "email")
    rows = [("Kestrel", "K-1", ""), ("", "K-2", ""), ("Falcon", "K-3", "nobody"), ("Merlin", "K-4", "")]
    with enter(house):
        source = brought_in("customers", csv(heading, rows))
        other = checked(
            "invoices", csv(INVOICES, [("I-1", "K-1", "Kestrel", "EUR", "x", "2026-11-01", "2026-11-15")])
        )
    seen = api.get(f"/imports/{source.public_id}")
    assert (seen["kind"], seen["state"], seen["rows"], seen["worked"]) == ("customers", "done", 4, 4)
    assert (seen["created"], seen["unchanged"], seen["failed"]) == (2, 0, 2)
    assert [each["id"] for each in api.get("/imports")["data"]] == [other.public_id, source.public_id]
    assert [each["id"] for each in api.get("/imports?kind=customers&state=done")["data"]] == [
        source.public_id
    ]
    path = f"/imports/{source.public_id}/rows"
    failed = api.get(f"{path}?outcome=failed")["data"]
    assert [each["number"] for each in failed] == [3, 4]
    assert failed == api.get(path)["data"]
    assert [each["problems"][0]["column"] for each in failed] == ["name", "email"]
    missing = api.get(f"{path}?problem=missing")["data"]
    assert [each["number"] for each in missing] == [3]
    made = api.get(f"{path}?outcome=created")["data"]
    assert [api.get(f"/customers/{each['made']}")["name"] for each in made] == ["Kestrel", "Merlin"]
    first = api.get(f"{path}?outcome=created&limit=1")
    assert [each["number"] for each in (first["data"] + api.get(first["next"])["data"])] == [2, 5]
    assert pointers(api("GET", f"{path}?outcome=lost")) == ["/outcome"]


def test_statements_do_not_grow_with_imports_and_rows(api: Program, house: Scope) -> None:
    heading = ("name", "number")
    with enter(house):
        brought_in("customers", csv(heading, [("Kestrel", "K-1")]))
        long = brought_in("customers", csv(heading, [("", f"K-{n}") for n in range(60)]))
        short = brought_in("customers", csv(heading, [("", "K-99")]))
    few = statements(api, "/imports?limit=1")
    assert statements(api, "/imports?limit=100") <= few
    few = statements(api, f"/imports/{short.public_id}/rows?limit=100")
    assert statements(api, f"/imports/{long.public_id}/rows?limit=100") <= few


@pytest.fixture
def job(house: Scope) -> str:
    """An act on many documents that waits for a worker."""
    with inside(house):
        factories.invoice(factories.customer(email="ap@kestrel.example"))
        return bulk.start("send", DocumentFilter(), today=date(2026, 11, 26), key="form_12345678")


def test_a_job_is_watched_and_stopped(api: Program, job: str, house: Scope) -> None:
    seen = api.get(f"/jobs/{job}")
    assert (seen["kind"], seen["state"], seen["done"], seen["total"]) == ("documents.bulk", "queued", 0, 1)
    assert (seen["cancel_requested"], seen["result"], seen["started_by"]) == (False, None, "Ana")
    for _ in range(2):
        assert api.post(f"/jobs/{job}/cancel")["cancel_requested"] is True
    with enter(house):
        while bulk.step(job):
            pass
    seen = api.get(f"/jobs/{job}")
    assert (seen["state"], seen["done"]) == ("cancelled", 0)
    assert api.post(f"/jobs/{job}/cancel")["state"] == "cancelled"
    with inside(house):
        assert not Message.objects.exists()


def test_a_job_that_ended_stays_as_it_is(api: Program, job: str, house: Scope) -> None:
    with enter(house):
        while bulk.step(job):
            pass
    ended = api.get(f"/jobs/{job}")
    assert ended["state"] == "done"
    assert api.post(f"/jobs/{job}/cancel") == ended


def test_a_job_of_a_kind_that_nobody_declared_is_not_here(api: Program, house: Scope) -> None:
    with inside(house):
        hidden = jobs.start("test.hidden").public_id
    assert api("GET", f"/jobs/{hidden}").status_code == 404
    assert api("POST", f"/jobs/{hidden}/cancel").status_code == 404


def test_another_organizations_work_is_nobodys(
    api: Program, as_key: Callable[..., Program], letters: list[str], job: str, house: Scope
) -> None:
    with enter(house):
        source = brought_in("customers", csv(("name", "number"), [("Kestrel", "K-1")])).public_id
    bea = as_key("birch", "bea@birch.example")
    for method, path, known in (
        ("GET", f"/messages/{letters[1]}", letters[1]),
        ("POST", f"/messages/{letters[1]}/send_again", letters[1]),
        ("GET", f"/imports/{source}", source),
        ("GET", f"/imports/{source}/rows", source),
        ("GET", f"/jobs/{job}", job),
        ("POST", f"/jobs/{job}/cancel", job),
    ):
        same_refusal(bea, method, path, known)
    assert bea.get("/messages")["data"] == bea.get("/imports")["data"] == []
    assert api.get(f"/jobs/{job}")["cancel_requested"] is False
    assert sends(house) == 0


def test_a_restricted_key_changes_nothing(
    as_key: Callable[..., Program], letters: list[str], job: str, house: Scope
) -> None:
    reader = as_key("acorn", "ana@acorn.example", rights=["messages.view", "invoices.view"])
    assert reader.get(f"/messages/{letters[1]}")["state"] == "failed"
    assert reader.get(f"/jobs/{job}")["state"] == "queued"
    assert reader("POST", f"/messages/{letters[1]}/send_again").status_code == 403
    assert reader("POST", f"/jobs/{job}/cancel").status_code == 403
    other = as_key("acorn", "ana@acorn.example", rights=["payments.view"])
    for path in (
        f"/messages/{letters[1]}",
        f"/jobs/{job}",
        "/messages",
        "/imports",
        "/imports/x",
        "/imports/x/rows",
    ):
        assert other("GET", path).status_code == 403
    with inside(house):
        assert Job.objects.get().cancel_requested is False
    assert sends(house) == 0
