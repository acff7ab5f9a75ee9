"""Bill everything due by a date, or show what would be billed."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from billing.previews import judged_preview
from billing.services.run import BATCH, run_billing
from core import clock
from core.commands import OrganizationCommand
from core.scope import work
from tenants.selectors import entity


class Command(OrganizationCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--as-of", type=date.fromisoformat, help="local date, YYYY-MM-DD; today when left out"
        )
        parser.add_argument("--batch", type=int, default=BATCH, help="subscriptions in one transaction")
        parser.add_argument(
            "--preview", action="store_true", help="print what would be billed and write nothing"
        )

    def act(self, **options: Any) -> None:
        with work():
            as_of: date = options["as_of"] or clock.today(entity().zone)
        if options["preview"]:
            self._preview(as_of)
            return
        run = run_billing(as_of, batch=options["batch"])
        self.stdout.write(f"{run.public_id}: {run.documents} invoices, {run.billed} periods, {run.held} held")
        if run.stopped_why:
            raise CommandError(run.stopped_why)

    def _preview(self, as_of: date) -> None:
        with work():
            charges, held = judged_preview(as_of)
        for each in charges:
            for line in each.drafts:
                self.stdout.write(
                    f"{each.facts.public_id} {line.service_start} {each.facts.currency} {line.amount_minor}"
                )
        for facts, reason, _findings in held:
            self.stdout.write(f"{facts.public_id} held: {reason}")
