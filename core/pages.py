"""What pages that act share: trying a service without losing what was typed, and saying who may do what."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext as _

from core import clock, registry
from core.errors import AppError, Busy, NotFound
from core.middleware import is_lock_timeout
from core.models import Effect
from core.scope import current

_FORM = "form"
"""The kind under which used form keys are kept beside the effects; never due, because it is written as done."""


@dataclass(slots=True)
class Outcome:
    """How an attempt ended: `error` is None when it was done."""

    error: AppError | None = None

    @property
    def status(self) -> int:
        """The HTTP status of a page that shows the error beside the input; 200 without one."""
        return self.error.status if self.error else 200


@contextmanager
def attempt() -> Iterator[Outcome]:
    """Run the block all or nothing; a refusal is kept in the outcome instead of raised, so that a page can show it.

    What is not here stays NotFound: the page has nothing to show then. Inside work().
    """
    outcome = Outcome()
    try:
        with transaction.atomic():
            yield outcome
    except NotFound:
        raise
    except AppError as error:
        outcome.error = error
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        outcome.error = Busy(_("Somebody else is working on this. Nothing was changed; try again."))


def at_fields(form: Any, error: AppError | None) -> bool:
    """Put a refusal's sentences at their fields, those about no field of the form above them; whether it has any."""
    fields = error.fields if error else {}
    for name, message in fields.items():
        form.add_error(name if name in form.fields else None, message)
    return bool(fields)


@contextmanager
def dry_run() -> Iterator[None]:
    """Run the block and take back everything it wrote: a preview is then what the act would do. Inside work()."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def once(key: str, make: Callable[[], str]) -> str:
    """The public id of what `make` made, made once per key (a form's hidden key) however often sent. Inside work().

    A second sender waits for the first one's transaction and then gets what that made. A refusal of `make` leaves
    the key unused, when the caller's attempt is taken back.
    """
    rows = Effect.objects.filter(kind=_FORM, key=key)
    try:
        with transaction.atomic():
            claim = Effect.objects.create(kind=_FORM, key=key, due_at=clock.wall(), done_at=clock.wall())
    except IntegrityError:
        return str(rows.get().payload["made"])
    claim.payload = {"made": make()}
    claim.save(update_fields=["payload"])
    return str(claim.payload["made"])


_NAMED = 2
"""How many of those who can grant a right are named."""
RECORD_PAYMENT, APPLY_CREDIT, WRITE_INVOICE = "payments.record", "payments.apply", "invoices.create"
"""Rights of an app above, whose pages others link to."""


def missing(permission: str) -> str:
    """Why a control is greyed: the right it needs and who can grant it; nothing when the actor holds it.

    Inside work().
    """
    if current().may(permission):
        return ""
    said = {"right": registry.permissions[permission].label}
    names = registry.who_grants(permission)[:_NAMED]
    if not names:
        return _("needs the right “%(right)s”") % said
    return _("needs the right “%(right)s”; ask %(names)s") % {**said, "names": _(" or ").join(names)}
