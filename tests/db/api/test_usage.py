"""Usage as programs send and read it: each event once, each refusal at its field, nothing of another organization's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.models import UsageEvent, UsageKey, UsageSeries
from core import clock
from core.scope import Scope, enter, work
from customers.models import Customer
from tests import factories
from tests.db.api.conftest import Program, pointers, said, same_refusal, statements

pytestmark = pytest.mark.usefixtures("judged")
STORED = {
    "name": "Stored",
    "code": "stored-gb",
    "aggregation": "weighted_sum",
    "field": "gb",
    "group_by": ["region"],
}


@pytest.fixture
def sub(house: Scope, kestrel: Customer) -> str:
    with enter(house), work():
        return str(factories.subscription(kestrel, factories.DAY, external_id="their-7").public_id)


@pytest.fixture
def calls(api: Program) -> dict[str, Any]:
    return api.post(
        "/meters", {"name": "Calls", "code": "calls", "aggregation": "sum", "field": "n"}, status=201
    )


def event(sub: str, name: str, n: Any = "1", **given: Any) -> dict[str, Any]:
    return {"transaction_id": name, "meter": "calls", "subscription": sub, "properties": {"n": n}, **given}


def ago(**given: float) -> str:
    return (clock.now() - timedelta(**given)).isoformat()


def test_a_meter_is_made_once_read_and_archived(api: Program) -> None:
    made = api.post("/meters", STORED, status=201)
    assert made["id"].startswith("mtr_")
    assert {name: made[name] for name in STORED} == STORED
    assert (made["late_days"], made["archived_at"]) == (35, None)
    assert said(api("POST", "/meters", STORED))["code"] == "code_taken"
    assert api.get(f"/meters/{made['id']}") == made
    archived = api.post(f"/meters/{made['id']}/archive")
    assert archived["archived_at"]
    assert api.post(f"/meters/{made['id']}/archive") == archived
    assert [each["id"] for each in api.get("/meters?archived=true")["data"]] == [made["id"]]
    assert api.get("/meters?archived=false")["data"] == []
    assert api("POST", f"/meters/{made['id']}/archive", If_Match='"1"').status_code == 412


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"aggregation": "average"}, "/aggregation"),
        ({"aggregation": "count"}, "/field"),
        ({"field": ""}, "/field"),
        ({"field": "a b"}, "/field"),
        ({"code": "A"}, "/code"),
        ({"code": "x" * 41}, "/code"),
        ({"name": "a\0b"}, "/name"),
        ({"group_by": ["a", "b", "c", "d"]}, "/group_by"),
        ({"group_by": ["a", "a"]}, "/group_by"),
        ({"late_days": 401}, "/late_days"),
        ({"unit": "GB"}, "/unit"),
    ],
)
def test_a_meter_that_cannot_be(api: Program, wrong: dict[str, Any], field: str) -> None:
    answer = api("POST", "/meters", {**STORED, **wrong})
    assert answer.status_code == 422
    assert pointers(answer) == [field]
    assert api.get("/meters")["data"] == []


def test_an_event_counts_once_by_either_name_of_its_subscription(api: Program, sub: str, calls: Any) -> None:
    first = api.post("/usage_events", event(sub, "t 1/é", "2.5", at=ago(hours=2)))
    assert first == {"object": "usage_event_result", "status": "created", "transaction_id": "t 1/é"}
    assert api.post("/usage_events", event(sub, "t 1/é", "99"))["status"] == "duplicate"
    assert api.post("/usage_events", event("their-7", "t2", 3, meter=calls["id"]))["status"] == "created"
    (latest, one) = api.get("/usage_events")["data"]
    assert (latest["transaction_id"], latest["value"], latest["subscription"]) == ("t2", "3", sub)
    assert (one["value"], one["meter"], one["properties"], one["voided_at"]) == (
        "2.5",
        "calls",
        {"n": "2.5"},
        None,
    )
    assert api.get(f"/subscriptions/{sub}/usage?meter=calls")["value"] == "5.5"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"transaction_id": "x" * 129}, "/transaction_id"),
    ({"transaction_id": ""}, "/transaction_id"),
    ({"transaction_id": "a\0b"}, "/transaction_id"),
    ({"transaction_id": "\ud800"}, "/transaction_id"),
    ({"transaction_id": 7}, "/transaction_id"),
    ({"transaction_id": None}, "/transaction_id"),
    ({"at": "2026-11-26T09:30:00"}, "/at"),
    ({"at": "2026-02-30T09:30:00Z"}, "/at"),
    ({"at": 1764149400}, "/at"),
    ({"at": "1960-01-01T00:00:00Z"}, "/at"),
    ({"properties": {}}, "/properties/n"),
    ({"properties": {"n": "NaN"}}, "/properties/n"),
    ({"properties": {"n": "Infinity"}}, "/properties/n"),
    ({"properties": {"n": "1e3"}}, "/properties/n"),
    ({"properties": {"n": 1.5}}, "/properties/n"),
    ({"properties": {"n": True}}, "/properties/n"),
    ({"properties": {"n": "9" * 16}}, "/properties/n"),
    ({"properties": {"n": "0.1234567890123"}}, "/properties/n"),
    ({"properties": {"n": 10**30}}, "/properties/n"),
    ({"properties": {"n": ["1"]}}, "/properties/n"),
    ({"properties": {"n": "1", "note": "a\0"}}, "/properties/note"),
    ({"properties": {"n": "1", "a b": "x"}}, "/properties/a b"),
    ({"properties": {"n": "1", "note": "x" * 2000}}, "/properties"),
    ({"properties": {f"p{n}": "1" for n in range(21)}}, "/properties"),
    ({"properties": ["n"]}, "/properties"),
    ({"meter": "nothing"}, "/meter"),
    ({"subscription": "sub_nobody"}, "/subscription"),
    ({"subscription": ""}, "/subscription"),
    ({"replaces": "nobody"}, "/replaces"),
    ({"quantity": "1"}, "/quantity"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG, ids=lambda each: json.dumps(each)[:40])
def test_what_cannot_be_taken_is_refused_at_its_field(
    api: Program, sub: str, calls: Any, wrong: dict[str, Any], field: str
) -> None:
    """The same one by one and in a batch, where it holds up no other."""
    answer = api("POST", "/usage_events", {**event(sub, "t"), **wrong})
    assert answer.status_code == 422
    assert pointers(answer) == [field]
    results = api.post("/usage_events/batch", {"events": [event(sub, "good"), {**event(sub, "t"), **wrong}]})
    assert [each["status"] for each in results["data"]] == ["created", "failed"]
    assert [each["pointer"] for each in results["data"][1]["errors"]] == [f"/events/1{field}"]
    assert results["data"][1]["transaction_id"] == ("" if field == "/transaction_id" else "t")


def test_late_and_early_events_are_refused_with_the_reason(api: Program, sub: str, calls: Any) -> None:
    late = api("POST", "/usage_events", event(sub, "late", at=ago(days=35, minutes=1)))
    assert pointers(late) == ["/at"]
    assert "35 days" in said(late)["errors"][0]["message"]
    assert pointers(api("POST", "/usage_events", event(sub, "early", at=ago(minutes=-61)))) == ["/at"]
    api.post("/usage_events", event(sub, "edge", at=ago(days=34, hours=23)))
    api.post("/usage_events", event(sub, "soon", at=ago(minutes=-59)))


def test_a_batch_says_what_became_of_each(api: Program, sub: str, calls: Any) -> None:
    batch = {"events": [event(sub, f"b{n % 900}", n) for n in range(1000)]}
    first = api.post("/usage_events/batch", batch)
    assert (first["created"], first["duplicate"], first["failed"]) == (900, 100, 0)
    assert [each["transaction_id"] for each in first["data"]] == [
        each["transaction_id"] for each in batch["events"]
    ]
    again = api.post("/usage_events/batch", batch)
    assert (again["created"], again["duplicate"], again["failed"]) == (0, 1000, 0)
    assert api.get(f"/subscriptions/{sub}/usage?meter=calls")["value"] == str(sum(range(900)))
    for events in ([], batch["events"] + batch["events"][:1], {}, "x", None):
        assert pointers(api("POST", "/usage_events/batch", {"events": events})) == ["/events"]
    odd = api.post("/usage_events/batch", {"events": [None, 7, [], {}]})
    assert odd["failed"] == 4


def test_corrections(api: Program, sub: str, calls: Any) -> None:
    api.post("/usage_events/batch", {"events": [event(sub, f"c{n}", n) for n in range(4)]})
    done = api.post(
        "/usage_events/void", {"transaction_ids": ["c1", "c1", "nobody", "c2"], "why": "Sent twice"}
    )
    assert [each["status"] for each in done["data"]] == ["voided", "unchanged", "failed", "voided"]
    assert done["data"][2]["errors"][0]["pointer"] == "/transaction_ids/2"
    assert api.post("/usage_events", event(sub, "c5", 10, replaces="c3"))["status"] == "created"
    assert api.get(f"/subscriptions/{sub}/usage?meter=calls")["value"] == "10"
    (one,) = api.get("/usage_events?transaction_id=c1")["data"]
    assert one["voided_at"]
    assert one["void_reason"] == "Sent twice"
    (swapped,) = api.get("/usage_events?transaction_id=c3")["data"]
    assert swapped["replaced_by"] == "c5"
    for wrong in (
        {},
        {"transaction_ids": []},
        {"transaction_ids": ["x"] * 1001},
        {"transaction_ids": [None]},
    ):
        assert api("POST", "/usage_events/void", wrong).status_code == 422
    assert api("POST", "/usage_events/void", {"transaction_ids": ["c0"], "why": "x" * 301}).status_code == 422


def test_events_are_found_and_paged_by_their_time(api: Program, sub: str, calls: Any) -> None:
    api.post("/meters", STORED, status=201)
    events = [event(sub, f"p{n}", n, at=ago(hours=n)) for n in range(30)]
    other = event(sub, "other", meter="stored-gb")
    other["properties"] = {"gb": "4", "region": "eu"}
    api.post("/usage_events/batch", {"events": [*events, other]})
    seen: list[str] = []
    address = "/usage_events?meter=calls&limit=7"
    while address:
        page = api.get(address)
        seen += [each["transaction_id"] for each in page["data"]]
        address = page["next"]
    assert seen == [f"p{n}" for n in range(30)]
    found = api.get(
        f"/usage_events?subscription={sub}&at_from={ago(hours=5.5)[:-6]}Z&at_to={ago(hours=2.5)[:-6]}Z"
    )
    assert [each["transaction_id"] for each in found["data"]] == ["p3", "p4", "p5"]
    assert api.get("/usage_events?meter=stored-gb")["data"][0]["group"] == {"region": "eu"}
    assert api.get("/usage_events?subscription=sub_nobody")["data"] == []
    assert statements(api, "/usage_events?limit=2") == statements(api, "/usage_events?limit=30")


def test_usage_by_day_and_group(api: Program, sub: str, calls: Any) -> None:
    api.post("/meters", {**STORED, "code": "peak", "aggregation": "max"}, status=201)
    for n, (region, gb) in enumerate((("eu", "5"), ("us", "7"), ("eu", "2"))):
        sent = {"meter": "peak", "properties": {"gb": gb, "region": region}, "at": ago(hours=n)}
        api.post("/usage_events", {**event(sub, f"g{n}"), **sent})
    today = clock.today("Europe/Berlin")
    query = f"from={today - timedelta(days=3)}&to={today + timedelta(days=2)}"
    found = api.get(f"/subscriptions/{sub}/usage?meter=peak&{query}")
    assert (found["value"], found["from"], found["zone"]) == (
        "7",
        str(today - timedelta(days=3)),
        "Europe/Berlin",
    )
    assert found["groups"] == [
        {"group": {"region": "eu"}, "value": "5"},
        {"group": {"region": "us"}, "value": "7"},
    ]
    assert [each["day"] for each in found["days"]] == [str(today + timedelta(days=n)) for n in range(-3, 2)]
    longer = f"/subscriptions/{sub}/usage?meter=peak&from={today - timedelta(days=300)}&to={today}"
    assert statements(api, f"/subscriptions/{sub}/usage?meter=peak&{query}") == statements(api, longer)
    for wrong in (f"from={today}&to={today}", f"from={today}&to=2099-01-01", "from=yesterday"):
        assert api("GET", f"/subscriptions/{sub}/usage?meter=peak&{wrong}").status_code == 422
    assert pointers(api("GET", f"/subscriptions/{sub}/usage")) == ["/meter"]
    assert pointers(api("GET", f"/subscriptions/{sub}/usage?meter=nothing")) == ["/meter"]


def test_each_call_names_its_right(as_key: Callable[..., Program], sub: str, calls: Any) -> None:
    def program(*rights: str) -> Program:
        return as_key("acorn", "ana@acorn.example", rights=list(rights))

    sender, reader, editor = program("usage.create"), program("usage.view"), program("usage.edit")
    assert sender("POST", "/usage_events", event(sub, "r1")).status_code == 200
    assert sender("POST", "/usage_events/batch", {"events": [event(sub, "r2")]}).status_code == 200
    for other in (reader, editor):
        assert other("POST", "/usage_events", event(sub, "r3")).status_code == 403
        assert other("POST", "/usage_events/batch", {"events": [event(sub, "r3")]}).status_code == 403
    for path in (
        "/usage_events",
        "/meters",
        f"/meters/{calls['id']}",
        f"/subscriptions/{sub}/usage?meter=calls",
    ):
        assert reader("GET", path).status_code == 200
        assert sender("GET", path).status_code == editor("GET", path).status_code == 403
    for other in (sender, reader):
        assert other("POST", "/usage_events/void", {"transaction_ids": ["r1"]}).status_code == 403
        assert other("POST", "/meters", STORED).status_code == 403
        assert other("POST", f"/meters/{calls['id']}/archive").status_code == 403
    assert reader.get(f"/subscriptions/{sub}/usage?meter=calls")["value"] == "2"


def test_another_organization_sees_and_changes_nothing(
    as_key: Callable[..., Program], api: Program, house: Scope, sub: str, calls: Any
) -> None:
    api.post("/usage_events", event(sub, "mine", 5))
    bea = as_key("birch", "bea@birch.example")
    same_refusal(bea, "GET", f"/meters/{calls['id']}", calls["id"])
    same_refusal(bea, "POST", f"/meters/{calls['id']}/archive", calls["id"])
    same_refusal(bea, "GET", f"/subscriptions/{sub}/usage?meter=calls", sub)
    assert bea.get("/usage_events?transaction_id=mine")["data"] == bea.get("/meters")["data"] == []
    theirs = bea.post(
        "/meters", {"name": "C", "code": "calls", "aggregation": "sum", "field": "n"}, status=201
    )
    assert pointers(bea("POST", "/usage_events", event(sub, "x", meter=theirs["id"]))) == ["/subscription"]
    assert pointers(bea("POST", "/usage_events", event(sub, "x", meter=calls["id"]))) == ["/meter"]
    assert bea.post("/usage_events/void", {"transaction_ids": ["mine"]})["failed"] == 1
    with enter(house), work():
        assert UsageEvent.objects.count() == UsageKey.objects.count() == UsageSeries.objects.count() == 1
    assert api.get(f"/subscriptions/{sub}/usage?meter=calls")["value"] == "5"


def test_the_same_id_is_another_event_in_another_organization(
    as_key: Callable[..., Program], api: Program, sub: str, calls: Any
) -> None:
    bea = as_key("birch", "bea@birch.example")
    from tests.conftest import seat

    birch = seat("birch", "bea@birch.example")
    with enter(birch), work():
        theirs = factories.subscription(factories.customer(), factories.DAY).public_id
    bea.post("/meters", {"name": "C", "code": "calls", "aggregation": "sum", "field": "n"}, status=201)
    api.post("/usage_events", event(sub, "same", 5))
    assert bea.post("/usage_events", event(theirs, "same", 7))["status"] == "created"
    assert bea.get(f"/subscriptions/{theirs}/usage?meter=calls")["value"] == "7"
