"""Errors that a person or a program is meant to read. Pages and API translate them in one place."""

from typing import Any


class AppError(Exception):
    """A refusal: `code` is stable and for programs, `message` is a sentence for people, `extra` its facts.

    `fields` maps the name of a field that it is about to its sentence. Subclasses stand beside the service that
    raises them and set `status` (an HTTP status) and `code`.
    """

    status = 400
    code = "bad_request"

    def __init__(self, message: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.extra = extra
        self.fields: dict[str, str] = {}


class Invalid(AppError):
    """Input that cannot be accepted."""

    status = 422
    code = "invalid"

    def __init__(self, message: str, *, fields: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.fields = fields or {}


class Forbidden(AppError):
    """The actor lacks the right."""

    status = 403
    code = "forbidden"


class NotFound(AppError):
    """Absent, or another organization's: the answer is the same."""

    status = 404
    code = "not_found"


class Conflict(AppError):
    """The thing is not in a state that allows this, or somebody changed it first."""

    status = 409
    code = "conflict"


class CodeTaken(Conflict):
    """Another one of its kind has the code, which is the field `code`."""

    code = "code_taken"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.fields = {"code": message}


class KeyReused(Conflict):
    """The key of an intent was used before for something else; nothing was done now."""

    status = 422
    code = "key_reused"


class Busy(Conflict):
    """Somebody else holds the rows; the same request may be sent again."""

    code = "busy"
