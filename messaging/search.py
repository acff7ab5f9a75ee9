"""How messages are called where only their public id is known."""

from core.registry import Place, places
from messaging.models import Message
from messaging.permissions import MESSAGES_VIEW
from messaging.selectors import recipients

places[Message.PREFIX] = Place("message", MESSAGES_VIEW, recipients)
