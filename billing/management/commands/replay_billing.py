"""Bill every past period again by the function that billed it, and name each that comes to something else; the same of
the movements of monthly recurring revenue."""

from typing import Any

from django.core.management.base import CommandError

from billing.domain.mrr import Movement
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
        for diff in found.mrr:
            self.stderr.write(
                f"{diff.subscription} {diff.day}: MRR {_told(diff.stored)} kept, {_told(diff.would)} now"
            )
        if found.differences:
            raise CommandError(
                f"{len(found.differences)} of {found.periods} periods would be billed otherwise."
            )
        if found.mrr:
            raise CommandError(f"{len(found.mrr)} movements of MRR are not what the contracts say.")
        self.stdout.write(f"{found.periods} periods billed again, no difference.")


def _told(movement: Movement | None) -> str:
    return (
        "none" if movement is None else f"{movement.kind} {movement.delta_minor:+d} to {movement.after_minor}"
    )
