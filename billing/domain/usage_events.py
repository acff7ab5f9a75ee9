"""What an event of usage may say: read from JSON, and measured by the meter that it names."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from numbers import Real
from typing import Any

from billing.domain.usage import Aggregation

ID, NAME, UNIQUE_KEY, TEXT = 128, 40, 200, 100
"""Longest transaction id, name of a property, unique key, and value that groups are made by; in characters."""
PROPERTIES, SIZE = 20, 2000
"""Most properties of an event, and how long they are together as JSON."""
DIMENSIONS = 3
LATE_DAYS, MOST_LATE_DAYS = 35, 400
AHEAD = timedelta(hours=1)
"""How far ahead of business time an event's instant may be: clocks of senders differ."""
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,12})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}", re.ASCII)
_FIRST, _LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_TIGHT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
FIELDS = ("transaction_id", "meter", "subscription", "at", "properties", "replaces")


@dataclass(frozen=True, slots=True)
class Said:
    """An event as it was sent, its shape checked: `at` None is now, `replaces` the transaction id it takes the place
    of, `text` the properties as JSON where they were written already."""

    transaction_id: str
    meter: str
    subscription: str
    at: datetime | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    replaces: str = ""
    text: str = ""

    @property
    def sent(self) -> str:
        """The properties as JSON."""
        return self.text or compact(self.properties)


@dataclass(frozen=True, slots=True)
class MeterFacts:
    """What decides how an event counts."""

    meter_id: int
    code: str
    aggregation: Aggregation
    field: str = ""
    group_by: tuple[str, ...] = ()
    late: timedelta = timedelta(days=LATE_DAYS)
    archived: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """What of an event counts: its value, its key for `unique`, and the values of its groups as JSON."""

    value: Decimal = Decimal(1)
    key: str = ""
    group: str = ""


class Refused(Exception):
    """An event that cannot be taken; `fields` says of each field why, `named` is its transaction id or empty."""

    def __init__(self, **fields: str) -> None:
        super().__init__(next(iter(fields.values())))
        self.fields = fields
        self.named = ""


def read(sent: Any) -> Said:
    """The event that JSON holds; raises Refused with all that is wrong with its shape."""
    if not isinstance(sent, dict):
        raise Refused(**{"": "An event is an object."})
    problems = {str(name)[:100]: "Unknown field." for name in sent if name not in FIELDS}
    found: dict[str, Any] = {}
    for name, reader in _READERS.items():
        if sent.get(name) is None and name in _OPTIONAL:
            continue
        try:
            found[name] = reader(sent.get(name))
        except Refused as wrong:
            problems |= {"/".join(filter(None, (name, inner))): why for inner, why in wrong.fields.items()}
    text = compact(found.get("properties", {}))
    if len(text) > SIZE:
        problems["properties"] = f"At most {SIZE} characters as JSON."
    if problems:
        refused = Refused(**problems)
        refused.named = found.get("transaction_id", "")
        raise refused
    return Said(**found, text=text)


def _refuse(why: str) -> Refused:
    return Refused(**{"": why})


def compact(value: Any) -> str:
    """JSON without spaces."""
    return _TIGHT.encode(value)


def _text(most: int) -> Any:
    def take(value: Any) -> str:
        if value is None:
            raise _refuse("This field is required.")
        if not isinstance(value, str):
            raise _refuse("This must be text.")
        if not 0 < len(value) <= most:
            raise _refuse(f"This is 1 to {most} characters long.")
        if not value.isprintable():
            raise _refuse("There are characters here that cannot be shown.")
        return value

    return take


def _moment(value: Any) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise _refuse("This must be a time with its offset, as 2026-11-26T09:30:00Z.")
    try:
        at = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _refuse("There is no such time.") from None
    if not _FIRST <= at < _LAST:
        raise _refuse("That time is too far away.")
    return at


def _properties(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _refuse("This must be an object.")
    if len(value) > PROPERTIES:
        raise _refuse(f"At most {PROPERTIES} properties.")
    problems = {}
    for name, each in value.items():
        if not _PROPERTY.fullmatch(str(name)):
            problems[str(name)[:NAME]] = "A name is up to 40 letters, digits, dots and dashes."
        elif why := _property_problem(each):
            problems[str(name)] = why
    if problems:
        raise Refused(**problems)
    return value


def _property_problem(value: Any) -> str:
    if isinstance(value, int):  # true and false too
        return "" if len(str(value)) <= UNIQUE_KEY else "That number is too large."
    if isinstance(value, Real):
        return "Send decimal numbers as text."
    if not isinstance(value, str):
        return "This must be text, a whole number, true or false."
    return "" if value.isprintable() else "There are characters here that cannot be shown."


_READERS = {
    "transaction_id": _text(ID),
    "meter": _text(NAME),
    "subscription": _text(255),
    "at": _moment,
    "properties": _properties,
    "replaces": _text(ID),
}
_OPTIONAL = {"at", "properties", "replaces"}


def measure(properties: Mapping[str, Any], meter: MeterFacts) -> Measured:
    """What an event counts by its meter; raises Refused for a property that is missing or of the wrong kind."""
    group = ""
    if meter.group_by:
        group = _group(tuple(_told(properties, name, TEXT) for name in meter.group_by))
    if meter.aggregation is Aggregation.COUNT:
        return Measured(group=group)
    if meter.aggregation is Aggregation.UNIQUE:
        return Measured(key=_told(properties, meter.field, UNIQUE_KEY), group=group)
    return Measured(value=_number(properties, meter.field), group=group)


@lru_cache(maxsize=10_000)
def _group(values: tuple[str, ...]) -> str:
    return compact(values)


def _told(properties: Mapping[str, Any], name: str, most: int) -> str:
    value = properties.get(name)
    text = json.dumps(value) if isinstance(value, bool) else "" if value is None else str(value)
    if not text:
        raise Refused(**{f"properties/{name}": "The meter needs this property."})
    if len(text) > most:
        raise Refused(**{f"properties/{name}": f"The meter takes at most {most} characters of this."})
    return text


def _number(properties: Mapping[str, Any], name: str) -> Decimal:
    value = properties.get(name)
    if value is None:
        raise Refused(**{f"properties/{name}": "The meter needs this property."})
    if isinstance(value, bool) or not _NUMBER.fullmatch(str(value)):
        raise Refused(
            **{f"properties/{name}": "A number of at most 15 digits and 12 decimals, as text: 12.5."}
        )
    return Decimal(str(value))


def time_problem(at: datetime, now: datetime, late: timedelta) -> str:
    """Why an event of this instant is not taken now; nothing when it is."""
    if at > now + AHEAD:
        return "That is more than an hour ahead of now."
    if at < now - late:
        return f"That is more than {late.days} days ago; this meter takes nothing so late."
    return ""


def groups_in(text: str) -> tuple[str, ...]:
    """The values that a group was made of, in the order of the meter's `group_by`."""
    return tuple(json.loads(text)) if text else ()


def group_problem(names: Sequence[str]) -> str:
    """What is wrong with the names of properties that a meter groups by; nothing when they will do."""
    if len(names) > DIMENSIONS:
        return f"At most {DIMENSIONS} properties."
    if len(set(names)) < len(names):
        return "Each property once."
    return next((problem for each in names if (problem := name_problem(each))), "")


def name_problem(name: str) -> str:
    """What is wrong with a property's name; nothing when it will do."""
    return "" if _PROPERTY.fullmatch(name) else "A name is up to 40 letters, digits, dots and dashes."
