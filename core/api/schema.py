"""The OpenAPI file, written from the operations as they are declared, so that it cannot say anything else."""

import inspect
from typing import Any

from django.utils.module_loading import import_string
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, inline_serializer
from rest_framework import serializers

from core.api.fields import Exact, In, Kind, Ref, Word
from core.api.idempotency import HEADER, LENGTH
from core.api.operations import LIMIT, MAX_CURSOR, MOST, Operation, operation_id
from core.api.problems import MEDIA_TYPE

_REFUSALS = {
    400: "The request cannot be read.",
    401: "No key, or one that opens nothing.",
    403: "The key lacks the right that the operation names.",
    404: "Not here; another organization's is the same.",
    409: "Not possible in the state things are in, or the same request is under way.",
    412: "If-Match names another version.",
    413: "The body is larger than one megabyte, or the file than 32.",
    415: "The body is of another kind than what is taken.",
    422: "Some fields are not acceptable.",
    429: "Too many requests; Retry-After says how long to wait.",
    500: "A fault of ours.",
    503: "It took too long, or cannot be done at the moment.",
}


class FieldProblem(serializers.Serializer[Any]):
    """What is wrong with one field."""

    pointer = serializers.CharField(help_text="JSON pointer of the field; empty for the whole.")
    message = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """A refusal (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="A sentence for people.")
    code = serializers.CharField(help_text="Stable, for programs.")
    request_id = serializers.CharField()
    errors = FieldProblem(many=True, required=False)  # type: ignore[assignment]


class DeclaredSchema(AutoSchema):
    """Reads what `operation` declared."""

    @property
    def declared(self) -> Operation:
        found: Operation = getattr(self.view, self.method.lower()).operation
        return found

    def get_operation_id(self) -> str:
        return operation_id(type(self.view), self.method.lower())

    def get_tags(self) -> list[str]:
        return [self.view.tag]  # type: ignore[attr-defined]

    def get_summary(self) -> str:
        return self.declared.summary

    def get_description(self) -> str:  # type: ignore[override]
        doc = getattr(self.view, self.method.lower()).__doc__ or ""
        rest = "\n".join(line.strip() for line in doc.strip().splitlines()[1:]).strip()
        right = self.declared.permission
        return f"{rest}\n\nNeeds the right `{right}`.".strip() if right else rest

    def get_request_serializer(self) -> Any:
        if self.declared.upload:
            return {self.declared.upload: OpenApiTypes.BINARY}
        return self.declared.takes

    def get_response_serializers(self) -> Any:
        declared = self.declared
        given: Any = OpenApiResponse(description="Done.")
        if declared.gives is not None:
            given = self._page(declared.gives) if declared.many else declared.gives
        codes = [400, 401, 403, 422, 429, 500, 503]
        if self.view_has_path() or declared.takes is not None or declared.upload:
            codes.append(404)
        if self.method != "GET":
            codes += [409, 412, 413, 415]
        elif declared.file:
            codes.append(409)
        answers: dict[Any, Any] = {(declared.status, "application/json"): given}
        if declared.file:
            answers = {(declared.status, declared.file): OpenApiResponse(OpenApiTypes.BINARY, "The file.")}
        elif declared.gives is None:
            answers = {declared.status: given}
        for code in sorted(set(codes)):
            answers[(code, MEDIA_TYPE)] = OpenApiResponse(Problem, description=_REFUSALS[code])
        return answers

    def view_has_path(self) -> bool:
        return "{" in self.path

    @staticmethod
    def _page(gives: Any) -> Any:
        name = f"{gives.__name__.removesuffix('Out')}List"
        return inline_serializer(
            name,
            {
                "object": Kind("list"),
                "data": gives(many=True),
                "has_more": serializers.BooleanField(),
                "next": serializers.CharField(
                    allow_null=True, help_text="Address of the next page, as it is to be asked."
                ),
            },
        )

    def get_override_parameters(self) -> list[Any]:
        declared = self.declared
        found: list[Any] = []
        if declared.query is not None:
            found.append(declared.query)
        if declared.many:
            found += [
                OpenApiParameter(
                    "limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}
                ),
                OpenApiParameter(
                    "page", {"type": "string", "maxLength": MAX_CURSOR}, description="From `next`."
                ),
            ]
        if declared.expands:
            items = {"type": "array", "items": {"type": "string", "enum": list(declared.expands)}}
            found.append(
                OpenApiParameter("expand[]", items, description="Objects to give whole.", explode=True)
            )
        if self.method == "POST":
            schema = {"type": "string", "minLength": 1, "maxLength": LENGTH}
            found.append(
                OpenApiParameter(
                    HEADER,
                    schema,
                    OpenApiParameter.HEADER,
                    required=self.declared.keyed,
                    description="The same key again is answered the same.",
                )
            )
        return found


class KindExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """What an object is, as a constant."""

    target_class = Kind

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        return {"type": "string", "const": self.target.word}


class WordExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """One of a few words."""

    target_class = Word
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        return {"type": "string", "enum": self.target.words}


class ExactExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A decimal number by the pattern that its field accepts: digits before the point, and behind one that is there."""

    target_class = Exact
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        whole, places = self.target.max_digits - self.target.decimal_places, self.target.decimal_places
        pattern = rf"^-?\d{{1,{whole}}}(?:\.\d{{1,{places}}})?$"
        return {"type": "string", "format": "decimal", "pattern": pattern}


class RefExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Another object: its id, or the object."""

    target_class = Ref

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Any:
        whole = auto_schema.resolve_serializer(import_string(self.target.to), direction).ref
        return {"oneOf": [{"type": "string"}, whole]}


class Generator(SchemaGenerator):
    """Every address under /api/v1/, whoever asks."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["api_version"] = "v1"
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]


def close_bodies(result: Any, generator: Any, request: Any, public: Any) -> Any:
    """What comes in may have no further fields and no longer lists; the library has no words for it."""
    inputs = {kind.__name__: kind for kind in _subclasses(In)}
    for name, schema in result.get("components", {}).get("schemas", {}).items():
        kind = inputs.get(name) or inputs.get(name.removeprefix("Patched"))
        if kind is None:
            continue
        schema["additionalProperties"] = False
        if schema.get("description") == inspect.getdoc(In):
            del schema["description"]
        for field, declared in kind().fields.items():
            if isinstance(declared, serializers.ListSerializer):
                schema["properties"][field] |= {
                    "minItems": 0 if declared.allow_empty else 1,
                    "maxItems": declared.max_length,  # type: ignore[attr-defined]
                }
    return result


def _subclasses(kind: type[Any]) -> set[type[Any]]:
    direct: list[type[Any]] = kind.__subclasses__()
    return {sub for each in direct for sub in (each, *_subclasses(each))}


def document() -> dict[str, Any]:
    """The OpenAPI document of the API."""
    found: dict[str, Any] = Generator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found
