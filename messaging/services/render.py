"""A letter's templates as subject, text and HTML."""

from dataclasses import asdict, dataclass
from typing import Any

from django.template import Context
from django.template.loader import get_template
from django.utils.translation import gettext as _
from django.utils.translation import override

from messaging.composers import Ready
from messaging.domain.headers import one_line


@dataclass(frozen=True, slots=True)
class Written:
    """A mail as its reader sees it."""

    subject: str
    text: str
    html: str


def write(ready: Ready, *, sandbox: bool = False) -> Written:
    """Render the letter in the reader's language. Values are escaped in HTML and left alone in text.

    One of a `sandbox` says so in its subject and at its head.
    """
    letter = ready.letter
    values = asdict(letter)
    with override(ready.language):
        name = f"messages/{letter.template}"
        subject = one_line(_plain(f"{name}.subject.txt", values))
        if sandbox:
            subject = _("Test: %(subject)s") % {"subject": subject}
        values |= {"subject": subject, "language": ready.language, "sandbox": sandbox}
        return Written(
            subject=subject,
            text=_tidied(_plain(f"{name}.txt", values)),
            html=str(get_template(f"{name}.html").render(values)),
        )


def _plain(name: str, values: dict[str, Any]) -> str:
    compiled: Any = get_template(name)
    return str(compiled.template.render(Context(values, autoescape=False)))


def _tidied(text: str) -> str:
    """No blank line at the ends, never two in a row."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if line.strip() or (lines and lines[-1]):
            lines.append(line.strip())
    return "\n".join(lines) + "\n"
