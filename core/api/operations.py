"""Declaring what the API can do. An operation names its right, what it takes and what it gives; the rest follows:

the body and the query are checked, unknown fields refused, the work done in one transaction, a repeated POST answered
from what was kept, objects tagged with their version, lists cut into pages, and the OpenAPI file written from the same
declaration.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from rest_framework import serializers
from rest_framework.views import APIView

from core import files, ids
from core.api.fields import In, Out, Whole, giver
from core.api.idempotency import HEADER, LENGTH, Answer, Repeated
from core.api.parsing import Json
from core.api.problems import BadRequest, Precondition, answer_for, refusal
from core.api.uploads import sent_file
from core.errors import AppError, Invalid, NotFound
from core.locks import M, lock_one
from core.paging import Order, paged
from core.scope import current, require, work

ANY_KEY = ""
"""In place of a right: whatever key opens the API may do this."""
LIMIT, MOST = 25, 100
MAX_CURSOR = 1200
_SALT = "api.cursor"
NEWEST = Order("pk", int, descending=True)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked, already checked: the body, the query, and a natural key of this one intent of this caller.

    `sent` is the file that came as the body, `found` what the operation's `outside` gave. `key` is made from the
    caller's Idempotency-Key, or is one that no other request has; services that take a form's hidden key take it too.
    """

    data: dict[str, Any] = field(default_factory=dict)
    query: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    if_match: int | None = None
    sent: bytes | None = None
    found: Any = None

    @property
    def filters(self) -> dict[str, Any]:
        """What the caller said in the query of a list, without how it is cut and expanded."""
        return {name: value for name, value in self.query.items() if name not in {"expand", "limit", "page"}}

    @property
    def intent(self) -> str:
        """The key as services take it: of this caller alone, and short enough for any column."""
        actor = current().actor
        return f"api:{hashlib.sha256(f'{actor.kind}:{actor.id}:{self.key}'.encode()).hexdigest()[:40]}"

    def expect(self, version: int) -> int:
        """The version to write over: the object's own, which must be the one If-Match names. Raises Precondition."""
        if self.if_match is not None and self.if_match != version:
            raise Precondition("The object was changed since you read it.", version=version)
        return version

    def locked(self, row: M) -> M:
        """The row; with If-Match as it is now, and nobody changes it before the work ends."""
        return row if self.if_match is None else lock_one(type(row)._default_manager.filter(pk=row.pk))

    def hold(self, row: Model) -> None:
        """Let what follows write over the version that If-Match names and no other. Raises Precondition."""
        self.expect(self.locked(row).version)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of a list in an order; `prepare` turns the rows of a page into what is given, in a constant number of
    queries."""

    rows: "QuerySet[Any]"
    order: Order = NEWEST
    prepare: Callable[[list[Any]], list[Any]] = list


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is made when it is asked for; `content` is called outside the transaction."""

    name: str
    content: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the API can do, as declared. See `operation`."""

    permission: str
    summary: str
    takes: type[In] | None
    gives: type[Out] | None
    query: type[In] | None
    status: int
    many: bool
    expands: tuple[str, ...]
    file: str = ""
    once: tuple[str, ...] = ()
    upload: str = ""
    outside: Callable[..., Any] | None = None
    keyed: bool = False


Handler = Callable[..., Any]


def operation(  # noqa: PLR0913 - a declaration: each names one thing
    permission: str,
    *,
    takes: type[In] | str | None = None,
    gives: type[Out] | None = None,
    query: type[In] | None = None,
    status: int = 200,
    many: bool = False,
    expands: Sequence[str] = (),
    file: str = "",
    once: Sequence[str] = (),
    outside: Callable[..., Any] | None = None,
    keyed: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare a method of an Api; its docstring is what the documentation says, the first line being the summary.

    The method gets a Call and the ids of the path, runs inside one work(), and returns the object to give, with
    `many` a Listing, with `file` (a content type) a StoredFile whose bytes are sent or one that is Made, or None with
    status 204. Fields of the answer in `once` are secrets: a repeated request gets null in their place, because they
    are kept nowhere. Where it `takes` a content type, the body is a file as it is. `outside` gets what the method gets
    and runs before it, outside any transaction, for what reads or writes files; its refusals are not kept. What is
    `keyed` needs an idempotency key: money that is recorded twice looks like money that came twice.
    """

    def decorate(method: Handler) -> Handler:
        declared = Operation(
            permission=permission,
            summary=(method.__doc__ or "").strip().splitlines()[0],
            takes=None if isinstance(takes, str) else takes,
            upload=takes if isinstance(takes, str) else "",
            gives=gives,
            query=query,
            status=status,
            many=many,
            expands=tuple(expands),
            file=file,
            once=tuple(once),
            outside=outside,
            keyed=keyed,
        )

        @wraps(method)
        def run(view: "Api", request: Any, **path: str) -> HttpResponse:
            if declared.permission != ANY_KEY:
                require(declared.permission)
            if any("\0" in name for name in path.values()):  # no text in the database can be that
                raise NotFound("That is not here.")
            return _run(declared, method, view, request, path)

        run.operation = declared  # type: ignore[attr-defined]
        return run

    return decorate


