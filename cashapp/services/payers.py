"""Under which names and accounts customers pay: taught by whoever books a line, forgotten when it is taken back."""

from collections.abc import Iterable

from django.db.models import F

from cashapp.domain.matching import account_key, payer_key
from cashapp.models import BankLine, PayerFact
from core import clock, vault

NAME, ACCOUNT = "name", "account"


def learn(line: BankLine, customer_id: int) -> None:
    """Remember how the customer pays; what was taught for others before counts no more. Inside work()."""
    for kind, key in _said(line):
        PayerFact.objects.filter(kind=kind, key=key).exclude(customer_id=customer_id).delete()
        fact, made = PayerFact.objects.get_or_create(kind=kind, key=key, customer_id=customer_id)
        if not made:
            PayerFact.objects.filter(pk=fact.pk).update(times=F("times") + 1, last_at=clock.now())


def forget(line: BankLine, customer_id: int) -> None:
    """The line's money was not the customer's: its name and account prove nothing any more. Inside work()."""
    for kind, key in _said(line):
        PayerFact.objects.filter(kind=kind, key=key, customer_id=customer_id).delete()


def _said(line: BankLine) -> list[tuple[str, str]]:
    taught = [(NAME, payer_key(line.payer))]
    if account := account_key(line.account_number):
        taught.append((ACCOUNT, blind_accounts([account])[account]))
    return [(kind, key) for kind, key in taught if key]


def blind_accounts(accounts: Iterable[str]) -> dict[str, str]:
    """Under which keys accounts in their normal form are remembered; one query for all. Inside work()."""
    return vault.blind_all(PayerFact, "key", accounts)
