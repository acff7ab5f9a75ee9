from core.sqlfiles import run_file
from django.db import migrations


class Migration(migrations.Migration):
    """Who signs in is told to their organizations, not to the sandboxes of these."""

    dependencies = [("tenants", "0007_user_news_seen"), ("core", "0018_sandbox")]
    operations = [run_file("tenants/sql/access.sql")]
