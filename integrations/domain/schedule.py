"""When a delivery is tried again, and when an address is given up."""

from datetime import timedelta

WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)
"""After the first, second, … failure; after the last one the delivery has failed."""
GIVE_UP = timedelta(days=5)
"""An address of which nothing was taken for so long is switched off."""
SPREAD = 20
"""Waits are spread over so many percent of themselves, so that many tellings do not come back at once."""
GONE = 410


def wait_after(failures: int, *, chance: int) -> timedelta | None:
    """How long to wait after so many failures of a delivery, or None when it has failed for good.

    `chance`, a whole number from 0 to SPREAD, says where in the spread the wait lies.
    """
    if failures > len(WAITS):
        return None
    return WAITS[failures - 1] * (100 - SPREAD // 2 + chance) / 100


def taken(status: int) -> bool:
    """Whether an answer says that the delivery was taken: any of the 200s, and nothing else."""
    return 200 <= status < 300  # noqa: PLR2004
