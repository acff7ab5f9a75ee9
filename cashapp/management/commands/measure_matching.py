"""Compare what matching decided with the truth, a CSV file of matches by the other system's ids.

The file has the columns payment_ids and invoice_ids, each a JSON list of the ids that bank lines and invoices were
brought in with. A third column, match_category, sorts the figures.
"""

import csv
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from cashapp.domain.matching.measure import Measure, by_category, measure
from cashapp.selectors import decided_links
from core.commands import OrganizationCommand
from core.scope import work
from invoicing.selectors import items_by_external_id


class Command(OrganizationCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="MATCHES")

    def act(self, **options: Any) -> None:
        matches = _read(options["file"])
        with work():
            items = items_by_external_id()
            lines = decided_links()
        truth: dict[int, set[int]] = {}
        category: dict[int, str] = {}
        unknown = 0
        for payments, invoices, kind in matches:
            wanted = {items[invoice] for invoice in invoices if invoice in items}
            for payment in payments:
                if payment not in lines:
                    unknown += 1
                    continue
                line_id = lines[payment].line_id
                truth[line_id], category[line_id] = wanted, kind
        decided = {
            each.line_id: each.items for each in lines.values() if each.items and each.line_id in truth
        }
        offered = {
            each.line_id: each.items or each.proposed for each in lines.values() if each.line_id in truth
        }
        self._tell("all", measure(truth, decided))
        for name, found in sorted(by_category(truth, decided, category).items()):
            self._tell(name or "-", found)
        self._tell("with the best proposal", measure(truth, offered))
        if unknown:
            self.stdout.write(f"{unknown} payments of the file are not here")

    def _tell(self, name: str, found: Measure) -> None:
        shares = ", ".join(
            f"{word} {float(found.percent(count)):.2f} %"
            for word, count in (
                ("right", found.right),
                ("wrong", found.wrong),
                ("incomplete", found.incomplete),
                ("undecided", found.undecided),
            )
        )
        self.stdout.write(
            f"{name}: {found.lines} payments, precision {100 * float(found.precision):.2f} %,"
            f" recall {100 * float(found.recall):.2f} % of {found.true_links} links; {shares}"
        )


def _read(path: Path) -> list[tuple[list[str], list[str], str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return [
                (
                    [str(each) for each in json.loads(row["payment_ids"])],
                    [str(each) for each in json.loads(row["invoice_ids"])],
                    row.get("match_category", ""),
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise CommandError(f"{path} is not such a file: {error}") from error
