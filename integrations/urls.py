from django.urls import path

from integrations.views import webhooks

urlpatterns = [
    path("settings/webhooks/", webhooks.webhooks_page, name="webhooks"),
    path("settings/webhooks/new/", webhooks.webhook_new, name="webhook-new"),
    path("settings/webhooks/<slug:public_id>/", webhooks.webhook_page, name="webhook"),
    path("settings/webhooks/<slug:public_id>/edit/", webhooks.webhook_edit, name="webhook-edit"),
    path("settings/webhooks/<slug:public_id>/secret/", webhooks.webhook_roll, name="webhook-secret"),
    path("settings/webhooks/<slug:public_id>/off/", webhooks.webhook_off, name="webhook-off"),
    path("settings/webhooks/<slug:public_id>/on/", webhooks.webhook_on, name="webhook-on"),
    path("settings/webhooks/<slug:public_id>/ping/", webhooks.webhook_ping, name="webhook-ping"),
    path("settings/webhooks/<slug:public_id>/drop/", webhooks.webhook_drop, name="webhook-drop"),
    path("settings/deliveries/<slug:public_id>/replay/", webhooks.delivery_replay, name="delivery-replay"),
]
