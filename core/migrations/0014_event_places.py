from django.db import migrations, models


class Migration(migrations.Migration):
    """Events are read in an order in which none is added behind a reader; those that are here already by their ids."""

    dependencies = [
        ('core', '0013_data_keys'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxevent',
            name='place',
            field=models.BigIntegerField(null=True),
        ),
        migrations.RunSQL(
            "UPDATE core_outboxevent e SET place = o.n FROM"
            " (SELECT id, row_number() OVER (PARTITION BY organization_id ORDER BY id) AS n FROM core_outboxevent) o"
            " WHERE o.id = e.id",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL("GRANT UPDATE (place) ON core_outboxevent TO arapp_app", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='outboxevent',
            constraint=models.UniqueConstraint(condition=models.Q(('place__isnull', False)), fields=('organization', 'place'), name='outbox_place'),
        ),
        migrations.AddIndex(
            model_name='outboxevent',
            index=models.Index(condition=models.Q(('place__isnull', False)), fields=['organization', 'name', 'place'], name='outbox_place_of_name'),
        ),
    ]
