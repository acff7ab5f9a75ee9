from django.urls import path

from cashapp import lines_views, views

urlpatterns = [
    path("bank-lines/", lines_views.lines_page, name="bank-lines"),
    path("bank-lines/match/", lines_views.lines_match, name="bank-lines-match"),
    path("bank-lines/<slug:public_id>/", lines_views.line_page, name="bank-line"),
    path("bank-lines/<slug:public_id>/difference/", lines_views.line_difference, name="bank-line-difference"),
    path("bank-lines/<slug:public_id>/customer/", lines_views.line_customer, name="bank-line-customer"),
    path("bank-lines/<slug:public_id>/settle/", lines_views.line_settle, name="bank-line-settle"),
    path("bank-lines/<slug:public_id>/aside/", lines_views.line_aside, name="bank-line-aside"),
    path("bank-lines/<slug:public_id>/back/", lines_views.line_back, name="bank-line-back"),
    path("payments/", views.payments_page, name="payments"),
    path("payments/new/<slug:customer>/", views.payment_new, name="payment-new"),
    path("payments/credits/<slug:public_id>/", views.credit_apply, name="credit-apply"),
    path("payments/<slug:public_id>/", views.payment_page, name="payment"),
    path("payments/<slug:public_id>/apply/", views.payment_apply, name="payment-apply"),
    path("payments/<slug:public_id>/reverse/", views.payment_reverse, name="payment-reverse"),
    path("payments/allocations/<int:allocation_id>/undo/", views.allocation_undo, name="allocation-undo"),
]
