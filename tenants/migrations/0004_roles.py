import core.base
import core.clock
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models

KEYS = """
UPDATE tenants_role SET key = replace(lower(name), ' ', '_'), permissions = '[]' WHERE built_in;
"""

# An organization made before has the three roles of then, and the smallest plan.
GIVEN = """
INSERT INTO tenants_role (organization_id, public_id, version, created_at, updated_at, external_id, metadata, name,
                          key, permissions)
SELECT o.id, 'role_' || upper(substr(md5(o.id || r.key), 1, 26)), 1, now(), now(), '', '{}', r.name, r.key, '[]'
FROM core_organization o
CROSS JOIN (VALUES ('administrator', 'Administrator'), ('finance_manager', 'Finance Manager'),
                   ('auditor', 'Auditor')) AS r (key, name)
ON CONFLICT DO NOTHING;
INSERT INTO tenants_entitlement (organization_id, key, plan, most)
SELECT id, 'seats', 'business', 5 FROM core_organization ON CONFLICT DO NOTHING;
"""


class Migration(migrations.Migration):
    """Six built-in roles that follow the product, groups, invitations, and what the plan allows."""

    dependencies = [
        ('core', '0010_parked'),
        ('tenants', '0003_saved_views'),
    ]

    operations = [
        migrations.CreateModel(
            name='Entitlement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=40)),
                ('plan', models.CharField(max_length=40)),
                ('most', models.PositiveIntegerField(blank=True, null=True)),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Group',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('name', models.CharField(max_length=60)),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='GroupMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('since', models.DateTimeField(default=core.clock.wall)),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('email', models.CharField(max_length=254)),
                ('name', models.CharField(blank=True, default='', max_length=200)),
                ('valid_from', models.DateTimeField(blank=True, null=True)),
                ('valid_until', models.DateTimeField(blank=True, null=True)),
                ('invited_by', models.CharField(blank=True, default='', max_length=200)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddField(
            model_name='role',
            name='key',
            field=models.CharField(blank=True, default='', max_length=20),
        ),
        migrations.RunSQL(KEYS, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name='role',
            name='built_in',
        ),
        migrations.AlterField(
            model_name='role',
            name='permissions',
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddConstraint(
            model_name='role',
            constraint=models.UniqueConstraint(condition=models.Q(('key', ''), _negated=True), fields=('organization', 'key'), name='role_key'),
        ),
        migrations.AddConstraint(
            model_name='role',
            constraint=models.CheckConstraint(condition=models.Q(('key', ''), ('permissions', []), _connector='OR'), name='role_built_in_stores_nothing'),
        ),
        migrations.AddField(
            model_name='entitlement',
            name='organization',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization'),
        ),
        migrations.AddField(
            model_name='group',
            name='organization',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization'),
        ),
        migrations.AddField(
            model_name='group',
            name='role',
            field=core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.role'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='group',
            field=core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.group'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='member',
            field=core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.membership'),
        ),
        migrations.AddField(
            model_name='groupmember',
            name='organization',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='organization',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='role',
            field=core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='tenants.role'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=models.UniqueConstraint(fields=('organization', 'key'), name='entitlement_once'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_entitlement_tenant'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_entitlement_key'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=core.constraints.TenantFK(field='organization', name='tenants_entitlement_organization_fk'),
        ),
        migrations.AddConstraint(
            model_name='entitlement',
            constraint=core.constraints.Audited(name='tenants_entitlement_audit'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.UniqueConstraint(fields=('organization', 'name'), name='group_name'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_group_tenant'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_group_key'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=models.UniqueConstraint(fields=('organization', 'public_id'), name='tenants_group_public'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=core.constraints.TenantFK(field='role', name='tenants_group_role_fk'),
        ),
        migrations.AddConstraint(
            model_name='group',
            constraint=core.constraints.Audited(name='tenants_group_audit'),
        ),
        migrations.AddIndex(
            model_name='groupmember',
            index=models.Index(fields=['organization', 'member', 'group'], name='groupmember_member'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(fields=('organization', 'group', 'member'), name='groupmember_once'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_groupmember_tenant'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_groupmember_key'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=core.constraints.TenantFK(field='group', name='tenants_groupmember_group_fk'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=core.constraints.TenantFK(field='member', name='tenants_groupmember_member_fk'),
        ),
        migrations.AddConstraint(
            model_name='groupmember',
            constraint=core.constraints.Audited(name='tenants_groupmember_audit'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('withdrawn_at', None)), fields=('organization', 'email'), name='invitation_open_once'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=core.constraints.TenantRLS(column='organization_id', name='tenants_invitation_tenant'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='tenants_invitation_key'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(fields=('organization', 'public_id'), name='tenants_invitation_public'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=core.constraints.TenantFK(field='role', name='tenants_invitation_role_fk'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=core.constraints.Audited(name='tenants_invitation_audit'),
        ),
        migrations.RunSQL(GIVEN, migrations.RunSQL.noop),
    ]
