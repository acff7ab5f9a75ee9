"""The two clocks. Nothing else in the product reads the time, SQL included.

Business time dates documents, periods and deadlines, says what is due and when it is tried again, and can be moved in a
sandbox. Wall time is for what the outside world keeps: tokens, sessions, leases, signatures.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from core.scope import current_or_none


def wall() -> datetime:
    """The real time, UTC."""
    return datetime.now(UTC)


def now() -> datetime:
    """Business time of the scope's organization, UTC; the real time outside a scope."""
    scope = current_or_none()
    return wall() + scope.clock_offset if scope else wall()


def today(zone: str) -> date:
    """The business date in an IANA zone such as `Europe/Berlin`."""
    return now().astimezone(ZoneInfo(zone)).date()
