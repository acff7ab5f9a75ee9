"""The mails of a development installation at /outbox/, newest first; only while DEBUG and mails go to files."""

import re
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from core.web import open_page

WHY = "development only: mails are files of this machine"
SHOWN = 200
AS_MAIL = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"],
}
_BETWEEN = re.compile(rb"^-{79}\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class Mail:
    """One mail of a file; `key` is its place in the address."""

    key: str
    message: EmailMessage

    def header(self, name: str) -> str:
        return str(self.message.get(name, ""))

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def to(self) -> str:
        return self.header("To")

    @property
    def sender(self) -> str:
        return self.header("From")

    @property
    def date(self) -> str:
        return self.header("Date")

    def body(self, kind: str) -> str:
        part = self.message.get_body(preferencelist=(kind,))
        return str(part.get_content()) if part else ""

    @property
    def text(self) -> str:
        return self.body("plain")

    @property
    def html(self) -> str:
        return self.body("html")

    @property
    def files(self) -> list[str]:
        return [part.get_filename() or "?" for part in self.message.iter_attachments()]


def enabled() -> bool:
    """Whether there is anything to show here."""
    return settings.DEBUG and settings.EMAIL_BACKEND.endswith("filebased.EmailBackend")


def mails() -> list[Mail]:
    """The newest mails of the folder. One file holds what one connection sent."""
    folder = Path(settings.EMAIL_FILE_PATH)
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:SHOWN]
    return [mail for file in files for mail in reversed(_read(file))]


def _read(file: Path) -> list[Mail]:
    parts = [part for part in _BETWEEN.split(file.read_bytes()) if part.strip()]
    return [
        Mail(f"{file.stem}.{place}", message_from_bytes(part, policy=default))
        for place, part in enumerate(parts)
    ]


def _found(key: str) -> Mail:
    for mail in mails():
        if mail.key == key:
            return mail
    raise Http404


@open_page(WHY)
def listing(request: HttpRequest) -> HttpResponse:
    """All mails."""
    return render(request, "outbox/list.html", {"mails": mails(), "folder": settings.EMAIL_FILE_PATH})


@open_page(WHY)
def detail(request: HttpRequest, key: str) -> HttpResponse:
    """One mail as text, with its links."""
    return render(request, "outbox/mail.html", {"mail": _found(key)})


@csp_replace(AS_MAIL)
@open_page(WHY)
def designed(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML of a mail as a mail reader shows it: its own styles, no scripts."""
    return HttpResponse(_found(key).html or "")


@open_page(WHY)
def attached(request: HttpRequest, key: str, place: int) -> HttpResponse:
    """One attachment; a PDF opens in the browser."""
    parts = list(_found(key).message.iter_attachments())
    if place >= len(parts):
        raise Http404
    part = parts[place]
    is_pdf = part.get_content_type() == "application/pdf"
    response = HttpResponse(
        part.get_payload(decode=True),
        content_type="application/pdf" if is_pdf else "application/octet-stream",
    )
    disposition = "inline" if is_pdf else "attachment"
    name = re.sub(r"[^\w.-]", "_", part.get_filename() or "file", flags=re.ASCII)
    response["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response


urlpatterns = [
    path("", listing, name="outbox"),
    path("<str:key>/", detail, name="outbox-mail"),
    path("<str:key>/html/", designed, name="outbox-html"),
    path("<str:key>/files/<int:place>/", attached, name="outbox-file"),
]
