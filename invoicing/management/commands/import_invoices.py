"""Bring invoices in from a CSV file: all rows, or none while one cannot be."""

from core.imports.command import ImportCommand


class Command(ImportCommand):
    help = __doc__
    kind = "invoices"
