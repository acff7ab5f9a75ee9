"""Serializers and fields: what comes in is refused unless it is just right, what goes out is plain."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _
from drf_spectacular.drainage import set_override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.choices import countries, currencies
from core.fields import FIRST_DAY, ISO_DAY, ISO_TIME, LAST_DAY, plain_address, visible_text
from core.privacy import PERSONAL, bank
from core.scope import current

MOST_MINOR = 10**15
"""The largest amount in minor units that is taken: far above any invoice, far below what the database holds."""
_DECIMAL = re.compile(r"-?\d{1,40}(\.\d{1,40})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|z|[+-]\d\d:\d\d)", re.ASCII)
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
METADATA_KEYS, METADATA_KEY, METADATA_VALUE = 50, 40, 500


class In(serializers.Serializer[Any]):
    """A body or a query: a field it does not know is refused, so that a typing error never passes for silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError({str(name)[:100]: [_("Unknown field.")] for name in unknown})
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text that can be shown: no control characters; numbers are not taken for text. `lines` allows line breaks."""

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(**kwargs)
        self.lines = lines

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("This must be text."))
        try:
            return super().to_internal_value(visible_text(data, lines=self.lines))
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from error


class Email(Text):
    """An e-mail address."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 254, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        value = plain_address(super().to_internal_value(data))
        if value:
            try:
                validate_email(value)
            except ValidationError as error:
                raise serializers.ValidationError(error.messages) from error
        return value


class Whole(serializers.IntegerField):
    """A whole number within a range; true, "1" and 1.0 are none. In a query it is text."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool | float) or (isinstance(data, str) and not self._in_query(data)):
            raise serializers.ValidationError(_("This must be a whole number."))
        return int(super().to_internal_value(data))

    def _in_query(self, text: str) -> bool:
        return bool(self.context.get("query") and _WHOLE.fullmatch(text))


class Minor(Whole):
    """An amount in minor units of its currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"min_value": -MOST_MINOR, "max_value": MOST_MINOR, **kwargs})


class Flag(serializers.BooleanField):
    """true or false; in a query the words."""

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool):
            return data
        if self.context.get("query") and data in {"true", "false"}:
            return bool(data == "true")
        raise serializers.ValidationError(_("This must be true or false."))


class Exact(serializers.DecimalField):
    """A decimal number as text, never as a JSON number, which programs read as a float."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_digits": 24, "decimal_places": 12, "coerce_to_string": True, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("Send decimal numbers as text."))
        if not _DECIMAL.fullmatch(data):
            raise serializers.ValidationError(_("This must be a decimal number, like 12.50."))
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> str:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class Day(serializers.DateField):
    """A date as YYYY-MM-DD, within the days that books are kept for."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not ISO_DAY.fullmatch(value):
            raise serializers.ValidationError(_("This must be a date as YYYY-MM-DD."))
        day = super().to_internal_value(value)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise serializers.ValidationError(_("That date is too far away."))
        return day


