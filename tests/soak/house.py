"""What people of one organization and its customers do all day, at random but legal."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from http.client import HTTPException
from http.cookiejar import Cookie, CookieJar
from random import Random
from time import sleep
from urllib.parse import urlencode
from uuid import UUID

from billing.models import Subscription
from billing.services.prices import create_price
from billing.services.subscriptions import end, subscribe
from cashapp.models import BankLine, Payment
from cashapp.services import payments
from cashapp.services.matching import settle_line
from core import clock
from core.errors import AppError
from core.imports import opening
from core.imports import work as imports
from core.models import Import
from core.scope import Scope, enter, work
from customers.models import Customer
from customers.services.customers import create_customer
from customers.services.links import PAY, token_for
from invoicing.models import Document
from invoicing.services import correct
from invoicing.services.credit import credit
from receivables.models import Allocation, OpenItem
from receivables.services.reverse import take_back

CSRF = "soak" * 8
CARDS = ("card_ok", "card_ok", "card_declined", "card_timeout", "card_down", "card_authenticate")


def cookie(name: str, value: str) -> Cookie:
    """One of the product's own address, for as long as the browser is open."""
    return Cookie(
        0, name, value, None, False, "127.0.0.1", False, False, "/", True, False, None, True, None, None, {}
    )


class Browser:
    """One person's cookies. What got no answer is sent again as it was, like an impatient reload."""

    def __init__(self, origin: str, session: str = "") -> None:
        self.origin, self.errors = origin, list[str]()
        self.answers: dict[int, int] = {}
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar := CookieJar()))
        for name, value in (("session", session), ("csrftoken", CSRF)):
            jar.set_cookie(cookie(name, value))

    def open(self, path: str, **fields: str) -> str:
        """Get or, with fields, post; the address at which it ended."""
        data = urlencode({**fields, "csrfmiddlewaretoken": CSRF}).encode() if fields else None
        for _ in range(60):
            try:
                with self.opener.open(f"{self.origin}{path}", data, timeout=60) as answer:
                    answer.read()
                    return str(answer.geturl())
            except urllib.error.HTTPError as error:
                if error.code >= 500 and error.code != 503:
                    self.errors.append(f"{error.code} {path}")
                self.answers[error.code] = self.answers.get(error.code, 0) + 1
                return str(error.geturl())
            except (OSError, HTTPException):
                sleep(0.5)
        self.errors.append(f"no answer {path}")
        return ""

    def twice(self, path: str, **fields: str) -> None:
        """A double click."""
        with ThreadPoolExecutor(2) as pool:
            for sent in [pool.submit(self.open, path, **fields) for _ in range(2)]:
                sent.result()


