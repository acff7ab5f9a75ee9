"""The rounds: guess, let the guards judge, accept what is certain and alone, look again at what that changed."""

from collections.abc import Iterable, Sequence

from cashapp.domain.matching.contest import fill, judge, uncontested
from cashapp.domain.matching.guesses import Guess, Guesser, Tie
from cashapp.domain.matching.ledger import Ledger
from cashapp.domain.matching.payers import Payers
from cashapp.domain.matching.reading import Quote, Reading
from cashapp.domain.matching.records import Item, Known, Line, Proposal, Reason
from cashapp.domain.matching.results import proposal
from cashapp.domain.matching.together import Together

MAX_PROPOSALS = 5
_CONTESTED = (Reason("contested", {}),)


def propose(
    lines: Sequence[Line], items: Sequence[Item], known: Known, gap_needs: Quote = Quote.PROVEN
) -> dict[int, list[Proposal]]:
    """Proposals by line id, best first, at most five; an empty list is the answer "none of these items".

    All certain proposals can be booked together: no line is used twice and no item beyond what it holds. A line
    with a certain proposal has no other. The order of lines and items does not matter. What a line has beyond its
    parts stays unapplied; that is certain only when the memo quotes each item exactly and no other number.
    """
    return _Batch(lines, items, known, gap_needs).run()


class _Batch:
    def __init__(self, lines: Sequence[Line], items: Sequence[Item], known: Known, gap_needs: Quote) -> None:
        self.gap_needs = gap_needs
        every = sorted(lines, key=lambda line: line.line_id)
        recognise = Payers(every, known)
        self.open = {line.line_id: line for line in every if line.minor > 0}
        self.ledger = Ledger(items)
        self.payers = {line_id: recognise.of(line) for line_id, line in self.open.items()}
        self.readings = {line_id: Reading(line) for line_id, line in self.open.items()}
        self.guesser = Guesser(self.ledger)
        self.together = Together(self.ledger, self.readings, self.payers)
        self.guesses: dict[int, list[Guess]] = {}
        self.result: dict[int, list[Proposal]] = {line.line_id: [] for line in every}

    def run(self) -> dict[int, list[Proposal]]:
        stale = sorted(self.open)
        while True:
            accepted = self.accept(self.guess(stale)) or self.accept(self.joint())
            if not accepted:
                break
            stale = self.touched(accepted)
        self.rank()
        return self.result

    def guess(self, line_ids: Iterable[int]) -> list[Guess]:
        made = []
        for line_id in line_ids:
            own = self.guesser.of(self.open[line_id], self.readings[line_id], self.payers[line_id])
            self.guesses[line_id] = own
            made += own
        return made

    def joint(self) -> list[Guess]:
        return self.together.find(line for line_id, line in self.open.items() if not self.explained(line_id))

    def explained(self, line_id: int) -> bool:
        return any(g.tie is Tie.EXACT or g.quote is Quote.PROVEN for g in self.guesses[line_id])

    def accept(self, guesses: Sequence[Guess]) -> list[Guess]:
        """Decide what is certain; only this reduces what is open for the rest of the batch."""
        sure = [guess for guess, doubts in judge(guesses, self.gap_needs) if not doubts]
        accepted = []
        for guess in uncontested(sure, self.ledger.left):
            filled = fill(guess, self.ledger.left)
            if not all(filled):  # the tolerance let a line through for which nothing is left
                continue
            accepted.append(guess)
            booked = proposal(guess, (), self.ledger.left, certain=True)
            for line, parts in zip(guess.lines, filled, strict=True):
                self.result[line.line_id] = [booked]
                del self.open[line.line_id]
                for item, minor in parts:
                    self.ledger.take(item, minor)
        return accepted

    def touched(self, accepted: Iterable[Guess]) -> list[int]:
        """Open lines for which something changed."""
        changed = {guess.customer_id for guess in accepted}
        return [
            line_id
            for line_id in self.open
            if changed & self.payers[line_id].customers
            or any(guess.customer_id in changed for guess in self.guesses[line_id])
        ]

    def rank(self) -> None:
        """What could not be decided becomes proposals. Without a doubt here means contested in the last round."""
        single = [guess for line_id in self.open for guess in self.guesses[line_id]]
        for guess, doubts in judge(single + self.joint(), self.gap_needs):
            made = proposal(guess, doubts or _CONTESTED, self.ledger.left, certain=False)
            for line_id in made.line_ids:
                self.result[line_id].append(made)
        for line_id in self.open:
            self.result[line_id] = sorted(self.result[line_id], key=_best_first)[:MAX_PROPOSALS]


def _best_first(found: Proposal) -> tuple[int, int, tuple[int, ...]]:
    ids = tuple(part.item_id for _, parts in found.parts for part in parts)
    return -found.score, len(ids), ids + found.line_ids
