from core.sqlfiles import door_reads
from django.db import migrations


class Migration(migrations.Migration):
    """What the door of links may read."""

    dependencies = [("customers", "0001_initial")]
    operations = [door_reads("customers_link", "organization_id", "digest")]
