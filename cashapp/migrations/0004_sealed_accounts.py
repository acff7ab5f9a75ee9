import hashlib
from typing import Any

from django.apps import apps as real
from django.db import migrations

import core.base
from cashapp.domain.matching import account_key
from core import vault
from core.sealing import batches, each_organization, seal_in_place

_SAID = ("booked_on", "minor", "currency", "payer", "account", "memo")


def seal_lines(apps: Any) -> None:
    """Seal accounts, and name lines by a blind index where a plain digest of what they say named them."""
    model = real.get_model("cashapp", "BankLine")
    numbers = dict(apps.get_model("customers", "Customer").unscoped.values_list("pk", "number"))
    for batch in batches(apps.get_model("cashapp", "BankLine")):
        said = {row.pk: _said(row, numbers.get(row.customer_id, "")) for row in batch}
        blind = vault.blind_all(model, "key", said.values())
        sealed = vault.seal_all(model, "account", [(row.public_id, row.account) for row in batch])
        for row, account in zip(batch, sealed, strict=True):
            kind, _, rest = row.key.partition(":")
            digest, _, occurrence = rest.partition(":")
            if kind == "is" and digest == hashlib.sha256(said[row.pk].encode()).hexdigest()[:48]:
                row.key = f"is:{blind[said[row.pk]]}:{occurrence}"
            row.account = account
            for offer in row.proposals:
                for _code, facts in offer["reasons"]:
                    if facts.pop("account", None) is not None:
                        facts["line"] = str(row.pk)
        batch[0].__class__.unscoped.bulk_update(batch, ["key", "account", "proposals"])


def _said(row: Any, number: str) -> str:
    """What a file's row said, as its natural key was made of it."""
    return "\x1f".join([*(str(getattr(row, name)) for name in _SAID), number])


def seal_facts(apps: Any) -> None:
    """Know accounts that were taught by their blind index."""
    for batch in batches(apps.get_model("cashapp", "PayerFact")):
        found = [row for row in batch if row.kind == "account"]
        keys = {row.pk: account_key(row.key) for row in found}
        blind = vault.blind_all(real.get_model("cashapp", "PayerFact"), "key", keys.values())
        for row in found:
            row.key = blind[keys[row.pk]]
        batch[0].__class__.unscoped.bulk_update(found, ["key"])


class Migration(migrations.Migration):
    """Payers' accounts and what gateways tell are sealed; accounts are known again by a blind index."""

    dependencies = [
        ('cashapp', '0003_payment_search'),
        ('core', '0016_sealed'),
        ('customers', '0001_initial'),
    ]

    operations = [
        migrations.AlterField('bankline', 'account', core.base.Sealed(blank=True, default='', editable=False)),
        each_organization(("cashapp_bankline",), seal_lines),
        each_organization(("cashapp_payerfact",), seal_facts),
        migrations.AlterField('webhookevent', 'payload', core.base.Sealed(blank=True, default='', editable=False)),
        seal_in_place(
            "cashapp", "WebhookEvent", "payload", name=lambda row: f"{row.provider}:{row.event_id}"
        ),
    ]
