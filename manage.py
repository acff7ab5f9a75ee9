#!/usr/bin/env python3
"""Django's command line. Commands that change the schema run as the owner role."""

import os
import sys

OWNER_COMMANDS = {"migrate", "sqlmigrate"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arapp.settings")
    if len(sys.argv) > 1 and sys.argv[1] in OWNER_COMMANDS:
        os.environ.setdefault("ARAPP_AS", "owner")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
