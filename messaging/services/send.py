"""A due message goes out: composed from the truth of now, committed, sent with nothing open, recorded.

A worker that dies in between leaves `sending`: the next one sends what was written, under the same Message-ID, and
after the second try with an unknown outcome nobody tries a third time. So a customer gets a mail at most twice,
and only when the mail server or we broke down at the worst moment.
"""

from django.utils.translation import gettext as _

from core import clock, vault
from core.effects import Later
from core.events import emit
from core.locks import lock_one
from core.models import Organization, StoredFile
from core.relay import backoff
from core.sandbox import is_sandbox
from core.scope import current, work
from core.states import move
from core.suspension import is_suspended
from messaging.composers import Ready, Skip, Wait, composers
from messaging.domain.states import MOVES, State
from messaging.events import MessageFailed, MessageSent, MessageSkipped
from messaging.models import Message
from messaging.services.deliver import NotSent, Prepared, Refused, Unconfirmed, deliver
from messaging.services.queue import is_deliverable
from messaging.services.render import write

TRIES = 48
"""With waits doubling to an hour, a mail server may be away for almost two days."""
UNCONFIRMED = 2
MAX_ATTACHED = 15 * 1024 * 1024


def send_message(public_id: str) -> None:
    """Send the message if it is still to be sent; runs outside work() and bears being run again.

    Raises Later when it is to be tried again. Emits message.sent, message.skipped or message.failed.
    """
    with work():
        prepared = _prepare(lock_one(Message.objects.filter(public_id=public_id)))
    if prepared is None:
        return
    message = prepared.message
    try:
        deliver(prepared)
    except Refused as error:
        with work():
            _fail(message, str(error))
    except (NotSent, Unconfirmed) as error:
        with work():
            again = _try_later(message, str(error), known=isinstance(error, NotSent))
        if again:
            raise Later(clock.now() + backoff(message.tries)) from error
    else:
        with work():
            _sent(message)


def _prepare(message: Message) -> Prepared | None:
    """Ask the composer, write the letter once, and count the try before it is made."""
    if message.state not in {State.QUEUED, State.SENDING}:
        return None
    if message.unconfirmed >= UNCONFIRMED:
        _fail(message, _("The mail server never confirmed it. It may have arrived."))
        return None
    organization = Organization.objects.get(pk=current().organization_id)
    if is_suspended(organization.suspended_at):
        _skip(message, _("The organization is suspended."))
        return None
    answer = composers[message.kind](message)
    if isinstance(answer, Wait):
        raise Later(answer.at)
    if isinstance(answer, Skip):
        _skip(message, answer.reason)
        return None
    if message.state == State.QUEUED:
        _write(message, answer)
    return _begin(message, organization.name)


def _write(message: Message, ready: Ready) -> None:
    written = write(ready, sandbox=is_sandbox())
    message.subject = written.subject
    message.text_body = vault.seal(Message, "text_body", message.public_id, written.text)
    message.html_body = vault.seal(Message, "html_body", message.public_id, written.html)
    message.attachments = list(ready.attachments)
    message.reply_to = ready.reply_to if is_deliverable(ready.reply_to) else ""
    message.touch("subject", "text_body", "html_body", "attachments", "reply_to")


def _begin(message: Message, sender: str) -> Prepared | None:
    found = {file.public_id: file for file in StoredFile.objects.filter(public_id__in=message.attachments)}
    if missing := [public_id for public_id in message.attachments if public_id not in found]:
        raise LookupError(f"Attachments {missing} of {message.public_id} are not here.")
    files = [found[public_id] for public_id in message.attachments]
    if sum(file.size for file in files) > MAX_ATTACHED:
        _fail(message, _("What is attached is too large for a mail."))
        return None
    message.tries += 1
    message.unconfirmed += 1
    if message.state == State.QUEUED:
        move(message, State.SENDING, moves=MOVES, tries=message.tries, unconfirmed=message.unconfirmed)
    else:
        message.touch("tries", "unconfirmed")
    return Prepared(message, sender, message.letter_text, message.letter_html, files)


def _try_later(message: Message, why: str, *, known: bool) -> bool:
    """Note what went wrong; False when there will be no other try."""
    if known and message.tries < TRIES:
        move(message, State.QUEUED, moves=MOVES, reason=why, unconfirmed=message.unconfirmed - 1, why=why)
        return True
    if not known and message.unconfirmed < UNCONFIRMED:
        message.why = why
        message.touch("why")
        return True
    _fail(message, why)
    return False


def _sent(message: Message) -> None:
    why = _("Kept in the sandbox: no mail leaves it.") if is_sandbox() else ""
    move(message, State.SENT, moves=MOVES, sent_at=clock.now(), why=why, unconfirmed=message.unconfirmed - 1)
    emit(MessageSent(message.public_id, message.version, *_key(message)))


def _skip(message: Message, reason: str) -> None:
    move(message, State.SKIPPED, moves=MOVES, reason=reason, why=reason)
    emit(MessageSkipped(message.public_id, message.version, *_key(message), reason))


def _fail(message: Message, reason: str) -> None:
    move(message, State.FAILED, moves=MOVES, reason=reason, why=reason)
    emit(MessageFailed(message.public_id, message.version, *_key(message), reason))


def _key(message: Message) -> tuple[str, str, str, str]:
    return message.kind, message.about, message.dedupe, message.customer_public_id
