"""Bank lines for programs: brought in, looked at with what is proposed, booked or set aside."""

from typing import Any

from rest_framework import serializers

from cashapp import queue
from cashapp.api.outputs import BankLineDetailOut, BankLineOut, KeptLinesOut, MatchingOut
from cashapp.api.parts import MOST_PARTS, PartIn, by_item
from cashapp.domain.states import LineState
from cashapp.models import BankLine
from cashapp.permissions import PAYMENTS_APPLY, PAYMENTS_RECORD, PAYMENTS_VIEW
from cashapp.services import incoming, lines
from cashapp.services.matching import settle_line
from core.api.fields import CurrencyCode, Day, In, Minor, PublicId, Text, many
from core.api.operations import Api, Call, Listing, operation, referred
from core.errors import Conflict, Invalid
from core.imports.base import Outcome
from customers.selectors import customer as customer_of

TAG = "Bank lines"
MOST_LINES = 500
_CALLED = {"amount": "amount_minor", "customer_number": "customer"}
"""What the API calls the columns of a file."""


class BankLinesQuery(In):
    state = serializers.ChoiceField([str(each) for each in LineState], required=False)
    customer = PublicId(required=False, help_text="Named by the line itself.")
    currency = CurrencyCode(required=False)
    external_id = Text(max_length=255, required=False)
    booked_from = Day(required=False)
    booked_to = Day(required=False)


class BankLineIn(In):
    booked_on = Day()
    amount_minor = Minor(min_value=1, help_text="Money that came in.")
    currency = CurrencyCode()
    payer = Text(required=False, allow_blank=True)
    account = Text(max_length=80, required=False, allow_blank=True)
    memo = Text(max_length=500, required=False, allow_blank=True)
    customer = PublicId(required=False, allow_blank=True, help_text="Who paid, where that is known.")
    external_id = Text(
        max_length=255,
        required=False,
        allow_blank=True,
        help_text="What your system or bank calls the line. Without one, equal lines of one request are so many"
        " payments, and the same request again brings nothing new.",
    )


class BankLinesIn(In):
    lines = many(BankLineIn, most=MOST_LINES, allow_empty=False)


class BookIn(In):
    customer = PublicId(required=False)
    parts = many(
        PartIn,
        most=MOST_PARTS,
        required=False,
        help_text="Where it goes; what is left of the money stays unapplied.",
    )
    proposal = PublicId(required=False, help_text="Instead of both: the id of one of the line's proposals.")


class AsideIn(In):
    reason = Text(max_length=300, help_text="What it is instead of a customer's money.")


def _detail(public_id: str) -> BankLine:
    row = lines.line(public_id)
    offers = queue.offers(row) if row.state == LineState.OPEN else []
    row.proposals = [_proposal(each) for each in offers]
    return row


def _proposal(offer: queue.Offer) -> dict[str, Any]:
    return {
        "id": offer.key,
        "customer": offer.customer,
        "title": offer.title,
        "score": offer.score,
        "parts": [
            {"item": item.public_id, "label": item.label, "amount_minor": offer.parts[item.item_id]}
            for item in offer.items
        ],
        "reasons": offer.reasons,
        "doubts": offer.doubts,
    }


class BankLines(Api):
    tag = TAG

    @operation(PAYMENTS_VIEW, query=BankLinesQuery, gives=BankLineOut, many=True)
    def get(self, call: Call) -> Listing:
        """List bank lines, the newest first."""
        return Listing(queue.lines(queue.LineFilter(**call.filters)))

    @operation(PAYMENTS_RECORD, takes=BankLinesIn, gives=KeptLinesOut)
    def post(self, call: Call) -> dict[str, Any]:
        """Bring bank lines in, 1 to 500 at once, each on its own.

        The answer says of each line whether it is new, was here already, or why it was refused. What is certain is
        matched and booked in a moment.
        """
        told = [
            incoming.Told(minor=each.pop("amount_minor"), **each) for each in map(dict, call.data["lines"])
        ]
        return _results(incoming.keep(told, key=call.intent))


def _results(kept: list[incoming.Kept]) -> dict[str, Any]:
    return {
        **{str(outcome): sum(each.outcome is outcome for each in kept) for outcome in Outcome},
        "data": [
            {
                "status": str(each.outcome),
                "bank_line": each.line or None,
                "errors": [
                    {
                        "pointer": f"/lines/{place}/{_CALLED.get(problem.column, problem.column)}",
                        "message": problem.message,
                    }
                    for problem in each.problems
                ],
            }
            for place, each in enumerate(kept)
        ],
    }


class BankLinesMatch(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, gives=MatchingOut, status=202)
    def post(self, call: Call) -> dict[str, int]:
        """Have a worker match the open lines again; what is certain is booked in a moment."""
        lines.match_soon(call.intent)
        return {"waiting": queue.waiting_count()}


class OneBankLine(Api):
    tag = TAG

    @operation(PAYMENTS_VIEW, gives=BankLineDetailOut)
    def get(self, call: Call, public_id: str) -> BankLine:
        """Get a bank line with what matching proposes for it and why."""
        return _detail(public_id)


class BankLineBook(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, takes=BookIn, gives=BankLineDetailOut)
    def post(self, call: Call, public_id: str) -> BankLine:
        """Book a line's money: whose it is and where it goes, or as proposed.

        What the parts leave stays unapplied. The same decision sent again changes nothing; another one is refused.
        """
        row = lines.line(public_id)
        customer, parts = _decision(row, call.data)
        referred(
            "parts",
            lambda: settle_line(public_id, version=call.expect(row.version), customer=customer, parts=parts),
        )
        return _detail(public_id)


def _decision(row: BankLine, said: dict[str, Any]) -> tuple[str, dict[int, int]]:
    if ("proposal" in said) == ("customer" in said):
        raise Invalid("Say whose money it is, or name a proposal.", fields={"customer": "One of both."})
    if "proposal" not in said:
        owner = referred("customer", lambda: customer_of(said["customer"]))
        return owner.public_id, by_item(said.get("parts", []), customer_id=owner.pk, currency=row.currency)
    if "parts" in said:
        raise Invalid("A proposal brings its own parts.", fields={"parts": "Leave them out."})
    offer = next((each for each in queue.offers(row) if each.key == said["proposal"]), None)
    if offer is None:
        raise Conflict("That is not proposed any more. Look again.", code="proposal_gone")
    return offer.customer.public_id, offer.parts


class BankLineAside(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, takes=AsideIn, gives=BankLineDetailOut)
    def post(self, call: Call, public_id: str) -> BankLine:
        """Say that no customer sent this money; it stays out of the books. Again changes nothing."""
        lines.line(public_id)
        lines.set_aside(public_id, reason=call.data["reason"])
        return _detail(public_id)


class BankLineBack(Api):
    tag = TAG

    @operation(PAYMENTS_APPLY, gives=BankLineDetailOut)
    def post(self, call: Call, public_id: str) -> BankLine:
        """Put a line that was set aside back on the list. Again changes nothing."""
        lines.line(public_id)
        lines.bring_back(public_id)
        return _detail(public_id)
