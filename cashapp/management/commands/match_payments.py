"""Match the open bank lines: book what is certain, keep proposals for the rest."""

from typing import Any

from cashapp.services.matching import match_all
from core.commands import OrganizationCommand


class Command(OrganizationCommand):
    help = __doc__

    def act(self, **options: Any) -> None:
        done = match_all()
        if done is not None:
            self.stdout.write(f"{done.booked} booked, {done.lines} lines still open at the last look")
