"""A person trying the product reads its mail in the browser; nothing outside the folder can be named."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.http import Http404
from django.test import RequestFactory

from arapp import outbox


@pytest.fixture
def folder(tmp_path: Path, settings: LazySettings) -> Path:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.DEBUG = True
    return tmp_path


def send(*subjects: str) -> None:
    """Mails of one connection, so of one file."""
    made = []
    for subject in subjects:
        mail = EmailMultiAlternatives(
            subject, "See https://pay.example/1 – Zürich", "a@b.example", ["c@d.example"]
        )
        mail.attach_alternative("<p style='color:red'>Zürich</p><script>x</script>", "text/html")
        mail.attach("INV-1 ü.pdf", b"%PDF-1", "application/pdf")
        mail.attach("x.html", b"<script>", "text/html")
        made.append(mail)
    get_connection().send_messages(made)


def test_mails_are_read_back_newest_first(folder: Path) -> None:
    send("First", "Second ü")
    found = outbox.mails()
    assert [mail.subject for mail in found] == ["Second ü", "First"]
    assert "https://pay.example/1 – Zürich" in found[0].text
    assert "Zürich" in found[0].html
    assert found[0].files == ["INV-1 ü.pdf", "x.html"]


def test_attachments_open_without_becoming_pages(folder: Path) -> None:
    send("One")
    key = outbox.mails()[0].key
    request = RequestFactory().get("/")
    made = outbox.attached(request, key=key, place=0)
    assert (made.content, made["Content-Type"]) == (b"%PDF-1", "application/pdf")
    other = outbox.attached(request, key=key, place=1)
    assert other["Content-Type"] == "application/octet-stream"
    assert other["Content-Disposition"].startswith("attachment")
    with pytest.raises(Http404):
        outbox.attached(request, key=key, place=2)


@pytest.mark.parametrize("key", ["../secret.0", "x", "", "..", "%2e%2e"])
def test_only_mails_of_the_folder_are_found(folder: Path, key: str) -> None:
    send("One")
    with pytest.raises(Http404):
        outbox.designed(RequestFactory().get("/"), key=key)


def test_it_is_there_only_for_development(folder: Path, settings: LazySettings) -> None:
    assert outbox.enabled()
    settings.DEBUG = False
    assert not outbox.enabled()
    settings.DEBUG, settings.EMAIL_BACKEND = True, "django.core.mail.backends.smtp.EmailBackend"
    assert not outbox.enabled()
