"""From which day a subscription's periods are counted. Pure; days are local to its zone."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from billing.domain.proration import Proration

MOST_TRIAL = 730
"""Days."""
CALENDAR = date(2001, 1, 1)
"""A Monday and the first day of a year: by it weeks begin on Mondays, months, quarters and years on their first day."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How the days of a subscription are cut into periods; at most one of the anchors is said.

    Its first `trial_days` cost nothing. Periods are counted from the first day that is billed, or from a day on which
    one begins, before or after it; from a day of the month, 1 to 31; with the calendar; or as those of the customer's
    other subscriptions, which whoever reads them says by `anchor`.
    """

    trial_days: int = 0
    anchor: date | None = None
    anchor_day: int | None = None
    calendar: bool = False
    with_others: bool = False
    proration: Proration = Proration.DAY

    @property
    def said(self) -> list[str]:
        """The anchors that are said, by name."""
        given = {
            "anchor": self.anchor is not None,
            "anchor_day": self.anchor_day is not None,
            "calendar": self.calendar,
            "with_others": self.with_others,
        }
        return [name for name, is_said in given.items() if is_said]

    def first(self, starts_on: date) -> date:
        """The first day that is billed."""
        return starts_on + timedelta(days=self.trial_days)

    def anchor_of(self, starts_on: date) -> date:
        """A day on which a period begins."""
        first = self.first(starts_on)
        if self.anchor_day is not None:
            return on_day_of_month(first, self.anchor_day)
        return CALENDAR if self.calendar else self.anchor or first


def on_day_of_month(first: date, day: int) -> date:
    """Day `day` (1 to 31) of the month of `first`, before or after it; of the last month before that has such a day.

    Later months end early where they lack it. Periods of years begin in the month in which the first one did.
    """
    year, month = first.year, first.month
    while monthrange(year, month)[1] < day:
        year, month = _before(year, month)
    return date(year, month, day)


def _before(year: int, month: int) -> tuple[int, int]:
    return (year, month - 1) if month > 1 else (year - 1, 12)
