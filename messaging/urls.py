from django.urls import path

from messaging.views import messages, notices

urlpatterns = [
    path("messages/", messages.messages_page, name="messages"),
    path("messages/<slug:public_id>/", messages.message_page, name="message"),
    path("messages/<slug:public_id>/letter/", messages.message_letter, name="message-letter"),
    path("messages/<slug:public_id>/send-again/", messages.message_send_again, name="message-send-again"),
    path("notifications/", notices.notifications_page, name="notifications"),
    path("notifications/new/", notices.bell_count, name="bell-count"),
    path("notifications/panel/", notices.panel, name="bell-panel"),
    path("notifications/read/", notices.notifications_read, name="notifications-read"),
    path("notifications/choices/", notices.choices_page, name="notification-choices"),
    path("notifications/choices/save/", notices.choices_save, name="notification-choices-save"),
    path("notifications/<slug:public_id>/read/", notices.notification_read, name="notification-read"),
]
