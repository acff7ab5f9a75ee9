import core.base
import core.clock
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    """The filters of a list under a name."""

    dependencies = [
        ('core', '0006_closer_rules'),
        ('tenants', '0002_audit'),
    ]

    operations = [
        migrations.CreateModel(
            name='SavedView',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('page', models.CharField(max_length=40)),
                ('name', models.CharField(max_length=60)),
                ('query', models.CharField(blank=True, default='', max_length=1000)),
                ('shared', models.BooleanField(default=False)),
                ('member', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.membership')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'page', 'member', 'name'), name='savedview_once'), core.constraints.TenantRLS(column='organization_id', name='tenants_savedview_tenant'), models.UniqueConstraint(fields=('organization', 'id'), name='tenants_savedview_key'), models.UniqueConstraint(fields=('organization', 'public_id'), name='tenants_savedview_public'), core.constraints.TenantFK(field='member', name='tenants_savedview_member_fk'), core.constraints.Audited(name='tenants_savedview_audit')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
    ]
