import billing.models.usage
import core.base
import core.clock
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from core.sqlfiles import append_only, run_file
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0003_items'),
        ('core', '0019_clock_advance'),
    ]

    operations = [
        migrations.CreateModel(
            name='Meter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('name', models.CharField(max_length=200)),
                ('code', models.CharField(max_length=40)),
                ('aggregation', models.CharField(max_length=20)),
                ('field', models.CharField(blank=True, default='', max_length=40)),
                ('group_by', models.JSONField(blank=True, default=list)),
                ('late_days', models.PositiveSmallIntegerField(default=35)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UsageSeries',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.TextField(blank=True, db_collation='C', default='')),
                ('meter', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.meter')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('subscription', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.subscription')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UsageSeen',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateTimeField()),
                ('key', models.CharField(db_collation='C', max_length=200)),
                ('count', models.BigIntegerField()),
                ('first_at', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('series', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usageseries')),
            ],
            options={
                'abstract': False,
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UsageBucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('grain', models.PositiveSmallIntegerField()),
                ('start', models.DateTimeField()),
                ('count', models.BigIntegerField()),
                ('total', billing.models.usage.Amount(decimal_places=18, max_digits=80)),
                ('area', billing.models.usage.Amount(decimal_places=18, max_digits=80)),
                ('most', billing.models.usage.Amount(decimal_places=18, max_digits=80, null=True)),
                ('last', billing.models.usage.Amount(decimal_places=18, max_digits=80, null=True)),
                ('last_at', models.DateTimeField(null=True)),
                ('last_name', models.CharField(blank=True, db_collation='C', default='', max_length=128)),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('series', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usageseries')),
            ],
            options={
                'abstract': False,
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UsageVoid',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('event_id', models.BigIntegerField()),
                ('transaction_id', models.CharField(db_collation='C', max_length=128)),
                ('at', models.DateTimeField()),
                ('voided_at', models.DateTimeField(default=core.clock.now)),
                ('replaced_by', models.CharField(blank=True, db_collation='C', default='', max_length=128)),
                ('why', models.CharField(blank=True, default='', max_length=300)),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('series', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usageseries')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[run_file('billing/sql/usage.sql')],
            state_operations=[
                migrations.CreateModel(
                    name='UsageKey',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('transaction_id', models.CharField(db_collation='C', max_length=128)),
                        ('at', models.DateTimeField()),
                        ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                        ('series', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usageseries')),
                    ],
                    managers=[
                        ('objects', django.db.models.manager.Manager()),
                        ('unscoped', django.db.models.manager.Manager()),
                    ],
                ),
                migrations.CreateModel(
                    name='UsageEvent',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('transaction_id', models.CharField(db_collation='C', max_length=128)),
                        ('at', models.DateTimeField()),
                        ('value', models.DecimalField(decimal_places=12, max_digits=27)),
                        ('key', models.CharField(blank=True, db_collation='C', default='', max_length=200)),
                        ('properties', models.JSONField(blank=True, default=dict)),
                        ('received_at', models.DateTimeField(default=core.clock.now)),
                        ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                        ('series', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usageseries')),
                    ],
                    managers=[
                        ('objects', django.db.models.manager.Manager()),
                        ('unscoped', django.db.models.manager.Manager()),
                    ],
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=models.UniqueConstraint(fields=('organization', 'code'), name='meter_code'),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_meter_tenant'),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='billing_meter_key'),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=models.UniqueConstraint(fields=('organization', 'public_id'), name='billing_meter_public'),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=core.constraints.TenantFK(field='organization', name='billing_meter_organization_fk'),
        ),
        migrations.AddConstraint(
            model_name='meter',
            constraint=core.constraints.Audited(name='billing_meter_audit'),
        ),
        migrations.AddIndex(
            model_name='usageseries',
            index=models.Index(fields=['organization', 'meter'], name='usageseries_meter'),
        ),
        migrations.AddConstraint(
            model_name='usageseries',
            constraint=models.UniqueConstraint(fields=('organization', 'subscription', 'meter', 'group'), name='usageseries_once'),
        ),
        migrations.AddConstraint(
            model_name='usageseries',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usageseries_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usageseries',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='billing_usageseries_key'),
        ),
        migrations.AddConstraint(
            model_name='usageseries',
            constraint=core.constraints.TenantFK(field='subscription', name='billing_usageseries_subscription_fk'),
        ),
        migrations.AddConstraint(
            model_name='usageseries',
            constraint=core.constraints.TenantFK(field='meter', name='billing_usageseries_meter_fk'),
        ),
        migrations.AddConstraint(
            model_name='usageseen',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usageseen_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usageseen',
            constraint=models.UniqueConstraint(fields=('organization', 'series', 'day', 'key'), name='billing_usageseen_key'),
        ),
        migrations.AddConstraint(
            model_name='usageseen',
            constraint=core.constraints.TenantFK(field='series', name='billing_usageseen_series_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagekey',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagekey_frozen', when='BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW'),
        ),
        migrations.AddConstraint(
            model_name='usagekey',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagekey_kept', when='BEFORE TRUNCATE ON {table} FOR EACH STATEMENT'),
        ),
        migrations.AddConstraint(
            model_name='usagekey',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usagekey_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usagekey',
            constraint=models.UniqueConstraint(fields=('organization', 'transaction_id'), name='billing_usagekey_key'),
        ),
        migrations.AddConstraint(
            model_name='usagekey',
            constraint=core.constraints.TenantFK(field='series', name='billing_usagekey_series_fk'),
        ),
        migrations.AddIndex(
            model_name='usageevent',
            index=models.Index(fields=['organization', 'at', 'id'], name='usageevent_newest'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usageevent_frozen', when='BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usageevent_kept', when='BEFORE TRUNCATE ON {table} FOR EACH STATEMENT'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usageevent_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=models.UniqueConstraint(fields=('organization', 'series', 'at', 'id'), name='billing_usageevent_key'),
        ),
        migrations.AddConstraint(
            model_name='usageevent',
            constraint=core.constraints.TenantFK(field='series', name='billing_usageevent_series_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagebucket',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usagebucket_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usagebucket',
            constraint=models.UniqueConstraint(fields=('organization', 'series', 'grain', 'start'), name='billing_usagebucket_key'),
        ),
        migrations.AddConstraint(
            model_name='usagebucket',
            constraint=core.constraints.TenantFK(field='series', name='billing_usagebucket_series_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=models.UniqueConstraint(fields=('organization', 'event_id'), name='usagevoid_once'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagevoid_frozen', when='BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagevoid_kept', when='BEFORE TRUNCATE ON {table} FOR EACH STATEMENT'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usagevoid_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='billing_usagevoid_key'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=core.constraints.TenantFK(field='series', name='billing_usagevoid_series_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagevoid',
            constraint=core.constraints.Audited(name='billing_usagevoid_audit'),
        ),
        migrations.CreateModel(
            name='UsageAlert',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', core.base.PublicIdField(editable=False, max_length=40)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('updated_at', models.DateTimeField(default=core.clock.now, editable=False)),
                ('external_id', models.CharField(blank=True, default='', max_length=255)),
                ('metadata', models.JSONField(blank=True, default=dict)),
                ('threshold', models.DecimalField(decimal_places=12, max_digits=27)),
                ('archived_at', models.DateTimeField(blank=True, null=True)),
                ('meter', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.meter')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('subscription', core.base.TenantForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.subscription')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.CreateModel(
            name='UsageAlertReached',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period_start', models.DateField()),
                ('value', billing.models.usage.Amount(decimal_places=18, max_digits=80)),
                ('at', models.DateTimeField(default=core.clock.now)),
                ('alert', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.usagealert')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
                ('subscription', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='billing.subscription')),
            ],
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=models.CheckConstraint(condition=models.Q(('threshold__gt', 0)), name='usagealert_threshold'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None)), fields=('organization', 'meter', 'subscription', 'threshold'), name='usagealert_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usagealert_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='billing_usagealert_key'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=models.UniqueConstraint(fields=('organization', 'public_id'), name='billing_usagealert_public'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=core.constraints.TenantFK(field='meter', name='billing_usagealert_meter_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=core.constraints.TenantFK(field='subscription', name='billing_usagealert_subscription_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagealert',
            constraint=core.constraints.Audited(name='billing_usagealert_audit'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=models.UniqueConstraint(fields=('organization', 'alert', 'subscription', 'period_start'), name='usagealertreached_once'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagealertreached_frozen', when='BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.Trigger(constraint=False, function='refuse_change()', name='billing_usagealertreached_kept', when='BEFORE TRUNCATE ON {table} FOR EACH STATEMENT'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.TenantRLS(column='organization_id', name='billing_usagealertreached_tenant'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=models.UniqueConstraint(fields=('organization', 'id'), name='billing_usagealertreached_key'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.TenantFK(field='alert', name='billing_usagealertreached_alert_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.TenantFK(field='subscription', name='billing_usagealertreached_subscription_fk'),
        ),
        migrations.AddConstraint(
            model_name='usagealertreached',
            constraint=core.constraints.Audited(name='billing_usagealertreached_audit'),
        ),
        append_only(
            'billing_usagekey', 'billing_usageevent', 'billing_usagevoid', 'billing_usagealertreached',
        ),
        run_file('billing/sql/usage_months.sql'),
    ]
