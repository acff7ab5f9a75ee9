from core.sqlfiles import append_only, door_reads, doors, run_file
from django.db import migrations


class Migration(migrations.Migration):
    """The doors with the columns they may read, and what the app may no longer do to tables of facts."""

    dependencies = [("core", "0003_rules"), ("tenants", "0001_initial")]
    operations = [
        run_file("core/sql/doors.sql"),
        doors(
            "org_of_slug(text)",
            "orgs_of_user(bigint)",
            "org_of_link(text)",
            "create_org(text, text, text, timestamptz)",
            "due_work(text, int, int, timestamptz)",
        ),
        door_reads("core_organization", "id", "slug", "clock_offset"),
        door_reads("tenants_membership", "organization_id", "user_id", "disabled_at"),
        door_reads("core_outboxevent", "id", "organization_id", "relayed_at", "parked_at", "next_attempt_at"),
        door_reads("core_effect", "id", "organization_id", "done_at", "parked_at", "due_at", "lease_until"),
        door_reads("django_content_type", "id", "app_label", "model"),
        migrations.RunSQL(
            [
                "GRANT INSERT (public_id, slug, name, clock_offset, created_at) ON core_organization TO arapp_door",
                "GRANT INSERT ON core_auditentry TO arapp_door",
                "GRANT USAGE ON SEQUENCE core_auditentry_id_seq, core_organization_id_seq TO arapp_door",
                "REVOKE INSERT, DELETE ON core_organization FROM arapp_app",
            ],
            migrations.RunSQL.noop,
        ),
        append_only("core_statechange"),
        append_only("core_auditentry", read_only=True),
    ]
