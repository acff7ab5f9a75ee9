"""Messages as the API gives them."""

from rest_framework import serializers

from core.api.fields import Out, Personal, RecordOut
from messaging.domain.states import State


class MessageOut(RecordOut):
    """One message to one address about one thing."""

    OBJECT = "message"

    kind = serializers.CharField()
    state = serializers.ChoiceField([str(each) for each in State])
    to = Personal(source="to_address")
    subject = serializers.CharField(
        source="shown_subject", help_text="Empty until it is written, and where it is for its reader alone."
    )
    about = serializers.CharField(help_text="The object that it is about.")
    customer = serializers.SerializerMethodField()
    why = serializers.CharField(help_text="Why it was skipped or failed, or what it waits for.")
    tries = serializers.IntegerField()
    sent_at = serializers.DateTimeField(allow_null=True)

    def get_customer(self, row: object) -> str | None:
        return getattr(row, "customer_public_id", "") or None


class AttachmentOut(Out):
    """A file that went with it."""

    name = serializers.CharField()


class MessageDetailOut(MessageOut):
    """A message as it was written; the secrets of its links are cut out, and a notification is its reader's alone."""

    text = serializers.CharField()
    html = serializers.CharField()
    attachments = AttachmentOut(many=True)
