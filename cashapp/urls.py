from django.urls import path

from cashapp.views import lines, payments

urlpatterns = [
    path("bank-lines/", lines.lines_page, name="bank-lines"),
    path("bank-lines/match/", lines.lines_match, name="bank-lines-match"),
    path("bank-lines/<slug:public_id>/", lines.line_page, name="bank-line"),
    path("bank-lines/<slug:public_id>/difference/", lines.line_difference, name="bank-line-difference"),
    path("bank-lines/<slug:public_id>/customer/", lines.line_customer, name="bank-line-customer"),
    path("bank-lines/<slug:public_id>/settle/", lines.line_settle, name="bank-line-settle"),
    path("bank-lines/<slug:public_id>/aside/", lines.line_aside, name="bank-line-aside"),
    path("bank-lines/<slug:public_id>/back/", lines.line_back, name="bank-line-back"),
    path("payments/", payments.payments_page, name="payments"),
    path("payments/new/<slug:customer>/", payments.payment_new, name="payment-new"),
    path("payments/credits/<slug:public_id>/", payments.credit_apply, name="credit-apply"),
    path("payments/<slug:public_id>/", payments.payment_page, name="payment"),
    path("payments/<slug:public_id>/apply/", payments.payment_apply, name="payment-apply"),
    path("payments/<slug:public_id>/reverse/", payments.payment_reverse, name="payment-reverse"),
    path("payments/allocations/<int:allocation_id>/undo/", payments.allocation_undo, name="allocation-undo"),
]
