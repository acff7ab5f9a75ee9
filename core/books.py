"""Proof of the books: every app registers statements (or functions) that return the rows for which an
invariant does not hold."""

from dataclasses import dataclass

from django.db import connection

from core import registry


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that does not hold, with up to ten of the rows that break it."""

    check: str
    rows: tuple[tuple[object, ...], ...]


def verify() -> list[Finding]:
    """Run every registered check for the scope's organization, inside work(); an empty list is the proof."""
    findings = []
    with connection.cursor() as cursor:
        for name, check in registry.checks.items():
            if callable(check):
                rows = check()
            else:
                cursor.execute(check)
                rows = cursor.fetchmany(10)
            if rows:
                findings.append(Finding(name, tuple(rows[:10])))
    return findings
