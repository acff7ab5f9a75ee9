"""Write the OpenAPI file that integrators and the tests read; refuses what would break a caller."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arapp.api.changes import breaking
from core.api.schema import document

FILE = Path(settings.BASE_DIR) / "docs" / "api" / "openapi.json"


def written(found: dict[str, Any]) -> str:
    """The document as the file holds it."""
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--breaking", action="store_true", help="write it although callers break")

    def handle(self, *args: Any, **options: Any) -> None:
        found = document()
        if FILE.exists() and not options["breaking"]:
            broken = breaking(json.loads(FILE.read_text(encoding="utf-8")), found)
            if broken:
                raise CommandError(
                    "This breaks callers (--breaking writes it all the same):\n" + "\n".join(broken)
                )
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(written(found), encoding="utf-8")
        self.stdout.write(f"{FILE.relative_to(settings.BASE_DIR)}: {len(found['paths'])} addresses")
