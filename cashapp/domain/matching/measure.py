"""How well decisions agree with the truth, in exact numbers."""

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Measure:
    """Counts of lines and of links (a line and an item it pays), and the shares made of them, as exact fractions.

    `right`: something was linked, and the linked set is exactly the true one. `wrong`: at least one link is false.
    `incomplete`: links are missing, none is false. `undecided`: nothing was linked; `rightly_left` of these have
    nothing to be linked to. So lines = right + wrong + incomplete + undecided, and a line without an item can
    never be right: `attainable` is what a perfect engine would reach.
    """

    lines: int
    right: int
    wrong: int
    incomplete: int
    undecided: int
    rightly_left: int
    attainable: int
    true_links: int
    made_links: int
    good_links: int

    def percent(self, count: int) -> Fraction:
        """A count of lines in percent of all lines; 0 of none."""
        return Fraction(100 * count, self.lines) if self.lines else Fraction(0)

    @property
    def precision(self) -> Fraction:
        """Good links among those made; 1 when none was made."""
        return Fraction(self.good_links, self.made_links) if self.made_links else Fraction(1)

    @property
    def recall(self) -> Fraction:
        """Good links among the true ones; 1 when there is none."""
        return Fraction(self.good_links, self.true_links) if self.true_links else Fraction(1)


def measure(truth: Mapping[int, Set[int]], decided: Mapping[int, Set[int]]) -> Measure:
    """Compare item ids by line id. A line missing in `decided` is undecided; every line must stand in `truth`."""
    if stray := decided.keys() - truth.keys():
        raise ValueError(f"Decisions on unknown lines: {sorted(stray)[:5]}")
    pairs = [(true, decided.get(line_id, frozenset[int]())) for line_id, true in truth.items()]
    return Measure(
        lines=len(pairs),
        right=sum(bool(made) and made == true for true, made in pairs),
        wrong=sum(not made <= true for true, made in pairs),
        incomplete=sum(bool(made) and made < true for true, made in pairs),
        undecided=sum(not made for _, made in pairs),
        rightly_left=sum(not made and not true for true, made in pairs),
        attainable=sum(bool(true) for true, _ in pairs),
        true_links=sum(len(true) for true, _ in pairs),
        made_links=sum(len(made) for _, made in pairs),
        good_links=sum(len(true & made) for true, made in pairs),
    )


def by_category(
    truth: Mapping[int, Set[int]], decided: Mapping[int, Set[int]], category: Mapping[int, str]
) -> dict[str, Measure]:
    """The same, apart by a category of each line, such as the shape of its true match."""
    apart: dict[str, dict[int, Set[int]]] = defaultdict(dict)
    for line_id, true in truth.items():
        apart[category[line_id]][line_id] = true
    return {
        name: measure(own, {line_id: decided[line_id] for line_id in own if line_id in decided})
        for name, own in apart.items()
    }
