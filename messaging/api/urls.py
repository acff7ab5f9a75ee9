from django.urls import path

from messaging.api import views

urlpatterns = [
    path("messages", views.Messages.as_view(), name="api-messages"),
    path("messages/<slug:public_id>", views.OneMessage.as_view(), name="api-message"),
    path(
        "messages/<slug:public_id>/send_again",
        views.MessageSendAgain.as_view(),
        name="api-message-send-again",
    ),
]
