"""A year of hourly ticks around the globe: each zone's periods are billed at its own midnight, once, without a gap."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from billing.domain.charges import charge
from billing.domain.dues import boundary_after
from billing.domain.facts import Timing
from core.periods import local_midnight
from tests.unit.billing.test_charges import FACTS, ITEM, after

HOUR = timedelta(hours=1)
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = (
    "Pacific/Kiritimati", "Pacific/Chatham", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Berlin",
    "Africa/Casablanca", "America/St_Johns", "America/Santiago", "America/Los_Angeles", "Pacific/Pago_Pago",
)  # fmt: skip
"""From fourteen hours before the meridian to eleven behind it, with halves, quarters and midnights that are skipped."""


@pytest.mark.parametrize("timing", Timing)
@pytest.mark.parametrize("zone", ZONES)
def test_each_period_is_billed_at_the_first_tick_of_its_local_day(zone: str, timing: Timing) -> None:
    first = date(2026, 1, 31)
    facts = replace(FACTS, anchor=first, zone=zone, items=(replace(ITEM, timing=timing, starts_on=first),))
    billed, at = [], local_midnight(first, zone)
    for n in range(366 * 24):
        now = BEGINS + n * HOUR
        if now < at:
            continue
        found = charge(facts, now.astimezone(ZoneInfo(zone)).date())
        for due in found.dues:
            assert local_midnight(due.on, zone) <= now < local_midnight(due.on, zone) + HOUR, (due, now)
            assert due.span.end == boundary_after(facts, due.item, due.span.start)
        billed += [due.span for due in found.dues]
        assert found.next_bill_at > now, "a second tick at the same hour bills nothing"
        facts, at = after(found), found.next_bill_at
    assert [span.start for span in billed][:3] == [first, date(2026, 2, 28), date(2026, 3, 31)]
    assert all(one.end == two.start for one, two in pairwise(billed))
    assert len(billed) == (12 if timing is Timing.ADVANCE else 11)
