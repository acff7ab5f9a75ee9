from django.db import migrations, models


class Migration(migrations.Migration):
    """Messages are listed by kind and found by recipient."""

    dependencies = [('messaging', '0001_initial')]

    operations = [
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['organization', 'kind', '-id'], name='message_kind'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['organization', 'to_address', 'id'], name='message_recipient'),
        ),
    ]
