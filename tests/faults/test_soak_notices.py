"""The soak's proofs notice what is broken behind their back; one that notices nothing would prove nothing."""

from collections import Counter
from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from cashapp.services.attempts import pay
from cashapp.services.matching import match_all
from core.scope import Scope, work
from invoicing.services.send import MAIL
from messaging.services.queue import queue
from receivables.models import OpenItem
from tests import factories
from tests.databases import as_owner
from tests.db.cashapp.lines import line
from tests.soak import __main__ as soak
from tests.soak import proofs
from tests.soak.house import House

pytestmark = pytest.mark.fault


class Mended:
    """What is broken by the owner of the database, past every judge, and put right again."""

    def __init__(self) -> None:
        self.name = connection.settings_dict["NAME"]
        self.back: list[str] = []

    def run(self, table: str, sql: str) -> None:
        as_owner(
            f"ALTER TABLE {table} DISABLE TRIGGER USER; {sql}; ALTER TABLE {table} ENABLE TRIGGER USER",
            name=self.name,
        )

    def breaks(self, table: str, sql: str) -> None:
        as_owner(f"CREATE TABLE IF NOT EXISTS kept_{table} AS SELECT * FROM {table}", name=self.name)
        self.run(table, sql)
        self.back.append(table)

    def mend(self) -> None:
        for table in reversed(self.back):
            columns = ", ".join(
                str(name)
                for (name,) in as_owner(
                    f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
                    " AND column_name <> 'id' AND is_generated = 'NEVER' ORDER BY ordinal_position",
                    name=self.name,
                )
            )
            kept = f"kept_{table}"
            self.run(
                table,
                f"DELETE FROM {table} WHERE id NOT IN (SELECT id FROM {kept});"
                f"UPDATE {table} t SET ({columns}) = (SELECT {columns} FROM {kept} k WHERE k.id = t.id);"
                f"INSERT INTO {table} (id, {columns}) OVERRIDING SYSTEM VALUE"
                f" SELECT id, {columns} FROM {kept} WHERE id NOT IN (SELECT id FROM {table})",
            )
            as_owner(f"DROP TABLE {kept}", name=self.name)


World = SimpleNamespace


@pytest.fixture
def world(committed_acorn: Scope) -> Any:
    """A house in which a bit of everything happened and rests: paid by bank and card, void, mailed."""
    with work():
        owner = factories.customer(name="Kestrel Freight", email="ap@kestrel.example")
        first, second, _third = (factories.invoice(owner, ("1", "100.00"), tax="0") for _ in range(3))
        line(10_000, payer="Kestrel Freight", memo=first.number)
        item = OpenItem.objects.get(source=second.public_id)
    match_all()
    pay(key="card", amounts={item.pk: 10_000}, method="card_ok", description="INV")
    mended = Mended()
    with work():
        message = queue(kind=MAIL, about=first.public_id, to="ap@kestrel.example")
    as_owner(
        f"UPDATE messaging_message SET state = 'sent', sent_at = created_at WHERE id = {message.pk}",
        name=mended.name,
    )
    browser = SimpleNamespace(errors=[], answers={})
    house = House(committed_acorn, "acorn", browser, Random(1), "EUR")  # type: ignore[arg-type]
    machines = SimpleNamespace(fallen=list, kills=0, start=lambda: None, wait_for_web=lambda: None)
    machines.complaints = dict
    post = SimpleNamespace(taken=[{"Message-ID": message.header_id}], drops=0, come=lambda _plan: None)
    yield World(house=house, machines=machines, post=post, mended=mended, letter=message.header_id)
    mended.mend()


def found(world: Any) -> list[str]:
    return proofs.prove(world.machines, world.post, [world.house])


def test_what_is_as_it_must_be_is_proven(world: Any) -> None:
    assert found(world) == []


