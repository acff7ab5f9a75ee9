from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0022_deposits'),
    ]

    operations = [
        migrations.AddField(
            model_name='subscription',
            name='ended_by_customer',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
