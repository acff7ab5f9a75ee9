"""Several payments for one item: sums of 2 to 4 lines of one payer that nothing else explains."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, combinations, islice

from cashapp.domain.matching.guesses import Guess
from cashapp.domain.matching.ledger import Ledger, Pool
from cashapp.domain.matching.payers import Payer
from cashapp.domain.matching.reading import Reading
from cashapp.domain.matching.records import Item, Line
from cashapp.domain.matching.sums import MAX_HITS, MAX_VALUES, subsets

MAX_LINES = 4


class Together:
    """Finds lines that pay one item together, against what the ledger holds now."""

    def __init__(self, ledger: Ledger, readings: Mapping[int, Reading], payers: Mapping[int, Payer]) -> None:
        self._ledger = ledger
        self._readings = readings
        self._payers = payers

    def find(self, lines: Iterable[Line]) -> list[Guess]:
        """Guesses over the lines of each identified payer and currency."""
        apart: dict[tuple[int, str], list[Line]] = defaultdict(list)
        for line in lines:
            payer = self._payers[line.line_id]
            if payer.identified:
                apart[min(payer.customers), line.currency].append(line)
        return [
            guess
            for (customer, currency), own in sorted(apart.items())
            if len(own) > 1
            for pool in self._ledger.pools(customer, currency)
            for guess in self._in(pool, own)
        ]

    def _in(self, pool: Pool, lines: list[Line]) -> list[Guess]:
        # The newest lines: what waited longest has been looked at with every batch since.
        chosen = sorted(lines, key=lambda line: (line.booked_on, line.line_id))[-MAX_VALUES:]
        amounts = [line.minor for line in chosen]
        sizes = range(2, MAX_LINES + 1)
        sums = chain.from_iterable(map(sum, combinations(amounts, size)) for size in sizes)
        sets = chain.from_iterable(combinations(chosen, size) for size in sizes)
        wanted = pool.by_amount
        hits = list(
            islice(((own, total) for own, total in zip(sets, sums, strict=True) if total in wanted), MAX_HITS)
        )
        bounded = len(hits) == MAX_HITS or len(chosen) < len(lines)
        return [
            self._guess(own, item, subsets(len(chosen), len(own)) * len(pool.items), pool, bounded=bounded)
            for own, total in hits
            for item in wanted[total]
        ]

    def _guess(self, lines: Sequence[Line], item: Item, among: int, pool: Pool, *, bounded: bool) -> Guess:
        readings = [self._readings[line.line_id] for line in lines]
        quotes = [reading.quote([item], self._ledger) for reading in readings]
        paid = sum(line.minor for line in lines)
        return Guess(
            lines=tuple(lines),
            items=(item,),
            paid=paid,
            owed=paid,
            smallest=paid,
            quote=min(quote for quote, _ in quotes),
            edits=max(edits for _, edits in quotes),
            names=tuple(name for reading in readings for name in reading.names([item], self._ledger)),
            unexplained=tuple(n for reading in readings for n in reading.unexplained([item], self._ledger)),
            payer=min((self._payers[line.line_id] for line in lines), key=lambda payer: payer.level),
            among=among,
            habits=pool.habits,
            bounded=bounded or any(reading.cut for reading in readings),
        )
