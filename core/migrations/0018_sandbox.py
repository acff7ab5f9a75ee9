import core.constraints
from core.sqlfiles import door_reads, doors, run_file, trigger_functions
from django.db import migrations, models


class Migration(migrations.Migration):
    """One sandbox for each live organization, which can be put away, and whose clock never goes back."""

    dependencies = [
        ('core', '0017_import_asked_by'),
        ('tenants', '0001_initial'),
        ('customers', '0002_doors'),
    ]

    operations = [
        migrations.AddField(
            model_name='organization',
            name='archived_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.CheckConstraint(condition=models.Q(('archived_at', None), ('live_twin__isnull', False), _connector='OR'), name='organization_archived'),
        ),
        migrations.AddConstraint(
            model_name='organization',
            constraint=models.UniqueConstraint(condition=models.Q(('archived_at', None)), fields=('live_twin',), name='organization_one_twin'),
        ),
        run_file("core/sql/sandbox.sql"),
        trigger_functions("organization_forward()"),
        migrations.AddConstraint(
            model_name='organization',
            constraint=core.constraints.Trigger(constraint=False, function='organization_forward()', name='core_organization_forward', when='BEFORE UPDATE OF clock_offset, archived_at ON {table} FOR EACH ROW'),
        ),
        run_file("core/sql/doors.sql"),
        doors("twin_of_own()", "create_twin(text, text, text, timestamptz)"),
        door_reads("core_organization", "live_twin_id", "archived_at"),
        migrations.RunSQL(
            [
                "GRANT INSERT (live_twin_id) ON core_organization TO arapp_door",
                "GRANT UPDATE (archived_at) ON core_organization TO arapp_app",
            ],
            migrations.RunSQL.noop,
        ),
    ]
