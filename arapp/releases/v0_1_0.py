"""News of 0.1.0."""

from datetime import date

from django.utils.translation import gettext_lazy as _

from arapp.releases.base import Item, Release

RELEASE = Release(
    "0.1.0",
    date(2026, 11, 26),
    (
        Item(
            _("Bank lines find their invoices"),
            _(
                "Payments of a bank file are matched to open invoices by number, amount and payer. What is certain is"
                " booked; the rest waits under Matching with the reasons."
            ),
            trial=True,
        ),
        Item(
            _("Billing runs that cannot bill twice"),
            _("Subscriptions are billed each night. A run that was interrupted bills only what is missing."),
        ),
        Item(
            _("Bring your data in"),
            _(
                "Customers, open invoices and payments come from CSV files of other systems. Every row is checked"
                " first, and a whole import can be undone."
            ),
        ),
        Item(
            _("Who may do what"),
            _("Six roles to start with, roles of your own, groups, and access with a last day."),
        ),
        Item(
            _("Who did what"),
            _("Each record has an Audit tab. Settings has all of it, with filters and a file to download."),
        ),
        Item(
            _("The bell"),
            _(
                "It says what needs you and what you asked for. Choose for each kind: at once by mail, in the daily"
                " digest, under the bell, or not at all."
            ),
        ),
        Item(
            _("An API and webhooks"),
            _("Programs do what the pages do, with keys that have rights and an end of their own."),
        ),
    ),
)
