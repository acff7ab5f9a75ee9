from django.db import migrations, models


class Migration(migrations.Migration):
    """A card that is not removed is kept: one column says so."""

    dependencies = [
        ('customers', '0007_deposits'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='paymentmethod',
            name='paymentmethod_one_live',
        ),
        migrations.RemoveField(
            model_name='paymentmethod',
            name='live',
        ),
        migrations.AddConstraint(
            model_name='paymentmethod',
            constraint=models.UniqueConstraint(condition=models.Q(('removed_at', None)), fields=('organization', 'customer'), name='paymentmethod_one_live'),
        ),
    ]
