"""What keeps a guess from being certain, however well it scores. Each guard names one doubt, or none."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from cashapp.domain.matching.guesses import Guess, Tie, tolerance
from cashapp.domain.matching.payers import Level
from cashapp.domain.matching.reading import Quote
from cashapp.domain.matching.records import Reason

_RARE = 50
"""Of so many unrelated payments at most one may tie by chance."""
_RARE_BESIDE_NUMBERS = 2000
"""The same when the memo has numbers that the items do not explain: then it is likely about something else."""
_NEAR_BY_CHANCE = (1000, 1000, 50)
"""Of so many unrelated memos one comes within 0, 1, 2 edits of an item's number, where numbers count upward."""
_EDIT_MARGIN = 2


def wrong_payer(guess: Guess, _: Sequence[Guess]) -> Reason | None:
    """The payer must be one customer; where nobody or several are known, exact references and amount must say who."""
    payer = guess.payer
    if payer.identified and guess.customer_id in payer.customers:
        return None
    if payer.level >= Level.BRIDGE and guess.customer_id not in payer.customers:
        return Reason("payer_other", {})
    if guess.quote is Quote.PROVEN and guess.tie >= Tie.TINY:
        return None
    if payer.level >= Level.BRIDGE:
        return Reason("payer_shared", {"count": str(len(payer.customers))})
    return Reason("payer_similar" if payer.level is Level.SIMILAR else "payer_unknown", {})


def taken_back(guess: Guess, _: Sequence[Guess]) -> Reason | None:
    """Whoever took the payment of a line back did not mean it to be booked again a moment later."""
    return Reason("taken_back", {}) if any(line.taken_back for line in guess.lines) else None


def untied(guess: Guess, gap_needs: Quote) -> Reason | None:
    """Money that is not exactly what is open needs an exact reference to each item, and all of it must find a place.

    For a gap within the tolerance `gap_needs` may ask for less.
    More money than is open means that something else is paid too, most likely a document that is not there.
    """
    if guess.tie is Tie.EXACT:
        return None
    facts = {"minor": str(abs(guess.paid - guess.owed)), "currency": guess.lines[0].currency}
    if guess.quote < (gap_needs if guess.tie is Tie.TINY else Quote.PROVEN):
        return Reason("untied", facts)
    if guess.tie is Tie.OVER:
        return Reason("over", facts)
    if len(guess.items) > 1 and guess.owed - guess.paid >= guess.smallest:
        # The gap is as large as one of the items, so it is open which of them was left out.
        return Reason("short_of_several", facts)
    return None


def rival(guess: Guess, others: Sequence[Guess]) -> Reason | None:
    """Another guess that ties as well and is quoted as well, or one that ties where this one does not."""
    rivals = [other for other in others if other is not guess and _rivals(guess, other)]
    if not rivals:
        return None
    if any(other.customer_id != guess.customer_id for other in rivals):
        return Reason("two_customers", {})
    return Reason("rival", {"count": str(len(rivals))})


def _rivals(guess: Guess, other: Guess) -> bool:
    if other.quote is Quote.PROVEN and not other.ids <= guess.ids:
        # The memo names items this guess does not pay. That others share its number, such as that of an order,
        # or that another customer has the same one, is no matter as long as they do not tie or the payer is known.
        shared = set(other.names) <= set(guess.names) and other.tie < guess.tie
        known = guess.quote is Quote.PROVEN and guess.payer.identified and _foreign(other)
        return not (shared or known)
    if other.tie < Tie.TINY or (other.among > guess.among and by_chance(other, ())):
        return False  # a wide search finds ties that mean nothing
    if guess.tie is not other.tie:
        return other.tie > guess.tie
    if guess.quote is not other.quote and Quote.PROVEN in {guess.quote, other.quote}:
        return other.quote is Quote.PROVEN
    return other.edits < guess.edits + _EDIT_MARGIN


def _foreign(guess: Guess) -> bool:
    return guess.customer_id not in guess.payer.customers


def by_chance(guess: Guess, _: Sequence[Guess]) -> Reason | None:
    """With so many sets looked at, or amounts on so coarse a grid, an unrelated payment would often tie too."""
    if guess.quote is Quote.PROVEN:
        return None
    if guess.quote is Quote.NEAR:
        rare = Fraction(_RARE, _NEAR_BY_CHANCE[guess.edits] ** max(len(guess.items), len(guess.lines)))
    else:
        rare = Fraction(_RARE_BESIDE_NUMBERS if guess.unexplained else _RARE)
    width = 1 if guess.tie is Tie.EXACT else 2 * tolerance(guess.owed) + 1
    if guess.among * guess.habits.chance(guess.paid, width) * rare <= 1:
        return None
    return Reason("by_chance", {"sets": str(guess.among)})


def bounded(guess: Guess, _: Sequence[Guess]) -> Reason | None:
    """A search that stopped early cannot say that nothing else fits."""
    return Reason("bounded", {}) if guess.bounded and guess.quote is not Quote.PROVEN else None


def too_early(guess: Guess, _: Sequence[Guess]) -> Reason | None:
    """Money that came before the document is for something else, unless it names the document."""
    first = min(line.booked_on for line in guess.lines)
    early = any(item.effective_on > first for item in guess.items)
    return Reason("too_early", {}) if early and guess.quote is not Quote.PROVEN else None


Guard = Callable[[Guess, Sequence[Guess]], Reason | None]
GUARDS: tuple[Guard, ...] = (taken_back, wrong_payer, rival, by_chance, bounded, too_early)


def doubts(guess: Guess, others: Sequence[Guess], gap_needs: Quote) -> tuple[Reason, ...]:
    """All doubts about a guess among the guesses of the same lines; it is certain when there are none."""
    found = [guard(guess, others) for guard in GUARDS]
    return tuple(filter(None, (*found, untied(guess, gap_needs))))