class Api(APIView):
    """Base of every address of the API: a class for an address, a method for each HTTP method."""

    authentication_classes = ()
    permission_classes = ()
    parser_classes = (Json,)
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    tag = ""

    def perform_content_negotiation(self, request: Any, force: bool = False) -> Any:  # noqa: FBT001, FBT002
        """There is one way to answer, whatever Accept says."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type

    def handle_exception(self, exc: Exception) -> Any:
        answer = answer_for(self.request, exc)
        if answer is None:
            raise exc
        if isinstance(getattr(exc, "status_code", None), int) and exc.status_code == 405:  # type: ignore[attr-defined]  # noqa: PLR2004
            answer["Allow"] = ", ".join(self.allowed_methods)
        return answer

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        return response


def operation_id(view: type[APIView], method: str) -> str:
    """The name of an operation in the document, and its place in the reference."""
    name = view.__name__
    return f"{name[:1].lower()}{name[1:]}_{method}"


def _run(
    declared: Operation, method: Handler, view: Api, request: Any, path: Mapping[str, str]
) -> HttpResponse:
    if declared.keyed and HEADER not in request.headers:
        raise BadRequest(
            f"This needs {HEADER}: a name of yours for this one intent, the same when sent again."
        )
    query = _query(declared, request)
    call = Call(
        data={} if declared.upload else _body(declared, request),
        sent=sent_file(request, declared.upload) if declared.upload else None,
        query=query,
        key=_natural(_key(request)),
        if_match=_if_match(request),
    )

    repeated = _repeated(request, call)
    if declared.outside:
        if repeated and (before := repeated.answer()):
            return _sent(before)
        call = replace(call, found=declared.outside(call, **path))
    if declared.file:
        with work():
            stored = method(view, call, **path)
        return _file(declared, stored)

    def do() -> Answer:
        given = method(view, call, **path)
        return _answer(declared, request, given, query)

    with work():
        answer = repeated.once(do, lambda error: _refused(request, error)) if repeated else do()
    return _sent(answer)


def _repeated(request: Any, call: Call) -> Repeated | None:
    """The POST as one that may come again; None when the caller gave no key for it."""
    if request.method != "POST" or HEADER not in request.headers:
        return None
    body = request.data if call.sent is None else hashlib.sha256(call.sent).hexdigest()
    return Repeated(_key(request), f"{request.method} {request.path}", [body, request.GET.dict()])


def _refused(request: HttpRequest, error: AppError) -> Answer:
    if error.status >= 500 or error.code == "busy":  # noqa: PLR2004
        raise error
    answer = refusal(request, error)
    return Answer(answer.status_code, json.loads(answer.content), {})


def _sent(answer: Answer) -> HttpResponse:
    if answer.status == 204:  # noqa: PLR2004
        sent: HttpResponse = HttpResponse(status=204)
    else:
        refused = answer.status >= 400  # noqa: PLR2004
        kind = "application/problem+json" if refused else "application/json"
        sent = JsonResponse(answer.body, status=answer.status, content_type=kind)
    for name, value in answer.headers.items():
        sent[name] = value
    if answer.replayed:
        sent["Idempotent-Replayed"] = "true"
    return sent


def _file(declared: Operation, stored: Any) -> HttpResponse:
    """The bytes of a file, read or made outside the transaction."""
    made = isinstance(stored, Made)
    data = stored.content() if made else files.read(stored)
    sent = HttpResponse(data, content_type=declared.file)
    sent["Content-Disposition"] = content_disposition_header(made, stored.name) or "inline"
    return sent


def _natural(key: str) -> str:
    """The key as services take it: of this caller alone, and of one length whatever the caller wrote."""
    actor = current().actor
    return f"api_{hashlib.sha256(f'{actor.kind}:{actor.id}:{key}'.encode()).hexdigest()[:40]}"


def _key(request: HttpRequest) -> str:
    """The caller's own key for this intent, or one that no other request has."""
    key = request.headers.get(HEADER)
    if key is None:
        return ids.new("req")
    if not key or len(key) > LENGTH or not key.isascii() or not key.isprintable():
        raise BadRequest(f"{HEADER} is 1 to {LENGTH} printable ASCII characters.")
    return key


