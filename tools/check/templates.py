"""Compiles every template, so that a broken tag fails here and not on a customer's page.

`extends`, `include` and components are looked up by Django only while rendering; those named by a literal are
looked up here. Run in a process of its own, because it sets Django up.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import django
from django.conf import settings
from django.template import Engine, TemplateDoesNotExist, TemplateSyntaxError

from tools.check.files import ROOT

_LITERAL = re.compile(r"{%\s*(?:extends|include)\s+[\"']([^\"']+)[\"']")
_COMPONENT = re.compile(r"<c-([a-z][\w.-]*)")
BUILT_IN = frozenset({"vars", "slot", "component"})


def template_files() -> list[Path]:
    """Pages and mails of the project and its apps."""
    found = {path for folder in ("templates", "*/templates") for path in ROOT.glob(f"{folder}/**/*")}
    return sorted(path for path in found if path.suffix in {".html", ".txt", ".xml"} and path.is_file())


def name_of(path: Path) -> str:
    """What the loaders call it: the path below its `templates` folder."""
    parts = path.relative_to(ROOT).parts
    return "/".join(parts[parts.index("templates") + 1 :])


def mentions(text: str) -> Iterator[list[str]]:
    """For each template another one names by a literal: the names that would do, best first."""
    for name in _LITERAL.findall(text):
        if not name.startswith("."):
            yield [name]
    for name in set(_COMPONENT.findall(text)) - BUILT_IN:
        path = f"{settings.COTTON_DIR}/{name.replace('.', '/').replace('-', '_')}"
        yield [f"{path}.html", f"{path}/index.html"]


def problems() -> Iterator[str]:
    """One line per template that does not compile or names one that is not there."""
    engine = Engine.get_default()
    for path in template_files():
        where = path.relative_to(ROOT)
        for names in [[name_of(path)], *mentions(path.read_text(encoding="utf-8"))]:
            try:
                engine.select_template(names)
            except TemplateSyntaxError as error:
                yield f"{where}: {error}"
            except TemplateDoesNotExist:
                yield f"{where}: {names[0]} is not there"


def main() -> int:
    """Print what is wrong; 1 when anything is."""
    django.setup()
    found = sorted(set(problems()))
    print("\n".join(found) if found else f"{len(template_files())} templates")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