DATA: dict[str, tuple[str, str, str]] = {
    "an allocation is gone": (
        "receivables_allocation",
        "DELETE FROM receivables_allocation WHERE id = (SELECT min(id) FROM receivables_allocation)",
        "open = total - allocations",
    ),
    "an open amount moved": (
        "receivables_openitem",
        "UPDATE receivables_openitem SET open_minor = open_minor - 1, settled_on = NULL WHERE id ="
        " (SELECT max(id) FROM receivables_openitem WHERE open_minor > 1)",
        "open = total - allocations",
    ),
    "a leg moved": (
        "ledger_leg",
        "UPDATE ledger_leg SET minor = minor + 1, base_minor = base_minor + 1 WHERE id ="
        " (SELECT max(id) FROM ledger_leg)",
        "every entry balances",
    ),
    "an issued line changed": (
        "invoicing_line",
        "UPDATE invoicing_line SET description = 'more' WHERE id = (SELECT min(id) FROM invoicing_line)",
        "hash stored at issue",
    ),
    "a number is gone": (
        "invoicing_document",
        "UPDATE invoicing_document SET number = replace(number, '00002', '00009')",
        "have a gap or a double",
    ),
    "a message is doubled": (
        "messaging_message",
        "INSERT INTO messaging_message OVERRIDING SYSTEM VALUE"
        ' SELECT (jsonb_populate_record(m, \'{"id": 9999, "dedupe": "again", "public_id": "msg_twice"}\')).*'
        " FROM messaging_message m",
        "two messages",
    ),
    "a mail is said to be sent": (
        "messaging_message",
        "UPDATE messaging_message SET header_id = '<never@sent>'",
        "not sent, though it says so",
    ),
    "a charge has no payment": (
        "cashapp_sandboxcharge",
        "UPDATE cashapp_sandboxcharge SET reference = 'sbx_other'",
        "charged 1, booked 1",
    ),
    "an invoice is charged twice over": (
        "cashapp_attemptitem",
        "UPDATE cashapp_attemptitem SET minor = minor + 1",
        "charged too often",
    ),
    "a bank line lost its payment": (
        "cashapp_bankline",
        "UPDATE cashapp_bankline SET state = 'open', payment_id = NULL",
        "a booked bank line and its payment",
    ),
}


@pytest.mark.parametrize("what", DATA)
def test_what_is_broken_in_the_database_is_noticed(world: Any, what: str) -> None:
    table, sql, said = DATA[what]
    world.mended.breaks(table, sql)
    wrong = found(world)
    assert any(said in each for each in wrong), wrong
    world.mended.mend()
    world.mended.back.clear()
    assert found(world) == []


AROUND: dict[str, tuple[Callable[[Any], object], str]] = {
    "a process fell": (lambda world: setattr(world.machines, "fallen", lambda: ["beat1"]), "beat1 ended by itself"),
    "a page broke": (lambda world: world.house.browser.errors.append("500 /o/acorn/"), "500 /o/acorn/"),
    "a mail came three times": (lambda world: world.post.taken.extend(world.post.taken * 2), "3 copies of"),
    "a mail came twice though nobody died": (
        lambda world: world.post.taken.extend(world.post.taken), "1 mails went out twice",
    ),
    "a mail nobody wrote": (lambda world: world.post.taken.append({"Message-ID": "<odd>"}), "nobody wrote <odd>"),
}  # fmt: skip


@pytest.mark.parametrize("what", AROUND)
def test_what_is_broken_around_it_is_noticed(world: Any, what: str) -> None:
    plant, said = AROUND[what]
    plant(world)
    assert any(said in each for each in found(world))


LEFT: dict[str, tuple[str, str]] = {
    "an effect": ("UPDATE core_effect SET done_at = NULL", "effects are not done"),
    "a parked effect": (
        "UPDATE core_effect SET done_at = NULL, parked_at = due_at, last_error = 'no' WHERE id ="
        " (SELECT min(id) FROM core_effect)",
        "parked (",
    ),
    "an event": ("UPDATE core_outboxevent SET relayed_at = NULL", "events are not done"),
    "a mail": ("UPDATE messaging_message SET state = 'sending', sent_at = NULL", "mails are not done"),
    "an attempt": ("UPDATE cashapp_attempt SET state = 'unknown'", "attempts are not done"),
    "a document without its PDF": ("UPDATE invoicing_document SET pdf_id = NULL", "pdfs are not done"),
}


@pytest.mark.parametrize("what", LEFT)
def test_what_does_not_come_to_rest_is_named(world: Any, what: str) -> None:
    sql, said = LEFT[what]
    table = sql.split()[1]
    world.mended.breaks(table, sql)
    assert any(said in each for each in proofs.undone(world.house))


@pytest.mark.parametrize("planted", [False, True])
def test_a_soak_that_finds_something_ends_as_failed(
    world: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], planted: bool
) -> None:
    def one_round(*_: object) -> list[str]:
        if planted:
            world.mended.breaks(*DATA["an allocation is gone"][:2])
        return []

    monkeypatch.setattr(soak, "settle_in", lambda *_: [world.house])
    monkeypatch.setattr(soak, "one_round", one_round)
    monkeypatch.setattr(proofs, "drain", lambda *_: [])
    assert soak.rounds(world.machines, world.post, 0.001, seed=1) == int(planted)
    told = capsys.readouterr().out
    assert ("WRONG" in told, "all proven" in told) == (planted, not planted)


def test_a_step_that_breaks_is_a_finding(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.soak import machines

    still = SimpleNamespace(start=lambda: None, end=lambda: None, done=[])
    monkeypatch.setattr(machines, "Faults", lambda *_: still)
    monkeypatch.setattr(soak, "STEPS", 2)
    world.house.acts = [lambda: 1 / 0]
    world.house.acts[0].__name__ = "broken"
    wrong = soak.one_round(world.machines, world.post, [world.house], Random(1), Random(2))
    assert Counter(wrong) == {"acorn: ZeroDivisionError: division by zero": 2}
