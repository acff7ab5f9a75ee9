"""The sandbox gateway: behaves like a card gateway, moves no money, remembers every key.

Its methods are test cards. It keeps its charges in a table of its own, in transactions of its own, as a vendor
would, and reports each outcome by webhook as well.
"""

from cashapp.gateways.port import ChargeRequest, ChargeResult, NoAnswer, Outcome
from cashapp.models import SandboxCharge
from core import effects, ids
from core.scope import refuse_inside_work, work

CARDS = {
    "card_ok": "Succeeds",
    "card_declined": "Is declined",
    "card_authenticate": "Asks for authentication",
    "card_timeout": "Succeeds, but the answer is lost",
    "card_down": "The gateway is down",
}


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
                    **_answer(request.method),
                },
            )
            if made and row.outcome == Outcome.SUCCEEDED:
                _report(row)
        if made and request.method == "card_timeout":
            raise NoAnswer("The sandbox was told to lose its answer.")
        return _result(row)

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


def _answer(method: str) -> dict[str, str]:
    if method in {"card_ok", "card_timeout"}:
        return {"outcome": Outcome.SUCCEEDED}
    if method == "card_authenticate":
        return {"outcome": Outcome.ACTION_REQUIRED}
    return {"outcome": Outcome.DECLINED, "code": "card_declined", "message": "The card was declined."}


def _result(row: SandboxCharge) -> ChargeResult:
    return ChargeResult(Outcome(row.outcome), row.reference, row.code, row.message)


def _report(row: SandboxCharge) -> None:
    event_id = f"{row.reference}:{row.outcome}"
    effects.due("sandbox.webhook", [(event_id, {"event_id": event_id, "key": row.key})])
