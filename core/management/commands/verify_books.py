"""Prove an organization's books: every invariant, with the rows that break it."""

from typing import Any

from django.core.management.base import CommandError

from core.books import verify
from core.commands import OrganizationCommand
from core.registry import checks
from core.scope import work


class Command(OrganizationCommand):
    """`run.py manage verify_books --organization SLUG`."""

    help = __doc__

    def act(self, **options: Any) -> None:
        with work():
            findings = verify()
        for finding in findings:
            self.stderr.write(f"{finding.check}:")
            for row in finding.rows:
                self.stderr.write(f"    {row}")
        if findings:
            raise CommandError(f"{len(findings)} of {len(checks)} invariants do not hold.")
        self.stdout.write(f"{len(checks)} invariants hold.")