class House:
    """An organization; `step` does one thing, by a service or by a page."""

    def __init__(self, scope: Scope, slug: str, browser: Browser, dice: Random, currency: str) -> None:
        self.scope, self.slug, self.browser, self.dice, self.currency = scope, slug, browser, dice, currency
        self.done: dict[str, int] = {}
        self.refused: dict[str, int] = {}
        self.prices: list[object] = []
        self.acts: list[Callable[[], object]] = [
            self.customer, self.subscription, self.subscription, self.run, self.run, self.pay_by_hand,
            self.pay_by_hand, self.pay_by_card, self.pay_by_card, self.pay_by_card, self.undo, self.reverse,
            self.void, self.credit, self.bring_in, self.go_on_importing, self.settle, self.end, self.look,
        ]  # fmt: skip

    def step(self) -> str:
        act = self.dice.choice(self.acts)
        try:
            with enter(self.scope):
                act()
        except AppError as error:
            name = f"{act.__name__}: {type(error).__name__}"
            self.refused[name] = self.refused.get(name, 0) + 1
        self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
        return act.__name__

    def key(self) -> str:
        return str(UUID(int=self.dice.getrandbits(128)))

    def today(self) -> date:
        return clock.today("UTC") - timedelta(days=1)  # a day that is over in every zone

    def one(self, rows: object) -> object:
        """One of the newest rows, or a refusal when there is none."""
        found = list(rows.order_by("-id")[:30])  # type: ignore[attr-defined]
        if not found:
            raise AppError("There is none yet.")
        return self.dice.choice(found)

    def invoice(self) -> Document:
        return self.one(Document.objects.filter(kind="invoice", state="issued"))  # type: ignore[return-value]

    def open_item(self) -> OpenItem:
        return self.one(OpenItem.objects.filter(open_minor__gt=0, kind="invoice"))  # type: ignore[return-value]

    def customer(self) -> None:
        n = self.dice.getrandbits(40)
        with work():
            create_customer(
                name=f"Payer {n}", number=f"P{n}", currency=self.currency, email=f"p{n}@payer.example"
            )

    def subscription(self) -> None:
        starts = self.today() - timedelta(days=self.dice.randrange(100))
        with work():
            if len(self.prices) < 6:
                self.prices.append(
                    create_price(
                        name="Track", code=f"track-{len(self.prices)}", currency=self.currency,
                        model=self.dice.choice(["flat", "per_unit"]), unit=self.dice.choice(["week", "month"]),
                        unit_price=Decimal(self.dice.randrange(1, 50_000)).scaleb(-3),
                        tax_percent=Decimal(self.dice.choice([0, 7, 19])),
                    )
                )  # fmt: skip
            subscribe(
                customer=self.one(Customer.objects).public_id,  # type: ignore[attr-defined]
                price=self.dice.choice(self.prices),  # type: ignore[arg-type]
                starts_on=starts, quantity=Decimal(self.dice.randrange(1, 40)),
            )  # fmt: skip

    def end(self) -> None:
        with work():
            end(
                self.one(Subscription.objects.filter(state="active")).public_id,
                on=self.today(),
                today=self.today(),
            )  # type: ignore[attr-defined]

    def run(self) -> None:
        self.browser.twice(
            f"/o/{self.slug}/runs/start/", as_of=self.today().isoformat(), key=self.key().replace("-", "")
        )

    def look(self) -> None:
        for path in ("", "invoices/", "ageing/", "journal/", "bank-lines/", "payments/"):
            self.browser.open(f"/o/{self.slug}/{path}")

    def pay_by_hand(self) -> None:
        with work():
            item = self.open_item()
            owner = Customer.objects.get(pk=item.customer_id)
        minor = self.dice.choice([item.open_minor, max(1, item.open_minor // 3), item.open_minor + 500])
        self.browser.twice(
            f"/o/{self.slug}/payments/new/{owner.public_id}/", key=self.key().replace("-", ""),
            amount=str(Decimal(minor).scaleb(-2)), received_on=self.today().isoformat(),
            method="bank_transfer", currency=self.currency,
        )  # fmt: skip

    def pay_by_card(self) -> None:
        with work():
            item = self.open_item()
            token = token_for(purpose=PAY, target=item.source, customer_id=item.customer_id)
        payer = Browser(self.browser.origin)
        payer.open(f"/pay/{token}/")
        part = str(Decimal(max(1, item.open_minor // 2)).scaleb(-2)) if self.dice.random() < 0.4 else ""
        fields = {"key": self.key(), "method": self.dice.choice(CARDS), "amount": part}
        payer.twice(f"/pay/d/{item.source}/", **fields)
        ended = payer.open(f"/pay/d/{item.source}/", **fields)
        if "/authenticate/" in ended:
            payer.twice(ended.removeprefix(payer.origin), answer=self.dice.choice(["approve", "refuse"]))
        self.browser.errors += payer.errors
        for code, n in payer.answers.items():
            self.browser.answers[code] = self.browser.answers.get(code, 0) + n

    def undo(self) -> None:
        """Only of money that came by hand: what is paid by card twice would else be wanted so."""
        manual = Payment.objects.filter(provider="manual").values("public_id")
        with work():
            rows = Allocation.objects.filter(reverses=None, credit_item__source__in=manual)
            take_back(self.one(rows).pk, on=self.today(), reason="Wrong invoice")  # type: ignore[attr-defined]

    def reverse(self) -> None:
        with work():
            row = self.one(Payment.objects.filter(provider="manual", state="received"))
            payments.reverse(row.public_id, on=self.today(), reason="Returned")  # type: ignore[attr-defined]

    def void(self) -> None:
        with work():
            correct.void(self.invoice().public_id, on=clock.today("UTC"), reason="Not ordered")

    def credit(self) -> None:
        amounts = {1: self.dice.randrange(1, 2000)} if self.dice.random() < 0.7 else None
        with work():
            credit(
                self.invoice().public_id,
                on=clock.today("UTC"),
                reason="Damaged",
                key=self.key(),
                amounts=amounts,
            )

    def bring_in(self) -> None:
        rows = ["date,amount,currency,payer,memo,transaction id"]
        with work():
            items = list(OpenItem.objects.filter(open_minor__gt=0, kind="invoice").order_by("-id")[:4])
        for item in items:
            memo = self.dice.choice([f"Invoice {item.label}", "thank you"])
            amount = Decimal(item.open_minor).scaleb(-2)
            rows.append(f"{self.today()},{amount},{self.currency},Payer,{memo},{self.dice.getrandbits(60)}")
        if len(rows) > 1:
            source = opening.upload("payments", data="\n".join([*rows, ""]).encode(), name="bank.csv")
            with work():
                imports.prepare(source.public_id, mapping=source.mapping, choices={})

    def go_on_importing(self) -> None:
        with work():
            imports.start(self.one(Import.objects.filter(state="ready", created__gt=0)).public_id)  # type: ignore[attr-defined]

    def settle(self) -> None:
        with work():
            row = self.one(BankLine.objects.filter(state="open"))
            item = self.open_item()
            owner = Customer.objects.get(pk=item.customer_id)
            parts = {item.pk: min(item.open_minor, row.minor)}  # type: ignore[attr-defined]
            settle_line(row.public_id, version=row.version, customer=owner.public_id, parts=parts)  # type: ignore[attr-defined]

    def __str__(self) -> str:
        return (
            f"{self.slug}: did {json.dumps(self.done)}, refused {json.dumps(self.refused)},"
            f" pages refused {self.browser.answers}"
        )
