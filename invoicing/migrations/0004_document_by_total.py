from django.db import migrations, models


class Migration(migrations.Migration):
    """Documents are found by exact total."""

    dependencies = [('invoicing', '0003_opening')]

    operations = [
        migrations.AddIndex(
            model_name='document',
            index=models.Index(fields=['organization', 'total_minor'], name='document_by_total'),
        ),
    ]
