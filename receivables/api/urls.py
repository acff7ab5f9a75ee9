from django.urls import path

from receivables.api import views

urlpatterns = [
    path("open_items", views.OpenItems.as_view(), name="api-open-items"),
    path("open_items/<slug:public_id>", views.OneOpenItem.as_view(), name="api-open-item"),
    path(
        "customers/<str:public_id>/payment_habits", views.PaymentHabits.as_view(), name="api-payment-habits"
    ),
    path("ageing", views.Ageing.as_view(), name="api-ageing"),
    path("dso", views.DaysSalesOutstanding.as_view(), name="api-dso"),
]
