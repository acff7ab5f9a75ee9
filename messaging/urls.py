from django.urls import path

from messaging.views import messages

urlpatterns = [
    path("messages/", messages.messages_page, name="messages"),
    path("messages/<slug:public_id>/", messages.message_page, name="message"),
    path("messages/<slug:public_id>/letter/", messages.message_letter, name="message-letter"),
    path("messages/<slug:public_id>/send-again/", messages.message_send_again, name="message-send-again"),
]
