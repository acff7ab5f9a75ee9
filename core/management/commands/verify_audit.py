"""Prove the audit: every row against its seal, every seal against the one before, the chain against the anchors."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core import anchors, doors, seals
from core.models import Organization
from core.scope import enter, work
from core.tasks import system_scope


class Command(BaseCommand):
    """`run.py manage verify_audit [--organization SLUG]`; exit code 1 when anything was forged, deleted or cut."""

    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--organization", help="address of one organization, as in /o/<slug>/; all without it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        known = anchors.read_all()
        wrong = [anchor.problem for anchor in known if anchor.problem]
        for problem in wrong:
            self.stderr.write(problem)
        count = len(wrong)
        for organization_id in self._asked(options["organization"]):
            count += self._prove(organization_id, known)
        if count:
            raise CommandError(f"The audit does not verify: {count} findings.")
        self.stdout.write(f"{len(known)} anchors fit." if known else "There is no anchor yet.")

    def _asked(self, slug: str | None) -> list[int]:
        if slug is None:
            return list(doors.audit_heads())
        organization_id = doors.org_of_slug(slug)
        if organization_id is None:
            raise CommandError(f"No organization has the address {slug}.")
        return [organization_id]

    def _prove(self, organization_id: int, known: list[anchors.Anchor]) -> int:
        with enter(system_scope(organization_id, origin="command", label="verify_audit")), work():
            slug = Organization.objects.values_list("slug", flat=True).get(pk=organization_id)
            proof = seals.prove()
        wrong = [*proof.wrong, *anchors.faults(organization_id, proof.hashes, known)]
        for problem in wrong:
            self.stderr.write(f"{slug}: {problem}")
        if not wrong:
            said = f"{slug}: {proof.rows} rows in {proof.seals} seals verify"
            self.stdout.write(
                f"{said}, {proof.waiting} wait for their seal." if proof.waiting else f"{said}."
            )
        return len(wrong)