def _if_match(request: HttpRequest) -> int | None:
    given = request.headers.get("If-Match", "").strip()
    if not given or given == "*":
        return None
    text = given.strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):  # noqa: PLR2004
        raise Precondition("If-Match names no version of this object.")
    return int(text)


def _body(declared: Operation, request: Any) -> dict[str, Any]:
    if declared.takes is None:
        if request.method in {"POST", "PUT", "PATCH"} and request.body.strip() not in {b"", b"{}"}:
            raise Invalid("This takes no body.")
        return {}
    data = request.data
    if not isinstance(data, dict):
        raise BadRequest("The body must be a JSON object.")
    body = declared.takes(data=data, partial=request.method == "PATCH")
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class _Paging(In):
    """What every list takes beside its own filters."""

    limit = Whole(min_value=1, max_value=MOST, default=LIMIT)
    page = serializers.CharField(max_length=MAX_CURSOR, default="")


def _query(declared: Operation, request: Any) -> dict[str, Any]:
    """The query string, checked: nothing unknown, nothing twice."""
    given = {name: values for name, values in request.GET.lists() if name != "expand[]"}
    if twice := [name for name, values in given.items() if len(values) > 1]:
        raise Invalid("A parameter came more than once.", fields=dict.fromkeys(twice, "Send it once."))
    expand = request.GET.getlist("expand[]")
    if unknown := sorted(set(expand) - set(declared.expands)):
        raise Invalid("That cannot be expanded.", fields={"expand[]": ", ".join(unknown)[:200]})
    flat = {name: values[0] for name, values in given.items()}
    paging = {name: flat.pop(name) for name in ("limit", "page") if declared.many and name in flat}
    found = _checked(declared.query or In, flat)
    if declared.many:
        found |= _checked(_Paging, paging)
    return {**found, "expand": frozenset(expand)}


def _checked(kind: type[In], given: Mapping[str, str]) -> dict[str, Any]:
    query = kind(data=dict(given), context={"query": True})
    query.is_valid(raise_exception=True)
    return dict(query.validated_data)


def _answer(declared: Operation, request: Any, given: Any, query: Mapping[str, Any]) -> Answer:
    gives = declared.gives
    if gives is None or given is None:
        return Answer(declared.status, None, {})
    give = giver(gives, query["expand"]).to_representation
    if declared.many:
        rows, further = _page(request, given, query)
        data = [give(each) for each in rows]
        return Answer(declared.status, {"object": "list", "data": data, **further}, {})
    body = give(given)
    headers = {}
    if isinstance(body.get("version"), int):
        headers["ETag"] = f'"{body["version"]}"'
    return Answer(declared.status, body, headers, secrets=declared.once)


def _page(request: Any, listing: Listing, query: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """One page and the address of the next. The cursor is signed for this list and this organization."""
    signer = signing.Signer(salt=f"{_SALT}:{current().organization_id}:{request.path}")
    cursor = ""
    if query["page"]:
        try:
            cursor = signer.unsign(query["page"])
        except signing.BadSignature as error:
            raise Invalid(
                "That page is none of this list.", fields={"page": "Use `next` as it was given."}
            ) from error
    page = paged(listing.rows, listing.order, cursor, size=query["limit"])
    kept = {name: values for name, values in request.GET.lists() if name != "page"}
    following = None
    if page.older:
        following = f"{request.path}?{urlencode({**kept, 'page': [signer.sign(page.older)]}, doseq=True)}"
    return listing.prepare(page.rows), {"has_more": bool(following), "next": following}


T = TypeVar("T")


def referred(field: str, find: Callable[[], T]) -> T:
    """What a field of the body refers to; what is not here is the field's fault, not the address's."""
    try:
        return find()
    except NotFound as error:
        raise Invalid(error.message, fields={field: error.message}) from error
