from django.urls import path

from invoicing.api import acts, prepaid, views

urlpatterns = [
    path("top_ups", prepaid.TopUps.as_view(), name="api-top-ups"),
    path("top_ups/<slug:public_id>", prepaid.OneTopUp.as_view(), name="api-top-up"),
    path("top_ups/<slug:public_id>/moves", prepaid.TopUpMoves.as_view(), name="api-top-up-moves"),
    path("invoices", views.Invoices.as_view(), name="api-invoices"),
    path("invoices/preview", views.InvoicePreview.as_view(), name="api-invoice-preview"),
    path("invoices/bulk", acts.InvoicesBulk.as_view(), name="api-invoices-bulk"),
    path("invoices/<slug:public_id>", views.OneInvoice.as_view(), name="api-invoice"),
    path("invoices/<slug:public_id>/pdf", views.InvoicePdf.as_view(), name="api-invoice-pdf"),
    path("invoices/<slug:public_id>/issue", acts.InvoiceIssue.as_view(), name="api-invoice-issue"),
    path("invoices/<slug:public_id>/send", acts.InvoiceSend.as_view(), name="api-invoice-send"),
    path("invoices/<slug:public_id>/void", acts.InvoiceVoid.as_view(), name="api-invoice-void"),
    path("invoices/<slug:public_id>/credit", acts.InvoiceCredit.as_view(), name="api-invoice-credit"),
    path("invoices/<slug:public_id>/write_off", acts.InvoiceWriteOff.as_view(), name="api-invoice-write-off"),
    path(
        "invoices/<slug:public_id>/write_off/undo",
        acts.InvoiceWriteOffUndo.as_view(),
        name="api-invoice-write-off-undo",
    ),
]
