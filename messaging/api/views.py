"""What was written to customers, for programs."""

from rest_framework import serializers

from core.api.fields import In, PublicId, Text
from core.api.operations import Api, Call, Listing, operation
from messaging.api.outputs import MessageDetailOut, MessageOut
from messaging.domain.states import State
from messaging.models import Message
from messaging.permissions import MESSAGES_SEND, MESSAGES_VIEW
from messaging.selectors import MessageFilter, attached_to, letter_of, message, messages
from messaging.services.queue import send_again

TAG = "Messages"


class MessagesQuery(In):
    state = serializers.ChoiceField([str(each) for each in State], required=False)
    kind = Text(max_length=60, required=False)
    q = Text(max_length=254, required=False, help_text="Start of the address it goes to.")
    customer = PublicId(required=False)
    about = PublicId(required=False, help_text="The object that it is about.")


def _detail(row: Message) -> Message:
    row.text = letter_of(row, row.letter_text)  # type: ignore[attr-defined]
    row.html = letter_of(row, row.letter_html)  # type: ignore[attr-defined]
    row.attachments = [{"name": name} for name in attached_to(row)]
    return row


class Messages(Api):
    tag = TAG

    @operation(MESSAGES_VIEW, query=MessagesQuery, gives=MessageOut, many=True)
    def get(self, call: Call) -> Listing:
        """List messages, the newest first."""
        said = call.filters
        return Listing(messages(MessageFilter(recipient=said.pop("q", ""), **said)))


class OneMessage(Api):
    tag = TAG

    @operation(MESSAGES_VIEW, gives=MessageDetailOut)
    def get(self, call: Call, public_id: str) -> Message:
        """Get a message with its letter, without the secrets of its links."""
        return _detail(message(public_id))


class MessageSendAgain(Api):
    tag = TAG

    @operation(MESSAGES_SEND, gives=MessageOut)
    def post(self, call: Call, public_id: str) -> Message:
        """Queue a failed or skipped message once more; one under way or sent is refused."""
        return send_again(message(public_id).public_id)