class TimeOfDay(serializers.TimeField):
    """A time of day as HH:MM or HH:MM:SS."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not ISO_TIME.fullmatch(value):
            raise serializers.ValidationError(_("This must be a time of day, as 14:30:00."))
        return super().to_internal_value(value)


class Moment(serializers.DateTimeField):
    """A time with its offset, as RFC 3339 writes it: 2026-11-26T09:30:00Z."""

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not _MOMENT.fullmatch(value):
            raise serializers.ValidationError(
                _("This must be a time with its offset, as 2026-11-26T09:30:00Z.")
            )
        moment = super().to_internal_value(value)
        if not FIRST_DAY <= moment.date() <= LAST_DAY:
            raise serializers.ValidationError(_("That time is too far away."))
        return moment


class _Code(serializers.RegexField):
    """One of a list of codes that is too long for the OpenAPI file."""

    offered: Callable[[], list[tuple[str, str]]]

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("This must be text."))
        code = str(super().to_internal_value(data))
        if code and code not in dict(type(self).offered()):
            raise serializers.ValidationError(_("There is no such code."))
        return code


class CurrencyCode(_Code):
    """Three capital letters, ISO 4217."""

    offered = staticmethod(currencies)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[A-Z]{3}$", max_length=3, **kwargs)


class CountryCode(_Code):
    """Two capital letters, ISO 3166."""

    offered = staticmethod(countries)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^[A-Z]{2}$", max_length=2, **kwargs)


class PublicId(Text):
    """The id of an object, as the API gave it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 40, **kwargs})


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE},
        "maxProperties": METADATA_KEYS,
    }
)
class Metadata(serializers.DictField):
    """Up to 50 pairs of texts of the caller's own; stored, shown, never looked into."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": Text(max_length=METADATA_VALUE), "required": False, **kwargs})

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict):
            raise serializers.ValidationError(_("This must be an object."))
        if len(data) > METADATA_KEYS or any(len(key) > METADATA_KEY for key in data):
            raise serializers.ValidationError(_("At most 50 keys of at most 40 characters."))
        for key in data:
            try:
                clean = visible_text(key)
            except ValidationError as error:
                raise serializers.ValidationError(error.messages) from error
            if clean != key or not key:
                raise serializers.ValidationError(_("A key has characters that cannot be shown."))
        return dict(super().to_internal_value(data))


class Kind(serializers.Field):  # type: ignore[type-arg]
    """What an object is: always the same word."""

    def __init__(self, word: str) -> None:
        super().__init__(read_only=True)
        self.word = word

    def get_attribute(self, instance: Any) -> str:
        return self.word

    def to_representation(self, value: str) -> str:
        return value


class Word(serializers.Field):  # type: ignore[type-arg]
    """One of a few words, which the document names."""

    def __init__(self, words: Sequence[str], **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})
        self.words = list(words)

    def to_representation(self, value: Any) -> str:
        return str(value)


def many(kind: type[In], *, most: int, **kwargs: Any) -> Any:
    """A list of up to `most` of a kind."""
    return kind(many=True, **{"max_length": most, **kwargs})


class Out(serializers.Serializer[Any]):
    """What the API gives. `OBJECT` names the kind; expandable fields are ids until the caller expands them."""

    OBJECT: ClassVar[str] = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        set_override(cls, "component_name", cls.__name__.removesuffix("Out"))

    def get_fields(self) -> dict[str, Any]:
        kind = {"object": Kind(self.OBJECT)} if self.OBJECT else {}
        return {**kind, **super().get_fields()}

    @cached_property
    def _steps(self) -> list[tuple[Any, Callable[[Any], Any], Any]]:
        """Each field by name, with how its value is read and how it is given: worked out once for a whole list."""
        return [
            (each.field_name, _reader(each), _PLAIN.get(type(each), each.to_representation))
            for each in self._readable_fields
        ]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """What the framework gives, by the quick way for objects; dictionaries and what is odd take its own."""
        if isinstance(instance, Mapping):
            return super().to_representation(instance)
        given = {}
        try:
            for name, read, give in self._steps:
                value = read(instance)
                if callable(value):
                    return super().to_representation(instance)
                given[name] = None if value is None else give(value)
        except (AttributeError, serializers.SkipField):
            return super().to_representation(instance)
        return given


@lru_cache(maxsize=1024)
def giver(kind: type[Out], expand: frozenset[str], inside: str = "") -> Out:
    """What gives objects of a kind with what is to be expanded of them: made once, since its fields never change.

    `inside` is the path, with a dot, of the field that holds them.
    """
    return kind(context={"expand": expand, "inside": inside})


def _moment(value: datetime) -> str:
    """A time as the framework gives it: in UTC, which is the zone of all answers."""
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


_PLAIN = {serializers.CharField: str, serializers.IntegerField: int, serializers.DateTimeField: _moment}
"""How the plainest fields give a value, without the ways the framework has for them and nobody uses here."""


def _reader(field: Any) -> Callable[[Any], Any]:
    """How a field's value is read from an object: by its attributes alone, where the field has no way of its own."""
    plain = type(field).get_attribute is serializers.Field.get_attribute and field.source_attrs
    return attrgetter(".".join(field.source_attrs)) if plain else field.get_attribute


class Personal(serializers.CharField):
    """An e-mail or postal address: null for a key that lacks the right `personal.view`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def to_representation(self, value: Any) -> Any:
        return str(value) if current().may(PERSONAL) else None


class BankNumber(serializers.CharField):
    """An account number: its last four characters for a key that lacks the right `bank.view`."""

    def to_representation(self, value: Any) -> str:
        return bank(str(value))


class RecordOut(Out):
    """What every object with a life of its own says of itself."""

    id = serializers.CharField(source="public_id", help_text="Prefixed, sortable, the only id there is.")
    version = serializers.IntegerField(help_text="Grows with every change; the number in the ETag.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class Ref(serializers.Field):  # type: ignore[type-arg]
    """Another object: its id, or what `expand` asked for of it. `to` is the dotted name of its Out."""

    def __init__(self, to: str, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})
        self.to = to

    def to_representation(self, value: Any) -> Any:
        path = f"{self.context.get('inside', '')}{self.field_name}"
        if path not in self.context.get("expand", ()):
            return value.public_id
        return giver(import_string(self.to), self.context["expand"], f"{path}.").to_representation(value)


@extend_schema_field({"type": "string"})
class Id(serializers.Field):  # type: ignore[type-arg]
    """Another object's id, given as the object or as the id itself."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, **kwargs})

    def to_representation(self, value: Any) -> str:
        return str(getattr(value, "public_id", value))
