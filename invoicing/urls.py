from django.urls import path

from invoicing.views import actions, bulk, document, editor, lists, prepaid

urlpatterns = [
    path("invoices/", lists.invoices, name="invoices"),
    path("invoices/invoices.csv", lists.invoices_csv, name="invoices-csv"),
    path("invoices/new/", editor.invoice_new, name="invoice-new"),
    path("invoices/totals/", editor.invoice_totals, name="invoice-totals"),
    path("invoices/customers/", lists.customer_choices, name="invoice-customers"),
    path("invoices/bulk/", bulk.bulk, name="invoices-bulk"),
    path("invoices/bulk/<slug:public_id>/", bulk.bulk_page, name="invoices-job"),
    path("invoices/bulk/<slug:public_id>/progress/", bulk.bulk_progress, name="invoices-job-progress"),
    path("invoices/bulk/<slug:public_id>/cancel/", bulk.bulk_cancel, name="invoices-job-cancel"),
    path("invoices/<slug:public_id>/", document.invoice, name="invoice"),
    path("invoices/<slug:public_id>/edit/", editor.invoice_edit, name="invoice-edit"),
    path("invoices/<slug:public_id>/delete/", editor.invoice_delete, name="invoice-delete"),
    path("invoices/<slug:public_id>/pdf/", document.invoice_pdf, name="invoice-pdf"),
    path("invoices/<slug:public_id>/issue/", actions.invoice_issue, name="invoice-issue"),
    path("invoices/<slug:public_id>/void/", actions.invoice_void, name="invoice-void"),
    path("invoices/<slug:public_id>/void/preview/", actions.preview_of_void, name="invoice-void-preview"),
    path("invoices/<slug:public_id>/credit/", actions.invoice_credit, name="invoice-credit"),
    path(
        "invoices/<slug:public_id>/credit/preview/", actions.preview_of_credit, name="invoice-credit-preview"
    ),
    path("invoices/<slug:public_id>/write-off/", actions.invoice_write_off, name="invoice-write-off"),
    path(
        "invoices/<slug:public_id>/write-off/preview/",
        actions.preview_of_write_off,
        name="invoice-write-off-preview",
    ),
    path("invoices/<slug:public_id>/send/", actions.invoice_send, name="invoice-send"),
    path("prepaid/", prepaid.top_ups_page, name="top-ups"),
    path("prepaid/<slug:public_id>/", prepaid.top_up_page, name="top-up"),
    path("customers/<slug:public_id>/prepaid/", prepaid.customer_prepaid, name="customer-prepaid"),
    path("customers/<slug:public_id>/top-up/", prepaid.top_up_new, name="top-up-new"),
]
