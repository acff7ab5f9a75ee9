from django.db import migrations, models


class Migration(migrations.Migration):
    """Payments are found by reference and by exact amount."""

    dependencies = [('cashapp', '0002_bank_lines')]

    operations = [
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['organization', 'minor'], name='payment_by_amount'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['organization', 'memo'], name='payment_by_memo'),
        ),
        migrations.AddIndex(
            model_name='payment',
            index=models.Index(fields=['organization', 'provider_ref'], name='payment_by_reference'),
        ),
    ]
