from django.db import migrations

import core.base
import core.constraints
from core.sealing import seal_in_place


class Migration(migrations.Migration):
    """The letters of messages are sealed: they hold links by which one may pay or sign in."""

    dependencies = [('messaging', '0002_message_lists'), ('core', '0016_sealed')]

    operations = [
        migrations.RemoveConstraint('message', 'messaging_message_as_sent'),
        migrations.AlterField('message', 'text_body', core.base.Sealed(blank=True, default='', editable=False)),
        migrations.AlterField('message', 'html_body', core.base.Sealed(blank=True, default='', editable=False)),
        seal_in_place("messaging", "Message", "text_body", "html_body", name=lambda row: row.public_id),
        migrations.AddConstraint(
            model_name='message',
            constraint=core.constraints.Trigger(constraint=False, function='messaging_as_sent()', name='messaging_message_as_sent', when="BEFORE UPDATE OF state, to_address, header_id, subject, attachments, sent_at ON {table} FOR EACH ROW WHEN (OLD.state = 'sent')"),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=core.constraints.Trigger(constraint=False, function="sealed_anew_only('text_body', 'html_body')", name='messaging_message_body_as_sent', when="BEFORE UPDATE OF text_body, html_body ON {table} FOR EACH ROW WHEN (OLD.state = 'sent')"),
        ),
    ]
