"""The address at which a document can be paid without an account."""

from customers.services.links import PAY, link_url
from invoicing.models import Document


def pay_url(document: Document) -> str:
    """The pay link of an invoice, the same each time it is asked for; empty where nothing is asked. Inside work()."""
    if document.kind != "invoice" or not document.total_minor:
        return ""
    return link_url(PAY, document.public_id, document.customer_id)
