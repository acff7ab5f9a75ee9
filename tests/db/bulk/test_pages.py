"""The pages of a bulk change: what is typed, who may, what is shown and downloaded."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from billing.models import (
    Price,
    Subscription,
)
from billing.services.run import run_billing
from core import clock
from core.fields import fresh_key
from core.scope import work
from tests.billed import proven
from tests.db.bulk.many import (
    BULK,
    LIST,
    MANY,
    ask,
    confirmed,
    counts,
    done,
    looked,
    today,
)


@pytest.mark.parametrize("act", ["end", "pause"])
def test_ends_and_pauses_are_done_too(ben: Client, subs: list[Subscription], act: str) -> None:
    day = today() + timedelta(days=2)
    name = ask(
        ben, act=act, on=day.isoformat(), refund="on", resumes_on=(day + timedelta(days=9)).isoformat()
    )
    looked(name)
    page = ben.get(f"{BULK}{name}/").content.decode()
    assert ("End 5 subscriptions" if act == "end" else "Pause 5 subscriptions") in page
    done(confirmed(ben, name))
    with work():
        rows = list(Subscription.objects.order_by("pk"))
        if act == "end":
            assert {(row.ends_on, row.refund, row.paused_on) for row in rows} == {(day, True, None)}
        else:
            assert {(row.paused_on, row.resumes_on, row.refund) for row in rows} == {
                (day, day + timedelta(days=9), False)
            }
    run_billing(day)
    proven()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"price": ""}, "Choose a price that comes again."),
        ({"price": "price_nowhere"}, "Select a valid choice"),
        ({"act": "drop"}, "Select a valid choice"),
        ({"on": "yesterday"}, "date"),
        ({"on": "0001-01-01", "act": "end"}, "far"),
        ({"key": "'; --"}, "too old"),
        ({"back": "state=odd"}, "A filter was not understood"),
        ({"back": "customer_name=Kes"}, "A filter was not understood"),
        (
            {"act": "pause", "on": "2030-01-02", "resumes_on": "2030-01-01"},
            "A day after the first of the pause.",
        ),
    ],
)
def test_what_cannot_be_understood_does_nothing(
    ben: Client, subs: list[Subscription], dear: Price, data: dict[str, str], said: str
) -> None:
    before = counts()
    given = {
        "asked": "1",
        "every": "1",
        "back": "",
        "act": "change",
        "price": dear.public_id,
        "key": fresh_key(),
    }
    answer = ben.post(f"{BULK}new/", {**given, **data})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert counts() == before


def test_without_any_it_goes_back_to_the_list(ben: Client, subs: list[Subscription]) -> None:
    before = counts()
    for given in (
        {"back": "state=held"},
        {"chosen": ["sub_nowhere\x00"]},
        {"every": "1", "back": "plan=none"},
    ):
        answer = ben.post(f"{BULK}new/", given)
        assert (answer.status_code, answer["Location"][: len(LIST)]) == (302, LIST)
    assert counts() == before


def test_without_the_right_nothing_starts(
    vic: Client, bea: Client, ben: Client, subs: list[Subscription], dear: Price
) -> None:
    name = ask(ben, dear)
    looked(name)
    before = counts()
    given = {"asked": "1", "every": "1", "act": "change", "price": dear.public_id, "key": fresh_key()}
    assert vic.post(f"{BULK}new/", given).status_code == 403
    for act in ("confirm", "cancel", "again"):
        assert vic.post(f"{BULK}{name}/{act}/", {"key": fresh_key()}).status_code == 403
        assert bea.post(f"/o/birch/subscriptions/bulk/{name}/{act}/", {"key": fresh_key()}).status_code == 404
        assert bea.post(f"{BULK}{name}/{act}/", {"key": fresh_key()}).status_code == 404
    assert vic.get(f"{BULK}{name}/csv/").status_code == 403
    page = vic.get(f"{BULK}{name}/").content.decode()
    assert "needs the right “Change plans and subscriptions”" in page
    assert "needs the right “Change plans and subscriptions”" in vic.get(LIST).content.decode()
    for path in ("", "progress/", "csv/"):
        assert bea.get(f"/o/birch/subscriptions/bulk/{name}/{path}").status_code == 404
    assert counts() == before


def test_the_file_tells_of_each(ben: Client, subs: list[Subscription], dear: Price) -> None:
    with work():
        subs[0].customer.name = "=HYPERLINK(1)"
        subs[0].customer.save(update_fields=["name"])
        Subscription.objects.filter(pk=subs[4].pk).update(held_at=clock.now(), held_reason="Odd.")
    name = ask(ben, dear, on=today().isoformat())
    looked(name)
    lines = ben.get(f"{BULK}{name}/csv/").content.decode("utf-8-sig").splitlines()
    assert len(lines) == MANY + 1
    assert lines[1].startswith(f"{subs[0].public_id},'=HYPERLINK(1),Can be changed,")
    assert "Left out,A run put it aside: Odd." in lines[5]


def test_what_is_typed_into_the_address_shows_all(ben: Client, subs: list[Subscription], dear: Price) -> None:
    name = ask(ben, dear)
    looked(name)
    for query in ("outcome=odd", "page=%00", "page=WzBd", "outcome=fits&page=x"):
        assert ben.get(f"{BULK}{name}/?{query}").status_code == 200
    for polls in ("", "x", "9" * 40):
        assert ben.get(f"{BULK}{name}/progress/?polls={polls}").status_code == 200


@pytest.fixture
def statements(ben: Client) -> Callable[[str], int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert ben.get(path).status_code == 200
        return len(captured)

    return count


def test_its_page_takes_as_many_statements_for_many_as_for_few(
    ben: Client, subs: list[Subscription], dear: Price, statements: Callable[[str], int]
) -> None:
    few = ask(ben, dear, every="", chosen=[subs[0].public_id, subs[1].public_id])
    many = ask(ben, dear)
    looked(few)
    looked(many)
    statements(f"{BULK}{few}/")
    assert statements(f"{BULK}{few}/") == statements(f"{BULK}{many}/")
    assert statements(BULK) <= 30
