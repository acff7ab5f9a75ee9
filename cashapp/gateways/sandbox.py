"""The sandbox gateway: behaves like a card gateway, moves no money, remembers every key.

Its methods are test cards. It keeps its charges in a table of its own, in transactions of its own, as a vendor
would, and reports each outcome by webhook as well.
"""

from datetime import date, timedelta

from cashapp.gateways.port import CardRefused, ChargeRequest, ChargeResult, NoAnswer, Outcome
from cashapp.models import SandboxCharge
from core import clock, effects, ids
from core.scope import refuse_inside_work, work
from customers.domain.cards import Card

CARDS = {
    "card_ok": "Succeeds",
    "card_declined": "Is declined",
    "card_authenticate": "Asks for authentication",
    "card_spent": "Succeeds here, not when charged by itself",
    "card_old": "Succeeds, expires this month",
    "card_timeout": "Succeeds, but the answer is lost",
    "card_down": "The gateway is down",
}
LAST_DIGITS = {
    "card_ok": "4242", "card_authenticate": "3155", "card_timeout": "0077", "card_spent": "0341",
    "card_old": "0069",
}  # fmt: skip
"""Of the cards that can be kept."""
_CONFIRM = "Your bank wants you to confirm this payment."


class Sandbox:
    """Implements cashapp.gateways.port.Gateway."""

    name = "sandbox"

    def charge(self, request: ChargeRequest) -> ChargeResult:
        refuse_inside_work("A gateway call")
        if request.method == "card_down":
            raise NoAnswer("The sandbox was told to be down.")
        with work():
            row, made = SandboxCharge.objects.get_or_create(
                key=request.key,
                defaults={
                    "reference": ids.new("sbx"),
                    "minor": request.amount.minor,
                    "currency": request.amount.currency,
                    **_answer(request.method, off_session=request.off_session),
                },
            )
            if made and row.outcome == Outcome.SUCCEEDED:
                _report(row)
        if made and request.method.startswith("card_timeout"):
            raise NoAnswer("The sandbox was told to lose its answer.")
        return _result(row)

    def keep(self, method: str) -> Card:
        refuse_inside_work("A gateway call")
        if method == "card_down":
            raise NoAnswer("The sandbox was told to be down.")
        if method not in LAST_DIGITS:
            raise CardRefused("The card was declined. Try another one.")
        today = clock.now().date()
        years = 0 if method == "card_old" else 3
        expires_on = _month_end(today.replace(year=today.year + years, day=1))
        return Card(f"{method}.{expires_on}", "Visa", LAST_DIGITS[method], expires_on)

    def find(self, key: str) -> ChargeResult | None:
        refuse_inside_work("A gateway call")
        with work():
            row = SandboxCharge.objects.filter(key=key).first()
        return _result(row) if row else None

    def cancel(self, reference: str) -> ChargeResult:
        return self._decide(reference, Outcome.DECLINED, "cancelled", "The payment was given up.")

    def authenticate(self, reference: str, *, approved: bool) -> ChargeResult:
        """What the customer's bank page does: approve or refuse a charge that waits for it."""
        if approved:
            return self._decide(reference, Outcome.SUCCEEDED, "", "")
        return self._decide(
            reference, Outcome.DECLINED, "authentication_failed", "Your bank did not confirm it."
        )

    def _decide(self, reference: str, outcome: Outcome, code: str, message: str) -> ChargeResult:
        refuse_inside_work("A gateway call")
        with work():
            changed = SandboxCharge.objects.filter(
                reference=reference, outcome=Outcome.ACTION_REQUIRED
            ).update(outcome=outcome, code=code, message=message)
            row = SandboxCharge.objects.get(reference=reference)
            if changed:
                _report(row)
        return _result(row)


def _answer(token: str, *, off_session: bool) -> dict[str, str]:
    """What becomes of a charge; the token of a kept card says how long it is good."""
    method, _dot, until = token.partition(".")
    if until and clock.now().date() > date.fromisoformat(until):
        return {"outcome": Outcome.DECLINED, "code": "expired_card", "message": "The card has expired."}
    if method in {"card_ok", "card_timeout", "card_old"} or (method == "card_spent" and not off_session):
        return {"outcome": Outcome.SUCCEEDED}
    if method == "card_authenticate" and off_session:
        return {"outcome": Outcome.DECLINED, "code": "authentication_required", "message": _CONFIRM}
    if method == "card_authenticate":
        return {"outcome": Outcome.ACTION_REQUIRED}
    return {"outcome": Outcome.DECLINED, "code": "card_declined", "message": "The card was declined."}


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _result(row: SandboxCharge) -> ChargeResult:
    return ChargeResult(Outcome(row.outcome), row.reference, row.code, row.message)


def _report(row: SandboxCharge) -> None:
    event_id = f"{row.reference}:{row.outcome}"
    effects.due("sandbox.webhook", [(event_id, {"event_id": event_id, "key": row.key})])
