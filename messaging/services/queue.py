"""Writing down that a message is due. It is written and sent later, by its composer and under a lease."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

from core import ids
from core.effects import due
from core.errors import Invalid
from core.locks import lock_one
from core.states import StateConflict, move
from core.suspension import Suspended, require_live
from messaging.composers import composers
from messaging.domain.headers import is_clean
from messaging.domain.states import MOVES, REPEATABLE, State
from messaging.models import Message


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be queued; kind, about and dedupe together are sent at most once."""

    kind: str
    about: str
    to: str
    dedupe: str = ""
    customer: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


def is_deliverable(address: str) -> bool:
    """Whether `queue` takes this address: well-formed, one recipient, and not our own."""
    if not is_clean(address) or address.casefold() == own_address().casefold():
        return False
    try:
        validate_email(address)
    except ValidationError:
        return False
    return True


def own_address() -> str:
    """The address all mail is sent from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]


def queue(
    *,
    kind: str,
    about: str,
    to: str,
    dedupe: str = "",
    customer: str = "",
    facts: Mapping[str, Any] | None = None,
) -> Message:
    """Queue one message inside work() and return it; a second call with the same key returns the first's.

    Natural key: kind, about, dedupe. Raises Invalid for an address that cannot be written to, Suspended while the
    organization is.
    """
    return queue_all([Draft(kind, about, to, dedupe, customer, facts or {})])[0]


def queue_all(drafts: Sequence[Draft]) -> list[Message]:
    """`queue` for many, in as many statements as for one; the messages come back in the drafts' order."""
    if not drafts:
        return []
    _require_sendable(drafts)
    Message.objects.bulk_create([_row(draft) for draft in drafts], batch_size=1000, ignore_conflicts=True)
    found = Message.objects.filter(
        kind__in={draft.kind for draft in drafts}, about__in={draft.about for draft in drafts}
    )
    by_key = {(row.kind, row.about, row.dedupe): row for row in found}
    messages = [by_key[draft.kind, draft.about, draft.dedupe] for draft in drafts]
    due("message.send", [(row.public_id, {"message": row.public_id}) for row in messages])
    return messages


def queue_for_event(drafts: Sequence[Draft]) -> None:
    """`queue_all` for what an event asks for: an address that takes no mail is left out, and a suspended organization
    sends nothing; neither is a failure of the event. Inside work()."""
    try:
        queue_all([draft for draft in drafts if is_deliverable(draft.to)])
    except Suspended:
        return


def send_again(public_id: str) -> Message:
    """Queue a failed or skipped message once more, at a person's wish; its composer still has the last word.

    Raises StateConflict when it is under way or was sent, NotFound when it is not here.
    """
    message: Message = lock_one(Message.objects.filter(public_id=public_id))
    require_live()
    if message.state not in REPEATABLE:
        raise StateConflict(_("It is on its way or was sent already."), state=message.state)
    move(message, State.QUEUED, moves=MOVES, reason="sent again", tries=0, unconfirmed=0, why="")
    due("message.send", [(f"{public_id}:{message.version}", {"message": public_id})])
    return message


def _require_sendable(drafts: Sequence[Draft]) -> None:
    require_live()
    for draft in drafts:
        if draft.kind not in composers:
            raise LookupError(f"Nobody composes messages of the kind {draft.kind!r}.")
        if not is_deliverable(draft.to):
            raise Invalid(
                _("That is not an address a mail can be sent to."),
                fields={"to": _("Enter one e-mail address.")},
            )


def _row(draft: Draft) -> Message:
    public_id = ids.new(Message.PREFIX)
    domain = own_address().rpartition("@")[2] or "localhost"
    return Message(
        public_id=public_id,
        kind=draft.kind,
        about=draft.about,
        dedupe=draft.dedupe,
        customer_public_id=draft.customer,
        to_address=draft.to,
        header_id=f"<{public_id}@{domain}>",
        facts=dict(draft.facts),
    )
