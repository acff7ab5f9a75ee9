"""Migration operations that run the SQL kept beside the code, where it can be read and linted as SQL."""

from pathlib import Path

from django.db import migrations

_ROOT = Path(__file__).resolve().parent.parent


def run_file(path: str, *, reverse: str = "") -> migrations.RunSQL:
    """Run `<app>/sql/<file>.sql` as one script; `reverse` is a file too, or nothing to undo."""
    undo = (_ROOT / reverse).read_text(encoding="utf-8") if reverse else migrations.RunSQL.noop
    return migrations.RunSQL([(_ROOT / path).read_text(encoding="utf-8")], undo)


def doors(*signatures: str) -> migrations.RunSQL:
    """Give the named functions to the door role and let the app call them."""
    return migrations.RunSQL(
        [
            statement
            for signature in signatures
            for statement in (
                f"ALTER FUNCTION {signature} OWNER TO arapp_door",
                f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {signature} TO arapp_app",
            )
        ],
        migrations.RunSQL.noop,
    )


def trigger_functions(*signatures: str) -> migrations.RunSQL:
    """Give the named trigger functions to the door role; nobody calls them directly."""
    return migrations.RunSQL(
        [
            statement
            for signature in signatures
            for statement in (
                f"ALTER FUNCTION {signature} OWNER TO arapp_door",
                f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC",
                f"GRANT EXECUTE ON FUNCTION {signature} TO arapp_owner",
            )
        ],
        migrations.RunSQL.noop,
    )


def append_only(*tables: str, read_only: bool = False) -> migrations.RunSQL:
    """Take UPDATE and DELETE (with `read_only` INSERT too) of the tables from the app's role."""
    rights = "INSERT, UPDATE, DELETE" if read_only else "UPDATE, DELETE"
    return migrations.RunSQL(
        [f"REVOKE {rights} ON {table} FROM arapp_app" for table in tables], migrations.RunSQL.noop
    )


def door_reads(table: str, *columns: str) -> migrations.RunSQL:
    """Let the doors read these columns of a table, and no others."""
    return migrations.RunSQL(
        [f"GRANT SELECT ({', '.join(columns)}) ON {table} TO arapp_door"], migrations.RunSQL.noop
    )
