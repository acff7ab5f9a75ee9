from django.urls import path

from cashapp.api import lines, notes, payments

urlpatterns = [
    path("payments", payments.Payments.as_view(), name="api-payments"),
    path("payments/<slug:public_id>", payments.OnePayment.as_view(), name="api-payment"),
    path("payments/<slug:public_id>/apply", payments.PaymentApply.as_view(), name="api-payment-apply"),
    path("payments/<slug:public_id>/reverse", payments.PaymentReverse.as_view(), name="api-payment-reverse"),
    path("credits/<slug:document>", notes.OneCredit.as_view(), name="api-credit"),
    path("credits/<slug:document>/apply", notes.CreditApply.as_view(), name="api-credit-apply"),
    path(
        "allocations/<slug:allocation_id>/undo",
        payments.AllocationUndo.as_view(),
        name="api-allocation-undo",
    ),
    path("bank_lines", lines.BankLines.as_view(), name="api-bank-lines"),
    path("bank_lines/match", lines.BankLinesMatch.as_view(), name="api-bank-lines-match"),
    path("bank_lines/<slug:public_id>", lines.OneBankLine.as_view(), name="api-bank-line"),
    path("bank_lines/<slug:public_id>/book", lines.BankLineBook.as_view(), name="api-bank-line-book"),
    path("bank_lines/<slug:public_id>/aside", lines.BankLineAside.as_view(), name="api-bank-line-aside"),
    path("bank_lines/<slug:public_id>/back", lines.BankLineBack.as_view(), name="api-bank-line-back"),
]
