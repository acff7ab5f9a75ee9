import core.base
import core.constraints
from core.sqlfiles import door_reads, run_file
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


class Migration(migrations.Migration):
    """What is due in a sandbox is so by its own clock; one whose clock is being moved is left to whoever moves it."""

    dependencies = [
        ('core', '0018_sandbox'),
        ('billing', '0001_initial'),
        ('cashapp', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClockAdvance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('began', models.DateTimeField()),
                ('target', models.DateTimeField()),
                ('reached', models.DateTimeField()),
                ('turn', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('ended_at', models.DateTimeField(null=True)),
                ('job', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.job')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('organization',), name='clockadvance_one'), models.CheckConstraint(condition=models.Q(('target__gt', models.F('began'))), name='clockadvance_forward'), core.constraints.TenantRLS(column='organization_id', name='core_clockadvance_tenant'), models.UniqueConstraint(fields=('organization', 'id'), name='core_clockadvance_key'), core.constraints.TenantFK(field='job', name='core_clockadvance_job_fk')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        door_reads("core_clockadvance", "id", "organization_id", "ended_at", "lease_until"),
        run_file("core/sql/doors.sql"),
    ]
