from core.sqlfiles import doors, run_file
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    """Data keys of sealed fields, and the door that lists organizations."""

    dependencies = [
        ('core', '0012_idempotency'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('wrapped', models.TextField()),
                ('made_at', models.DateTimeField()),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'number'), name='datakey_once'), core.constraints.TenantRLS(column='organization_id', name='core_datakey_tenant'), models.UniqueConstraint(fields=('organization', 'id'), name='core_datakey_key'), core.constraints.TenantFK(field='organization', name='core_datakey_organization_fk')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        run_file("core/sql/doors.sql"),
        doors("organizations()"),
    ]
