"""Make the demo's two organizations with a year of history; does nothing when they are there."""

import os
from pathlib import Path
from time import perf_counter
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from arapp.demo.people import HOUSES
from arapp.demo.seed import PASSWORD, make
from tenants.permissions import built_in_roles


class Command(BaseCommand):
    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("Demo accounts have a known password, so they are made only with DEBUG=1.")
        for house in HOUSES:
            began = perf_counter()
            if make(house):
                self.stdout.write(f"made {house.name} in {perf_counter() - began:.1f} s")
        if folder := os.environ.get("ARAPP_STATE_DIR"):
            self._write_sign_in(Path(folder) / "sign-in.txt")

    def _write_sign_in(self, file: Path) -> None:
        """How to sign in, for the command that starts the demo to print."""
        people = [(person, house) for house in HOUSES for person in (house.owner, *house.members)]
        lines = [
            f"{person.name} {person.email:18} {built_in_roles()[person.role].name} of {house.name}"
            for person, house in people
        ]
        file.write_text(
            "\n".join([f"sign in with the password {PASSWORD} as", *lines]) + "\n", encoding="utf-8"
        )
