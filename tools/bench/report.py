"""How a row is printed and how time is taken."""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Row:
    """One line: what was measured against what. `at_least` says which side of the target is good."""

    name: str
    figure: str
    peer: str
    ratio: float
    target: float
    at_least: bool = True

    def __str__(self) -> str:
        good = self.ratio >= self.target if self.at_least else self.ratio <= self.target
        sign = ">=" if self.at_least else "<="
        verdict = "pass" if good else "short"
        return f"{self.name:<44} {self.figure:>22} {self.peer:>26} {self.ratio:>8.3f} {sign}{self.target:<7g} {verdict}"


def seconds(act: Callable[[], object]) -> float:
    """Wall seconds of one call."""
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def middle(act: Callable[[], object], rounds: int = 5) -> float:
    """Median wall seconds of several calls."""
    return median(seconds(act) for _ in range(rounds))


def peak_memory() -> float:
    """Megabytes that this process held at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
