import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    """Answers kept under a caller's key."""

    dependencies = [
        ('core', '0011_tallies'),
    ]

    operations = [
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('caller', models.CharField(max_length=60)),
                ('key', models.CharField(max_length=255)),
                ('request', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField()),
                ('body', models.JSONField(null=True)),
                ('headers', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'at'], name='idempotencykey_at')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'caller', 'key'), name='idempotencykey_once'), core.constraints.TenantRLS(column='organization_id', name='core_idempotencykey_tenant'), models.UniqueConstraint(fields=('organization', 'id'), name='core_idempotencykey_key'), core.constraints.TenantFK(field='organization', name='core_idempotencykey_organization_fk')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
    ]
