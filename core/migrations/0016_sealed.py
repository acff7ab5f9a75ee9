from django.db import migrations

import core.base
from core.sealing import seal_in_place
from core.sqlfiles import run_file


class Migration(migrations.Migration):
    """Answers kept for repeated requests and the first rows of files are sealed."""

    dependencies = [('core', '0015_seals')]

    operations = [
        run_file("core/sql/sealed.sql"),
        migrations.RunSQL(
            ["GRANT EXECUTE ON FUNCTION sealed_anew(text, text) TO arapp_app"],
            migrations.RunSQL.noop,
        ),
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
