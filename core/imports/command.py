"""Base of the commands that bring a file in: import_customers, import_invoices, import_payments."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from core.commands import OrganizationCommand
from core.errors import Invalid
from core.imports import opening
from core.imports import work as imports
from core.imports.reading import Shape
from core.imports.states import State
from core.models import Import, ImportRow
from core.scope import work

SHOWN = 20


class ImportCommand(OrganizationCommand):
    """Checks every row of FILE and brings all of them in, or none while one cannot be."""

    kind = ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="a CSV file with a line of headings")
        parser.add_argument(
            "--map",
            nargs="+",
            action="extend",
            default=[],
            metavar="COLUMN=HEADING",
            help="which heading a column has, or one JSON file that says so; the rest as last time, or by name",
        )
        parser.add_argument(
            "--value",
            nargs="+",
            action="extend",
            default=[],
            metavar="COLUMN:THEIRS=OURS",
            help="what a value of the file means here, for example entity:1000=ACME",
        )
        parser.add_argument(
            "--days", choices=["dmy", "mdy"], help="order of day and month, where the file is silent"
        )
        parser.add_argument("--decimal-mark", choices=[".", ","], help="the mark before the decimals")
        parser.add_argument("--encoding", help="of the file's text; found out when left out")
        parser.add_argument("--delimiter", help="between the cells; found out when left out")
        parser.add_argument(
            "--round", action="store_true", help="round amounts to the decimals that their currency has"
        )
        parser.add_argument("--skip-failed", action="store_true", help="bring in the rows that can be")
        parser.add_argument("--dry-run", action="store_true", help="check every row and write nothing")

    def act(self, **options: Any) -> None:
        try:
            source = self._checked(options)
        except Invalid as error:
            lines = [f"  {name}: {why}" for name, why in error.fields.items()]
            raise CommandError("\n".join([error.message, *lines])) from error
        self._tell(source, "would be made" if source.state == State.READY else "made")
        if options["dry_run"] or source.state != State.READY:
            return
        if source.failed and not options["skip_failed"]:
            raise CommandError(
                "Nothing was brought in. Mend the rows above, or leave them out with --skip-failed."
            )
        if not source.created:
            return
        with work():
            imports.start(source.public_id, queued=False)
        imports.work_off(source.public_id)
        self._tell(self._now(source), "made")

    def _checked(self, options: dict[str, Any]) -> Import:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        source = opening.upload(self.kind, data=path.read_bytes(), name=path.name)
        if source.state == State.RUNNING:  # it was cut off, so it goes on
            imports.work_off(source.public_id)
            return self._now(source)
        if options["encoding"] or options["delimiter"]:
            found = source.reading
            shape = Shape(
                options["encoding"] or found["encoding"], options["delimiter"] or found["delimiter"]
            )
            imports.reread(source.public_id, shape)
            source = self._now(source)
        with work():
            imports.prepare(
                source.public_id,
                mapping={**source.mapping, **_mapping(options["map"])},
                choices=_choices(source.choices, options),
                queued=False,
            )
        imports.work_off(source.public_id)
        return self._now(source)

    def _now(self, source: Import) -> Import:
        with work():
            return imports.by_public_id(source.public_id)

    def _tell(self, source: Import, made: str) -> None:
        with work():
            failed = list(ImportRow.objects.filter(source=source, outcome="failed").order_by("number"))
        for row in failed[:SHOWN]:
            for problem in row.problems:
                column = f" {problem['column']}:" if problem["column"] else ""
                self.stdout.write(f"line {row.number}:{column} {problem['message']}")
        if len(failed) > SHOWN:
            self.stdout.write(f"and {len(failed) - SHOWN} more lines")
        self.stdout.write(
            f"{source.public_id} {source.state}: {source.rows} rows, {source.created} {made},"
            f" {source.unchanged} here already, {source.failed} failed"
        )
        if source.message:
            raise CommandError(source.message)


def _mapping(given: list[str]) -> dict[str, str]:
    if len(given) == 1 and given[0].endswith(".json"):
        try:
            found = json.loads(Path(given[0]).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"{given[0]} cannot be read: {error}") from error
        return {str(name): str(heading) for name, heading in found.items()}
    return dict(_pair(each, "COLUMN=HEADING") for each in given)


def _choices(before: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, dict[str, str]] = {name: dict(kept) for name, kept in before.get("values", {}).items()}
    for each in options["value"]:
        column, rest = _pair(each, "COLUMN:THEIRS=OURS", mark=":")
        theirs, ours = _pair(rest, "COLUMN:THEIRS=OURS")
        values.setdefault(column, {})[theirs] = ours
    chosen = {"days": options["days"], "decimal_mark": options["decimal_mark"], "rounds": options["round"]}
    return {**before, **{name: value for name, value in chosen.items() if value}, "values": values}


def _pair(text: str, shape: str, *, mark: str = "=") -> tuple[str, str]:
    left, found, right = text.partition(mark)
    if not found:
        raise CommandError(f"“{text}” is not {shape}.")
    return left.strip(), right.strip()
