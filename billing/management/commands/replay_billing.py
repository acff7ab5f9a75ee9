"""Bill every past period again by the function that billed it, and name each that comes to something else."""

from typing import Any

from django.core.management.base import CommandError

from billing.services.replay import replay_billing
from core.commands import OrganizationCommand


class Command(OrganizationCommand):
    """`run.py manage replay_billing --organization SLUG`; writes nothing."""

    help = __doc__

    def act(self, **options: Any) -> None:
        found = replay_billing()
        for each in found.differences:
            would = each.why or f"{each.would} now"
            self.stderr.write(
                f"{each.subscription} {each.item} {each.start} to {each.end}: {each.billed_minor} billed, {would}"
            )
        if found.differences:
            raise CommandError(
                f"{len(found.differences)} of {found.periods} periods would be billed otherwise."
            )
        self.stdout.write(f"{found.periods} periods billed again, no difference.")
