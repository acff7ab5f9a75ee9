from core.sqlfiles import door_reads, doors, run_file
import core.base
import core.clock
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    """API keys with the door that finds them, and the log of their requests."""

    dependencies = [
        ('core', '0012_idempotency'),
        ('tenants', '0004_roles'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('name', models.CharField(max_length=80)),
                ('digest', models.CharField(max_length=64, unique=True)),
                ('start', models.CharField(max_length=16)),
                ('last4', models.CharField(max_length=4)),
                ('permissions', models.JSONField(blank=True, null=True)),
                ('addresses', models.JSONField(blank=True, default=list)),
                ('api_version', models.CharField(max_length=10)),
                ('expires_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('member', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.membership')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('rolled_from', core.base.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.apikey')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ApiKeyUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('address', models.CharField(blank=True, default='', max_length=45)),
                ('key', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.apikey')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='ApiRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_id', models.CharField(max_length=40)),
                ('at', models.DateTimeField()),
                ('method', models.CharField(max_length=7)),
                ('path', models.CharField(max_length=300)),
                ('query', models.CharField(blank=True, default='', max_length=500)),
                ('status', models.PositiveSmallIntegerField()),
                ('code', models.CharField(blank=True, default='', max_length=60)),
                ('milliseconds', models.PositiveIntegerField()),
                ('address', models.CharField(blank=True, default='', max_length=45)),
                ('body', models.JSONField(null=True)),
                ('problem', models.JSONField(null=True)),
                ('key', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.apikey')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddIndex(
            model_name='apikey',
            index=models.Index(fields=['organization', 'member', 'id'], name='apikey_member'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_apikey_tenant'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_apikey_key'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=models.UniqueConstraint(fields=('organization', 'public_id'), name='tenants_apikey_public'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=core.constraints.TenantFK(field='member', name='tenants_apikey_member_fk'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=core.constraints.TenantFK(field='rolled_from', name='tenants_apikey_rolled_from_fk'),
        ),
        migrations.AddConstraint(
            model_name='apikey',
            constraint=core.constraints.Audited(name='tenants_apikey_audit'),
        ),
        migrations.AddConstraint(
            model_name='apikeyuse',
            constraint=models.UniqueConstraint(fields=('organization', 'key'), name='apikeyuse_once'),
        ),
        migrations.AddConstraint(
            model_name='apikeyuse',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_apikeyuse_tenant'),
        ),
        migrations.AddConstraint(
            model_name='apikeyuse',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_apikeyuse_key'),
        ),
        migrations.AddConstraint(
            model_name='apikeyuse',
            constraint=core.constraints.TenantFK(field='key', name='tenants_apikeyuse_key_fk'),
        ),
        migrations.AddIndex(
            model_name='apirequest',
            index=models.Index(fields=['organization', '-id'], name='apirequest_newest'),
        ),
        migrations.AddIndex(
            model_name='apirequest',
            index=models.Index(fields=['organization', 'key', '-id'], name='apirequest_key'),
        ),
        migrations.AddIndex(
            model_name='apirequest',
            index=models.Index(fields=['organization', 'at'], name='apirequest_at'),
        ),
        migrations.AddConstraint(
            model_name='apirequest',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_apirequest_tenant'),
        ),
        migrations.AddConstraint(
            model_name='apirequest',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_apirequest_key'),
        ),
        migrations.AddConstraint(
            model_name='apirequest',
            constraint=core.constraints.TenantFK(field='key', name='tenants_apirequest_key_fk'),
        ),
        run_file("core/sql/doors.sql"),
        doors("org_of_api_key(text)"),
        door_reads("tenants_apikey", "organization_id", "digest"),
    ]
