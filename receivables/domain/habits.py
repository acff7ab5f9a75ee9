"""How a customer pays, from what was due in the last year, and what to do where that is late again and again.

The thresholds are this product's own: a deposit is advised where at least half of four or more invoices were paid more
than three days late, and the later they were on average, the more of the next one it asks for.
"""

from dataclasses import dataclass
from fractions import Fraction

from core.money import round_half_up

DAYS = 365
"""How far back it is looked, in days."""
GRACE = 3
"""Days late that are nobody's habit: a transfer takes as long."""
FEWEST = 4
"""Invoices from which on it is a habit."""
STEPS = ((30, 50), (15, 30), (0, 20))
"""From how many days late on average, and the percent that are then asked for at once; the latest first."""


@dataclass(frozen=True, slots=True)
class Habits:
    """Of `invoices` that were due, `late` were paid more than GRACE days late, or are that late and open still;
    `late_days` are the days of those together.
    """

    invoices: int = 0
    late: int = 0
    late_days: int = 0

    @property
    def average_days(self) -> int:
        """How late the late ones were on average, in whole days, halves up."""
        return round_half_up(Fraction(self.late_days, self.late)) if self.late else 0

    @property
    def is_chronic(self) -> bool:
        """Whether there are enough invoices, and at least half of them were late."""
        return self.invoices >= FEWEST and 2 * self.late >= self.invoices

    @property
    def deposit_percent(self) -> int:
        """How much of each invoice to ask for at once, in percent; 0 where there is no need."""
        if not self.is_chronic:
            return 0
        return next(percent for days, percent in STEPS if self.average_days >= days)
