"""Days that are lived through: the clock at a moment of one, and all that is due by it done."""

from contextlib import ExitStack
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from core import clock, effects
from core.relay import relay
from core.scope import acting, enter

ZONE = ZoneInfo("Europe/Berlin")


def at(day: date, hour: int = 0) -> ExitStack:
    """In the scope whose clock shows a moment of a day, by default just after its midnight."""
    stack = ExitStack()
    wanted = datetime.combine(day, time(hour, 1), ZONE)
    stack.enter_context(enter(acting(clock_offset=wanted - clock.wall())))
    return stack


def live(day: date, hour: int = 0) -> None:
    """Everything that is due on a day by an hour is done."""
    with at(day, hour):
        for _ in range(6):
            relay([])
            effects.work_off([])
