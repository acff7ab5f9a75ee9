from django.db import migrations

import core.base
from core.sealing import seal_in_place
from core.sqlfiles import run_file, trigger_functions


class Migration(migrations.Migration):
    """Answers kept for repeated requests and the first rows of files are sealed."""

    dependencies = [('core', '0015_seals')]

    operations = [
        run_file("core/sql/sealed.sql"),
        trigger_functions("sealed_anew_only()"),
        migrations.RunSQL(
            ["UPDATE core_idempotencykey SET body = to_jsonb(''::text) WHERE body IS NULL"], migrations.RunSQL.noop
        ),
        migrations.AlterField('idempotencykey', 'body', core.base.Sealed(blank=True, default='', editable=False)),
        migrations.AlterField('import', 'samples', core.base.Sealed(blank=True, default='', editable=False)),
        migrations.RunSQL(
            ["UPDATE core_idempotencykey SET body = '' WHERE body = '\"\"'"], migrations.RunSQL.noop
        ),
        seal_in_place("core", "IdempotencyKey", "body", name=lambda row: f"{row.caller}:{row.key}"),
        seal_in_place("core", "Import", "samples", name=lambda row: row.public_id),
    ]
