from django.urls import path

from cashapp import views

urlpatterns = [
    path("payments/", views.payments_page, name="payments"),
    path("payments/new/<slug:customer>/", views.payment_new, name="payment-new"),
    path("payments/<slug:public_id>/", views.payment_page, name="payment"),
    path("payments/<slug:public_id>/apply/", views.payment_apply, name="payment-apply"),
    path("payments/<slug:public_id>/reverse/", views.payment_reverse, name="payment-reverse"),
    path("payments/allocations/<int:allocation_id>/undo/", views.allocation_undo, name="allocation-undo"),
]
