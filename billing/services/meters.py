"""Meters: what is counted of subscriptions, and how."""

import re
from collections.abc import Sequence

from django.db import IntegrityError, transaction

from billing.domain.usage import Aggregation
from billing.domain.usage_events import LATE_DAYS, MOST_LATE_DAYS, NAME, group_problem, name_problem
from billing.models import Meter
from core import clock
from core.errors import CodeTaken, Invalid
from core.locks import lock_one

_CODE = re.compile(rf"(?!mtr_)[a-z0-9][a-z0-9_.-]{{0,{NAME - 1}}}", re.ASCII)


def create_meter(
    *,
    name: str,
    code: str,
    aggregation: str,
    field: str = "",
    group_by: Sequence[str] = (),
    late_days: int = LATE_DAYS,
) -> Meter:
    """A meter that counts from now on. Inside work(). Natural key: its code.

    `field` is the property that holds the value, or for `unique` the key; a `count` has none. `group_by` are up to
    three properties by whose values it is counted apart, `late_days` how many days late an event may
    come. Nothing of it ever changes. Raises Invalid and CodeTaken.
    """
    problems = _problems(name, code, aggregation, field)
    if problem := group_problem(group_by):
        problems["group_by"] = problem
    if not 1 <= late_days <= MOST_LATE_DAYS:
        problems["late_days"] = f"Events may be 1 to {MOST_LATE_DAYS} days late."
    if problems:
        raise Invalid("The meter cannot be saved.", fields=problems)
    try:
        with transaction.atomic():
            return Meter.objects.create(
                name=name.strip(),
                code=code,
                aggregation=aggregation,
                field=field,
                group_by=list(group_by),
                late_days=late_days,
            )
    except IntegrityError as error:
        raise CodeTaken(f"There is a meter “{code}” already.") from error


def _problems(name: str, code: str, aggregation: str, field: str) -> dict[str, str]:
    problems: dict[str, str] = {}
    if not name.strip():
        problems["name"] = "A meter needs a name."
    if not _CODE.fullmatch(code):
        problems["code"] = f"Up to {NAME} small letters, digits, dots and dashes; mtr_ begins ids."
    if aggregation not in list(Aggregation):
        problems["aggregation"] = f"One of {', '.join(Aggregation)}."
    elif aggregation == Aggregation.COUNT and field:
        problems["field"] = "A count looks at no property."
    elif aggregation != Aggregation.COUNT and (problem := name_problem(field)):
        problems["field"] = problem if field else "Name the property that is counted."
    return problems


def archive_meter(public_id: str) -> Meter:
    """Take no more events for a meter; what was counted stays. Again changes nothing. Inside work()."""
    meter = lock_one(Meter.objects.filter(public_id=public_id))
    if meter.archived_at is not None:
        return meter
    meter.archived_at = clock.now()
    return meter.touch("archived_at")
