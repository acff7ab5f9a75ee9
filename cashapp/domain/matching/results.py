"""From a judged guess to the proposal a person or a service reads: parts, score, and why, from the same facts."""

from collections.abc import Iterator, Mapping

from cashapp.domain.matching.contest import fill
from cashapp.domain.matching.guesses import Guess, Tie
from cashapp.domain.matching.payers import Level
from cashapp.domain.matching.reading import Quote
from cashapp.domain.matching.records import Part, Proposal, Reason

MAX_REASONS = 3
MAX_DOUBTS = 2
_CERTAIN = 95
_PER_DOUBT = 6
_PER_EDIT = 4
_PAYER = {
    Level.GIVEN: 30,
    Level.NAME: 30,
    Level.ALIAS: 28,
    Level.ACCOUNT: 25,
    Level.BRIDGE: 22,
    Level.SIMILAR: 8,
    Level.NONE: 0,
}
_TIE = {Tie.EXACT: 40, Tie.TINY: 32, Tie.SHORT: 15, Tie.OVER: 8}
_QUOTE = {Quote.PROVEN: 30, Quote.NEAR: 22, Quote.NONE: 0}


def proposal(guess: Guess, doubts: tuple[Reason, ...], left: Mapping[int, int], *, certain: bool) -> Proposal:
    """The guess as a proposal; `left` is what is open of each item, in minor units."""
    parts = tuple(
        (line.line_id, tuple(Part(item.item_id, minor) for item, minor in own))
        for line, own in zip(guess.lines, fill(guess, left), strict=True)
    )
    return Proposal(
        line_ids=tuple(line.line_id for line in guess.lines),
        customer_id=guess.customer_id,
        parts=parts,
        certain=certain,
        score=_score(guess, len(doubts), certain=certain),
        reasons=tuple(_reasons(guess))[:MAX_REASONS],
        doubts=doubts[:MAX_DOUBTS],
    )


def _score(guess: Guess, doubts: int, *, certain: bool) -> int:
    points = _TIE[guess.tie] + _QUOTE[guess.quote]
    if guess.customer_id in guess.payer.customers:
        points += _PAYER[guess.payer.level]
    if guess.quote is Quote.NEAR:
        points -= _PER_EDIT * guess.edits
    if certain:
        return max(points, _CERTAIN)
    return max(0, min(points, _CERTAIN - 1) - _PER_DOUBT * doubts)


def _reasons(guess: Guess) -> Iterator[Reason]:
    if guess.quote is Quote.PROVEN:
        yield Reason("quoted", {"numbers": ", ".join(dict.fromkeys(guess.names))})
    elif guess.quote is Quote.NEAR:
        number = next(iter(guess.items[0].references), "")
        yield Reason("nearly_quoted", {"number": number, "edits": str(guess.edits)})
    yield _amount(guess)
    if guess.customer_id in guess.payer.customers:
        line = guess.lines[0]
        said = {"payer": line.payer, "account": line.account, "line": str(line.line_id)}
        yield Reason(f"payer_{guess.payer.level.name.lower()}", said)


def _amount(guess: Guess) -> Reason:
    facts = {
        "minor": str(abs(guess.paid - guess.owed)),
        "currency": guess.lines[0].currency,
        "items": str(len(guess.items)),
        "lines": str(len(guess.lines)),
    }
    if guess.tie is Tie.EXACT:
        code = "ties_together" if len(guess.lines) > 1 else "ties_set" if len(guess.items) > 1 else "ties"
    elif guess.tie is Tie.TINY:
        code = "tiny_gap"
    else:
        code = "part" if guess.tie is Tie.SHORT else "more"
    return Reason(code, facts)
