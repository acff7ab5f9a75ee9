"""`python3 run.py bench [row …]`: print one line per row. Never fails; a row that misses its target says short."""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "arapp.settings")
django.setup()

from tools.bench import rows  # noqa: E402 - the rows need configured settings


def main() -> int:
    """Run the named rows, or all."""
    wanted = sys.argv[1:] or list(rows.ROWS)
    if unknown := set(wanted) - set(rows.ROWS):
        print(f"no such row: {', '.join(sorted(unknown))}; there are: {', '.join(rows.ROWS)}")
        return 2
    print(f"{'row':<44} {'figure':>22} {'peer or limit':>26} {'ratio':>8} {'target':>9}")
    for name in wanted:
        for line in rows.ROWS[name]():
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
