from django.db import migrations, models


class Migration(migrations.Migration):
    """What is parked is counted on the home page and listed by kind."""

    dependencies = [
        ('core', '0009_facts'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='effect',
            index=models.Index(condition=models.Q(('done_at', None), ('parked_at__isnull', False)), fields=['organization', 'kind', 'id'], name='effect_parked'),
        ),
        migrations.AddIndex(
            model_name='outboxevent',
            index=models.Index(condition=models.Q(('parked_at__isnull', False), ('relayed_at', None)), fields=['organization', 'name', 'id'], name='outbox_parked'),
        ),
    ]
