"""The address at which a document can be paid without an account."""

from django.conf import settings
from django.urls import reverse

from customers.services.links import PAY, token_for
from invoicing.models import Document


def pay_url(document: Document) -> str:
    """The pay link of an invoice, the same each time it is asked for; empty where nothing is asked. Inside work()."""
    if document.kind != "invoice" or not document.total_minor:
        return ""
    token = token_for(purpose=PAY, target=document.public_id, customer_id=document.customer_id)
    return f"{settings.BASE_URL}{reverse('pay-link', args=[token])}"
