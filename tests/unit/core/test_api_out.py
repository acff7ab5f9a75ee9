"""What the API gives comes out as the framework's own way gives it, which is asked beside the quick one."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework import serializers

from core.api.fields import Exact, Id, Out, Word


@dataclass
class Part:
    name: str
    price: Decimal


@dataclass
class Thing:
    name: Any = "Kestrel"
    count: Any = 3
    day: date | None = date(2026, 11, 27)
    at: datetime = datetime(2026, 11, 27, 1, 2, 3, 400, UTC)
    parts: list[Part] = field(default_factory=lambda: [Part("a", Decimal("1.50")), Part("b", Decimal(0))])
    owner: Any = field(default_factory=lambda: SimpleNamespace(id="cus_1"))

    @property
    def shout(self) -> str:
        return str(self.name).upper()

    def called(self) -> str:
        return "called"


class PartOut(Out):
    name = serializers.CharField()
    price = Exact()


class ThingOut(Out):
    OBJECT = "thing"

    name = serializers.CharField()
    shout = serializers.CharField()
    count = serializers.IntegerField()
    day = serializers.DateField(allow_null=True)
    at = serializers.DateTimeField()
    parts = PartOut(many=True)
    owner = Id(source="owner.id", allow_null=True)
    kind = Word(("a",), source="name")
    found = serializers.SerializerMethodField()

    def get_found(self, thing: Any) -> str:
        return f"{type(thing).__name__}!"


class CalledOut(ThingOut):
    called = serializers.CharField()


def both(out: type[Out], thing: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What it gives, and what the framework alone would give, in order."""
    theirs = serializers.Serializer.to_representation
    return out(thing).to_representation(thing), theirs(out(thing), thing)


TIMES = [
    datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC),
    datetime(2026, 11, 27, 1, 2, 3, 4, UTC),
    datetime(2026, 11, 27, 1, 2, 3, tzinfo=timezone(timedelta(hours=-9, minutes=30))),
    datetime(1900, 1, 1, tzinfo=timezone(timedelta(hours=14))),
]


@pytest.mark.parametrize(
    "thing",
    [
        Thing(),
        Thing(day=None),
        Thing(owner=None),
        Thing(name=None),
        Thing(name=7, count="12"),
        Thing(parts=[]),
        *(Thing(at=each) for each in TIMES),
    ],
)
def test_an_object_is_given_as_the_framework_gives_it(thing: Thing) -> None:
    for out in (ThingOut, CalledOut):
        ours, theirs = both(out, thing)
        assert list(ours.items()) == list(theirs.items())


def test_a_dictionary_is_given_the_same_way() -> None:
    ours, theirs = both(PartOut, {"name": "a", "price": Decimal("2.10")})
    assert ours == theirs == {"name": "a", "price": "2.1"}


def test_what_is_not_there_is_told_and_never_left_out() -> None:
    with pytest.raises(AttributeError, match="field `price`"):
        PartOut(Thing()).to_representation(Thing())
