"""What a copy of the database and of the files shows: no account, no link, no secret, by whatever door it came in."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from cashapp.domain.matching import account_key
from cashapp.models import BankLine, PayerFact, WebhookEvent
from cashapp.services import inbox
from cashapp.services.lines import MATCH
from cashapp.services.matching import settle_line
from core import clock, effects, files, vault
from core.models import Effect, IdempotencyKey, Import
from core.relay import relay
from core.scope import Scope, work
from messaging.models import Message
from tenants.models import Role
from tenants.services import invitations, keys
from tenants.services.accounts import ask_for_password
from tests import databases, factories
from tests.db.api.conftest import Program
from tests.db.core.imports import brought_in, csv

FILE, SENT, TOLD = "DE02120300000000202051", "GB33BUKB20201555555555", "FR7630006000011234567890189"
HEADING = ("Received on", "Amount", "Currency", "Payer", "Payer's account", "Memo")


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


def dump() -> str:
    """Every row of every table as text, as the owner would see it."""
    name = connection.settings_dict["NAME"]
    tables = databases.as_owner("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name=name)
    rows = (databases.as_owner(f'SELECT t::text FROM "{table}" t', name=name) for (table,) in tables)
    return "\n".join(str(text) for found in rows for (text,) in found)


def on_disk(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def lived() -> list[str]:
    """Accounts, links and secrets that came in or went out by every door there is."""
    brought_in("payments", csv(HEADING, [("2026-11-02", "50.00", "EUR", "Kestrel", FILE, "A-1")]))
    with work():
        owner = factories.customer(name="Kestrel")
        invoice, _twin = factories.invoice(owner), factories.invoice(owner)
        secret = keys.make(name="ERP").secret
        invitations.invite(email="new@acorn.example", role=Role.objects.get(key="viewer"))
    api = Program(secret)
    told = {"booked_on": "2026-11-10", "amount_minor": invoice.total_minor, "currency": "EUR", "payer": "KF"}
    api.post("/bank_lines", {"lines": [{**told, "account": SENT}]})
    (aside,) = api.post(
        "/bank_lines", {"lines": [{**told, "payer": "Landlord", "memo": "rent", "account": SENT}]}
    )["data"]
    assert api.post(f"/bank_lines/{aside['bank_line']}/aside", {"reason": "Rent"})["account"] == SENT
    hook = api.post("/webhooks", {"url": "https://erp.example/hook"}, 201)["secret"]
    inbox.receive(provider="sandbox", event_id="e1", payload={"key": "x", "iban": TOLD})
    with work():
        row = BankLine.objects.get(payer="KF")
        settle_line(row.public_id, version=row.version, customer=owner.public_id, parts={})
    api.post("/bank_lines", {"lines": [{**told, "payer": "KFH", "account": SENT, "memo": "again"}]})
    ask_for_password("ben@acorn.example")
    for _ in range(3):
        with work():
            Effect.objects.filter(kind=MATCH).update(due_at=clock.wall())
        relay([])
        effects.work_off([])
    with work():
        letters = " ".join(row.letter_text for row in Message.objects.all())
        (reason,) = [
            facts
            for row in BankLine.objects.filter(state="open", memo="again")
            for offer in row.proposals
            for code, facts in offer["reasons"]
            if code == "payer_account"
        ][:1]
        assert reason["line"]
    links = [
        word.rstrip("/").rsplit("/", 1)[-1]
        for word in letters.split()
        if "/join/" in word or "/set-password/" in word or "/pay/" in word
    ]
    assert len(links) >= 2
    return [FILE, SENT, TOLD, secret, hook, *links]


def test_a_copy_of_all_tables_and_files_shows_no_secret(committed_acorn: Scope, folder: Path) -> None:
    secrets = lived()
    held = dump()
    assert "KF" in held
    stored = on_disk(folder)
    assert [each for each in secrets if each in held or account_key(each) in held] == []
    assert [each for each in secrets if each.encode() in stored] == []
    with work():
        assert {row.account_number for row in BankLine.objects.all()} == {FILE, SENT}
        (source,) = Import.objects.all()
        assert FILE in files.read(source.file).decode()


def test_the_same_account_is_known_again_though_nobody_can_read_it(acorn: Scope) -> None:
    with work():
        owner = factories.customer(name="Kestrel")
        invoice, _twin = factories.invoice(owner), factories.invoice(owner)
        secret = keys.make(name="ERP").secret
    api = Program(secret)
    line = {"booked_on": "2026-11-10", "amount_minor": invoice.total_minor, "currency": "EUR"}
    (first,) = api.post("/bank_lines", {"lines": [{**line, "payer": "KF", "account": "DE02 1203"}]})["data"]
    with work():
        row = BankLine.objects.get(public_id=first["bank_line"])
        settle_line(row.public_id, version=row.version, customer=owner.public_id, parts={})
    again = {**line, "payer": "zz", "account": "de021203"}
    (second,) = api.post("/bank_lines", {"lines": [again]})["data"]
    with work():
        Effect.objects.filter(kind=MATCH, done_at=None).update(due_at=clock.wall())
    effects.work_off([])
    (offer, *_) = api.get(f"/bank_lines/{second['bank_line']}")["proposals"]
    assert "The account de021203 is confirmed for the customer." in [
        each["text"] for each in offer["reasons"]
    ]


def plain() -> None:
    """Rows as builds wrote them that sealed nothing. Inside work()."""
    line = BankLine(key="is:x:1", currency="EUR", minor=1, booked_on="2026-11-02", account=FILE, payer="K")
    line.proposals = [{"reasons": [["payer_account", {"account": FILE, "payer": "K"}]], "doubts": []}]
    line.save()
    PayerFact.objects.create(kind="account", key=account_key(FILE), customer=factories.customer())
    PayerFact.objects.create(kind="name", key="kestrel", customer=factories.customer())
    WebhookEvent.objects.create(provider="sandbox", event_id="e1", payload=json.dumps({"iban": FILE}))
    IdempotencyKey.objects.create(
        caller="key:1", key="k", request="r", status=200, body=json.dumps({"a": FILE}), at=clock.wall()
    )
    Message.objects.create(kind="k", about="a", to_address="a@b.example", header_id="<1>", text_body=FILE)


MIGRATE = """
import django; django.setup()
from importlib import import_module
from django.apps import apps
from django.db import connection
for name in ("core.migrations.0016_sealed", "messaging.migrations.0003_sealed",
             "cashapp.migrations.0004_sealed_accounts"):
    for operation in import_module(name).Migration.operations:
        if hasattr(operation, "code"):
            with connection.schema_editor(atomic=True) as editor:
                operation.code(apps, editor)
"""


def test_what_was_plain_is_sealed_by_the_migrations(
    committed_acorn: Scope, committed: dict[str, str]
) -> None:
    with work():
        plain()
    env = {**os.environ, **committed, "ARAPP_AS": "owner",
           "DJANGO_SETTINGS_MODULE": "arapp.settings", "MASTER_KEYS": settings.MASTER_KEYS}  # fmt: skip
    subprocess.run([sys.executable, "-c", MIGRATE], env=env, check=True)
    assert FILE not in dump()
    with work():
        line = BankLine.objects.get()
        assert line.account_number == FILE
        assert line.proposals[0]["reasons"][0][1] == {"payer": "K", "line": str(line.pk)}
        fact = PayerFact.objects.get(kind="account")
        assert fact.key == vault.blind(PayerFact, "key", account_key(FILE))
        assert PayerFact.objects.get(kind="name").key == "kestrel"
        assert json.loads(vault.reveal(WebhookEvent.objects.get(), "payload")) == {"iban": FILE}
        assert json.loads(vault.reveal(IdempotencyKey.objects.get(), "body")) == {"a": FILE}
        assert Message.objects.get().letter_text == FILE
