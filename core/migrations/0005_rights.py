from core.sqlfiles import append_only
from django.db import migrations


class Migration(migrations.Migration):
    """What the app's role was able to write and never needs to: identities, facts of events, the framework's lists."""

    dependencies = [
        ("core", "0004_doors"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("auditlog", "0017_add_actor_email"),
    ]
    operations = [
        append_only("core_outboxevent", "core_handledevent", "core_organization"),
        append_only(
            "auditlog_logentry",
            "auth_group",
            "auth_group_permissions",
            "auth_permission",
            "django_content_type",
            read_only=True,
        ),
        migrations.RunSQL(
            [
                # What happened never changes, only how far it was told.
                "GRANT UPDATE (relayed_at, attempts, next_attempt_at, parked_at, last_error)"
                " ON core_outboxevent TO arapp_app",
                # The live twin is another organization's row: only a door may name it.
                "GRANT UPDATE (slug, name, clock_offset, suspended_at) ON core_organization TO arapp_app",
            ],
            migrations.RunSQL.noop,
        ),
    ]
