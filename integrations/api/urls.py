from django.urls import path

from integrations.api import views

urlpatterns = [
    path("webhooks", views.Webhooks.as_view(), name="api-webhooks"),
    path("webhooks/<slug:public_id>", views.OneWebhook.as_view(), name="api-webhook"),
    path("webhooks/<slug:public_id>/secret", views.WebhookSecret.as_view(), name="api-webhook-secret"),
    path("webhooks/<slug:public_id>/test", views.WebhookTest.as_view(), name="api-webhook-test"),
    path("webhooks/<slug:public_id>/disable", views.WebhookDisable.as_view(), name="api-webhook-disable"),
    path("webhooks/<slug:public_id>/enable", views.WebhookEnable.as_view(), name="api-webhook-enable"),
    path("webhooks/<slug:public_id>/deliveries", views.Deliveries.as_view(), name="api-deliveries"),
    path("deliveries/<slug:public_id>/replay", views.DeliveryReplay.as_view(), name="api-delivery-replay"),
]
