"""One mail through the mail server: it took it, it refused it, it did not take it, or nobody knows.

In a sandbox there is no mail server: what is handed over stays here, and counts as taken.
"""

import smtplib
from dataclasses import dataclass
from email.utils import formataddr
from typing import Any

from django.core.mail import EmailMultiAlternatives, get_connection

from core import files
from core.errors import AppError
from core.models import StoredFile
from core.sandbox import is_sandbox
from core.scope import refuse_inside_work
from messaging.domain.headers import display_name
from messaging.models import Message
from messaging.services.queue import own_address

PERMANENT = 500


class Refused(Exception):
    """The server will never take this mail."""


class NotSent(Exception):
    """The server did not take it this time; nothing has left."""


class Unconfirmed(Exception):
    """The conversation broke while the mail was on the wire: it may have been taken."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message in state `sending`, and what is needed to hand it over."""

    message: Message
    sender: str
    text: str
    html: str
    attachments: list[StoredFile]


def deliver(prepared: Prepared) -> None:
    """Hand the mail to the server, outside work(); raises Refused, NotSent or Unconfirmed.

    A sandbox's mail reaches none: this is the only way out, so it cannot be forgotten elsewhere.
    """
    refuse_inside_work("Mail")
    if is_sandbox():
        return
    try:
        mail = _mail(prepared)
    except (OSError, AppError) as error:
        raise NotSent(f"An attachment cannot be read: {error}") from error
    connection: Any = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(_said(error)) from error
    watch = _Watch(connection)
    try:
        connection.send_messages([mail])
    except (OSError, smtplib.SMTPException) as error:
        raise _judged(error, started=watch.started) from error
    finally:
        _close(connection)


def _mail(prepared: Prepared) -> EmailMultiAlternatives:
    message = prepared.message
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=prepared.text,
        from_email=formataddr((display_name(prepared.sender), own_address())),
        to=[message.to_address],
        reply_to=[message.reply_to] if message.reply_to else None,
        headers={
            "Message-ID": message.header_id,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    mail.attach_alternative(prepared.html, "text/html")
    for file in prepared.attachments:
        mail.attach(file.name, files.read(file), file.content_type)
    return mail


class _Watch:
    """Notes when the SMTP conversation reaches the mail itself; before that a broken one has sent nothing."""

    def __init__(self, connection: Any) -> None:
        smtp = getattr(connection, "connection", None)
        self.started = smtp is None
        if smtp is not None:
            self._data, smtp.data = smtp.data, self._begin

    def _begin(self, content: Any) -> Any:
        self.started = True
        return self._data(content)


def _judged(error: Exception, *, started: bool) -> Exception:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()), (0, b""))
        return (Refused if code >= PERMANENT else NotSent)(f"{code} {_text(text)}")
    if isinstance(error, smtplib.SMTPDataError):
        return (Refused if error.smtp_code >= PERMANENT else NotSent)(_said(error))
    if isinstance(error, smtplib.SMTPResponseException) or not started:
        return NotSent(
            _said(error)
        )  # our own address or sign-in was refused: for us to mend, not about this mail
    return Unconfirmed(_said(error))


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return f"{type(error).__name__}: {error}"[:300]


def _text(said: bytes | str) -> str:
    return (said.decode("utf-8", "replace") if isinstance(said, bytes) else said)[:300]


def _close(connection: Any) -> None:
    """The server has answered for the mail already; how it takes leave is no matter."""
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        return
