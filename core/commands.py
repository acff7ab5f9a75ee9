"""Base of management commands that work for one organization."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import doors
from core.errors import AppError
from core.scope import enter
from core.tasks import system_scope


class OrganizationCommand(BaseCommand):
    """Runs `act` in the scope of `--organization SLUG`; refusals become one line on stderr."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organization", required=True, help="address of the organization, as in /o/<slug>/"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        organization_id = doors.org_of_slug(options["organization"])
        if organization_id is None:
            raise CommandError(f"No organization has the address {options['organization']}.")
        name = self.__module__.rsplit(".", 1)[-1]
        with enter(system_scope(organization_id, origin="command", label=name)):
            try:
                self.act(**options)
            except AppError as error:
                raise CommandError(error.message) from error

    def act(self, **options: Any) -> None:
        raise NotImplementedError
