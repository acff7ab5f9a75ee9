"""Rotate the keys of sealed fields: wrap data keys under the newest master key, or begin new data keys."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import doors, vault
from core.reseal import reseal
from core.scope import enter, work
from core.tasks import system_scope


class Command(BaseCommand):
    """`run.py manage rotate_keys --master | --data | --resume [--organization SLUG]`."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--master", action="store_true", help="wrap data keys under the newest master key")
        what.add_argument("--data", action="store_true", help="seal everything anew under a new data key")
        what.add_argument(
            "--resume", action="store_true", help="go on sealing anew under the newest data key"
        )
        parser.add_argument("--organization", help="only this one (its address); else every one")

    def handle(self, *args: Any, **options: Any) -> None:
        for organization_id in self._wanted(options["organization"]):
            with enter(system_scope(organization_id, origin="command", label="rotate_keys")):
                self._rotate(organization_id, options)

    def _wanted(self, slug: str | None) -> list[int]:
        if slug is None:
            return doors.organizations()
        organization_id = doors.org_of_slug(slug)
        if organization_id is None:
            raise CommandError(f"No organization has the address {slug}.")
        return [organization_id]

    def _rotate(self, organization_id: int, options: dict[str, Any]) -> None:
        if options["master"]:
            with work():
                done = vault.rewrap()
            self.stdout.write(f"organization {organization_id}: {done} data keys wrapped anew")
            return
        with work():
            number = vault.next_key() if options["data"] else vault.newest()
        done = reseal(number)
        self.stdout.write(f"organization {organization_id}: {done} fields sealed anew under key {number}")
