"""Which certain guesses may be booked at once: no line and no item is claimed beyond what it has."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from cashapp.domain.matching.guards import doubts
from cashapp.domain.matching.guesses import Guess, tolerance
from cashapp.domain.matching.reading import Quote
from cashapp.domain.matching.records import Item, Reason

Claim = tuple[str, int]
Judged = tuple[Guess, tuple[Reason, ...]]


def judge(guesses: Sequence[Guess], gap_needs: Quote) -> list[Judged]:
    """Each guess with its doubts, compared with all about the same line, or about the same item by several lines."""
    about: dict[Claim, list[Guess]] = defaultdict(list)
    for guess in guesses:
        for topic in _topics(guess):
            about[topic].append(guess)
    judged = []
    for guess in guesses:
        others = {
            id(other): other for topic in _topics(guess) for other in about[topic] if other is not guess
        }
        judged.append((guess, doubts(guess, list(others.values()), gap_needs)))
    return judged


def _topics(guess: Guess) -> list[Claim]:
    topics = [("line", line.line_id) for line in guess.lines]
    return topics + [("item", item.item_id) for item in guess.items if len(guess.lines) > 1]


def fill(guess: Guess, left: Mapping[int, int]) -> list[list[tuple[Item, int]]]:
    """Per line of the guess what it pays of which item, in minor units: earliest due first, until one is used up."""
    room = {item.item_id: left[item.item_id] for item in guess.items}
    filled = []
    for line in guess.lines:
        rest, parts = line.minor, []
        for item in guess.items:
            minor = min(rest, room[item.item_id])
            if minor > 0:
                parts.append((item, minor))
                room[item.item_id] -= minor
                rest -= minor
        filled.append(parts)
    return filled


def uncontested(sure: Sequence[Guess], left: Mapping[int, int]) -> list[Guess]:
    """Those whose lines and items nobody else claims beyond what they have, or only guesses weaker in every way."""
    claims: dict[Claim, list[tuple[Guess, int]]] = defaultdict(list)
    for guess in sure:
        for claim, minor in _claims(guess, left):
            claims[claim].append((guess, minor))
    refused = set()
    for (kind, key), own in claims.items():
        if len(own) > 1 and (kind == "line" or _crowded(own, left[key])):
            refused |= {id(guess) for guess, _ in own if not all(_stronger(guess, other) for other, _ in own)}
    return [guess for guess in sure if id(guess) not in refused]


def _crowded(claims: Sequence[tuple[Guess, int]], left: int) -> bool:
    # Parts that were rounded each for itself may together be a unit or two too much.
    return sum(minor for _, minor in claims) > left + tolerance(left)


def _claims(guess: Guess, left: Mapping[int, int]) -> Iterator[tuple[Claim, int]]:
    for line, parts in zip(guess.lines, fill(guess, left), strict=True):
        yield ("line", line.line_id), line.minor
        for item, minor in parts:
            yield ("item", item.item_id), minor


def _stronger(guess: Guess, other: Guess) -> bool:
    one, two = (guess.quote, guess.tie), (other.quote, other.tie)
    return other is guess or (one != two and one[0] >= two[0] and one[1] >= two[1])
