from core.sqlfiles import run_file, trigger_functions
from django.db import migrations


class Migration(migrations.Migration):
    """Rights of the app's role, and the trigger functions that every table uses from here on."""

    initial = True
    dependencies = [("contenttypes", "0002_remove_content_type_name")]
    operations = [
        run_file("core/sql/privileges.sql"),
        run_file("core/sql/functions.sql", reverse="core/sql/functions_drop.sql"),
        trigger_functions(
            "refuse_change()",
            "audit_context()",
            "audit_changed(jsonb, jsonb)",
            "audit_insert()",
            "audit_update()",
            "audit_delete()",
            "audit_organization()",
        ),
    ]
