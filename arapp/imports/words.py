"""What the pages of imports say: how a file is read, what is wrong with its rows, what may be done."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from arapp.permissions import IMPORTS_RUN
from core import registry
from core.imports.base import Importer
from core.imports.reading import DELIMITERS, ENCODINGS
from core.imports.reads import Group
from core.imports.states import State
from core.imports.work import importer_of
from core.models import Import
from core.pages import missing
from core.templatetags.fmt import count

STEPS = (gettext_lazy("File"), gettext_lazy("Columns"), gettext_lazy("Check"), gettext_lazy("Bring in"))
BUSY = {State.CHECKING, State.RUNNING, State.UNDOING}
PROBLEMS = {
    "decimals": gettext_lazy("more decimals than the currency has"),
    "day_order": gettext_lazy("day or month first?"),
    "mark": gettext_lazy("decimal point or comma?"),
    "missing": gettext_lazy("missing"),
    "different": gettext_lazy("here already, but different"),
    "customer": gettext_lazy("customer not usable"),
    "entity": gettext_lazy("no such legal entity"),
    "sign": gettext_lazy("not more than zero"),
    "day": gettext_lazy("day out of range"),
    "width": gettext_lazy("more cells than headings"),
    "bad": gettext_lazy("not readable"),
}
_AT = {State.UPLOADED: 2, State.CHECKING: 3, State.READY: 3, State.RUNNING: 4, State.UNDOING: 4}


def step_of(source: Import) -> int:
    """Which of STEPS the import is at; past the last when it is over."""
    return _AT.get(State(source.state), len(STEPS) + 1)


def steps() -> list[str]:
    """STEPS in the reader's language."""
    return [str(step) for step in STEPS]


def encoding_word(name: str) -> str:
    """An encoding as people know it."""
    return name.upper().replace("_", "-").removesuffix("-SIG")


def encodings(source: Import) -> list[tuple[str, str]]:
    """Encodings to choose from, the file's own first."""
    own = source.reading["encoding"]
    seen = {encoding_word(own)}
    rest = [name for name in ENCODINGS if encoding_word(name) not in seen]
    return [(name, encoding_word(name)) for name in (own, *rest)]


def delimiters() -> list[tuple[str, str]]:
    """Separators to choose from."""
    return [(mark, str(word)) for mark, word in DELIMITERS.items()]


def read_as(source: Import) -> str:
    """How the file is read: `15,527 rows · comma, UTF-8`."""
    rows = ngettext("%(n)s row", "%(n)s rows", source.rows) % {"n": count(source.rows)}
    mark = DELIMITERS.get(source.reading["delimiter"], source.reading["delimiter"])
    return f"{rows} · {mark}, {encoding_word(source.reading['encoding'])}"


def kinds() -> list[Importer]:
    """What can be brought in, customers first: invoices and payments name them."""
    found: list[Importer] = list(registry.importers.values())
    return found


def lacks(importer: Importer) -> str:
    """Why the actor may not bring such a file in; nothing when they may."""
    return missing(IMPORTS_RUN) or missing(importer.permission)


def column_word(importer: Importer, name: str) -> str:
    """The label of a column."""
    return next((str(column.label) for column in importer.columns if column.name == name), "")


def group_word(importer: Importer, group: Group) -> str:
    """A kind of problem: `Due on: day out of range`."""
    word = str(PROBLEMS.get(group.code, group.code))
    column = column_word(importer, group.column)
    return f"{column}: {word}" if column else word[:1].upper() + word[1:]


def run_word(source: Import) -> str:
    """What the button that starts a run says, exactly."""
    if source.created == source.rows:
        return ngettext("Bring in the %(n)s row", "Bring in all %(n)s rows", source.rows) % {
            "n": count(source.rows)
        }
    return _("Bring in %(n)s of %(rows)s rows") % {"n": count(source.created), "rows": count(source.rows)}


def cannot_run(source: Import) -> str:
    """Why the run cannot be started; nothing when it can."""
    if not source.created:
        return _("nothing in it is new") if not source.failed else _("no row can be brought in")
    return lacks(importer_of(source))


def tally(source: Import) -> list[dict[str, Any]]:
    """The counts with their words and marks."""
    told = source.state in {State.UPLOADED, State.CHECKING, State.READY, State.DISCARDED}
    words = [
        ("paid", _("New") if told else _("Brought in"), source.created),
        ("draft", _("Here already"), source.unchanged),
        (
            "failed" if source.failed else "draft",
            _("Cannot be brought in") if told else _("Left out"),
            source.failed,
        ),
    ]
    return [{"look": look, "word": word, "n": n} for look, word, n in words]


def parts(source: Import) -> list[dict[str, Any]]:
    """The bar: what becomes of the rows worked off, and what is to go."""
    return [
        {"share": source.created, "tone": "ok"},
        {"share": source.unchanged, "tone": "part"},
        {"share": source.failed, "tone": "bad"},
        {"share": source.rows - source.worked, "tone": "none"},
    ]
