"""Which operation of the API is which page: the one place that says so, and what has a page only, with the reason."""

import json
import shlex
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.urls import resolve, reverse
from django.utils.text import slugify
from rest_framework import serializers

from core.api.fields import Flag
from core.api.operations import Operation, operation_id

V1 = "/api/v1/"


@dataclass(frozen=True, slots=True)
class Call:
    """The operation of a page: `path` with the page's own parameters, `renamed` what the page calls otherwise."""

    path: str
    method: str = "get"
    renamed: dict[str, str] = field(default_factory=dict)


AS_OF = {"on": "as_of"}
CALLS = {
    "audit": Call("audit_entries"),
    "access": Call("access_events"),
    "record-audit": Call("audit_entries?record={public_id}"),
    "members": Call("members"),
    "roles": Call("roles"),
    "keys": Call("api_keys"),
    "plan": Call("plan"),
    "settings": Call("legal_entities"),
    "messages": Call("messages"),
    "message": Call("messages/{public_id}"),
    "customers": Call("customers"),
    "customer-new": Call("customers", "post"),
    "customer": Call("customers/{public_id}"),
    "customer-edit": Call("customers/{public_id}", "patch"),
    "invoices": Call("invoices"),
    "invoice-new": Call("invoices", "post"),
    "top-ups": Call("top_ups"),
    "top-up": Call("top_ups/{public_id}"),
    "top-up-new": Call("top_ups", "post"),
    "invoices-job": Call("jobs/{public_id}"),
    "invoice": Call("invoices/{public_id}"),
    "invoice-edit": Call("invoices/{public_id}", "patch"),
    "plans": Call("prices"),
    "price-new": Call("prices", "post"),
    "price": Call("prices/{public_id}"),
    "products": Call("products"),
    "product": Call("products/{public_id}"),
    "coupons": Call("coupons"),
    "features": Call("features"),
    "subscriptions": Call("subscriptions"),
    "subscription-new": Call("subscriptions", "post"),
    "subscription": Call("subscriptions/{public_id}"),
    "bulk-changes": Call("bulk_changes"),
    "bulk-change": Call("bulk_changes/{public_id}"),
    "subscription-history": Call("subscriptions/{public_id}/timeline"),
    "meters": Call("meters"),
    "meter": Call("meters/{public_id}"),
    "runs": Call("billing_runs"),
    "run": Call("billing_runs/{public_id}"),
    "mrr": Call("mrr"),
    "mrr-movements": Call("mrr_movements"),
    "bank-lines": Call("bank_lines"),
    "bank-line": Call("bank_lines/{public_id}"),
    "payments": Call("payments"),
    "payment-new": Call("payments", "post"),
    "payment": Call("payments/{public_id}"),
    "credit-apply": Call("credits/{public_id}/apply", "post"),
    "ageing": Call("ageing", renamed=AS_OF),
    "dso": Call("dso", renamed=AS_OF),
    "journal": Call("journal_entries"),
    "trial-balance": Call("trial_balance", renamed=AS_OF),
    "webhooks": Call("webhooks"),
    "webhook-new": Call("webhooks", "post"),
    "webhook": Call("webhooks/{public_id}"),
    "webhook-edit": Call("webhooks/{public_id}", "patch"),
    "imports": Call("imports"),
    "import-new": Call("imports", "post"),
    "import": Call("imports/{public_id}"),
    "import-columns": Call("imports/{public_id}/check", "post"),
}
"""By the name of the page, the call that it offers to copy."""
ACTS = {
    "settings-save": "PATCH legal_entities/{public_id}",
    "member-invite": "POST invitations",
    "invitation-withdraw": "POST invitations/{public_id}/withdraw",
    "key-revoke": "POST api_keys/{public_id}/revoke",
    "message-letter": "GET messages/{public_id}",
    "message-send-again": "POST messages/{public_id}/send_again",
    "meter-new": "POST meters",
    "subscription-usage": "GET subscriptions/{public_id}/usage",
    "usage-events": "GET usage_events",
    "meter-archive": "POST meters/{public_id}/archive",
    "alert-new": "POST usage_alerts",
    "alert-archive": "POST usage_alerts/{public_id}/archive",
    "customer-archive": "POST customers/{public_id}/archive",
    "customer-restore": "POST customers/{public_id}/restore",
    "customer-messages": "GET messages",
    "customer-prepaid": "GET top_ups",
    "customer-habits": "GET customers/{public_id}/payment_habits",
    "customer-deposit": "PATCH customers/{public_id}",
    "contact-add": "POST customers/{public_id}/contacts",
    "contact-remove": "DELETE customers/{public_id}/contacts/{contact_id}",
    "invoice-totals": "POST invoices/preview",
    "invoice-customers": "GET customers",
    "invoices-bulk": "POST invoices/bulk",
    "invoices-job-progress": "GET jobs/{public_id}",
    "invoices-job-cancel": "POST jobs/{public_id}/cancel",
    "invoice-delete": "DELETE invoices/{public_id}",
    "invoice-pdf": "GET invoices/{public_id}/pdf",
    "invoice-issue": "POST invoices/{public_id}/issue",
    "invoice-void": "POST invoices/{public_id}/void",
    "invoice-credit": "POST invoices/{public_id}/credit",
    "invoice-write-off": "POST invoices/{public_id}/write_off",
    "invoice-send": "POST invoices/{public_id}/send",
    "price-typed": "POST quotes",
    "price-quote": "GET prices/{public_id}/quote",
    "price-retire": "POST prices/{public_id}/retire",
    "product-new": "POST products",
    "product-save": "PATCH products/{public_id}",
    "product-archive": "POST products/{public_id}/archive",
    "product-restore": "POST products/{public_id}/restore",
    "product-plan": "PATCH plans/{plan}",
    "plan-product": "PATCH plans/{public_id}",
    "feature-new": "POST features",
    "feature-save": "PATCH features/{feature}",
    "feature-retire": "POST features/{feature}/retire",
    "plan-features": "PUT plans/{plan}/features",
    "customer-subscriptions": "GET subscriptions",
    "plan-offers": "PUT plans/{plan}/offers",
    "plan-deposit": "PATCH plans/{plan}",
    "customer-entitled": "GET customers/{public_id}/entitlements",
    "subscription-entitled": "GET subscriptions/{public_id}/entitlements",
    "override": "PUT subscriptions/{public_id}/feature_overrides/{feature}",
    "override-remove": "DELETE subscriptions/{public_id}/feature_overrides/{feature}",
    "subscription-autopay": "PATCH subscriptions/{public_id}",
    "subscription-change": "POST subscriptions/{public_id}/change",
    "change-preview": "POST subscriptions/{public_id}/change/preview",
    "change-revoke": "POST subscriptions/{public_id}/change/revoke",
    "bulk-new": "POST subscriptions/bulk",
    "bulk-progress": "GET bulk_changes/{public_id}",
    "bulk-confirm": "POST subscriptions/bulk",
    "bulk-again": "POST subscriptions/bulk",
    "bulk-cancel": "POST jobs/{public_id}/cancel",
    "bulk-csv": "GET bulk_changes/{public_id}/items",
    "coupon-new": "POST coupons",
    "coupon-archive": "POST coupons/{public_id}/archive",
    "discount-add": "POST subscriptions/{public_id}/discounts",
    "discount-end": "POST subscription_discounts/{discount}/end",
    "item-add": "POST subscriptions/{public_id}/items",
    "item-end": "POST subscription_items/{item}/end",
    "subscription-release": "POST subscriptions/{public_id}/release",
    "customer-card-link": "POST customers/{public_id}/card_link",
    "customer-card-remove": "DELETE payment_methods/{method}",
    "own-subscription-link": "POST subscriptions/{public_id}/customer_link",
    "subscription-end": "POST subscriptions/{public_id}/end",
    "end-preview": "POST subscriptions/{public_id}/end/preview",
    "subscription-pause": "POST subscriptions/{public_id}/pause",
    "pause-preview": "POST subscriptions/{public_id}/pause/preview",
    "subscription-resume": "POST subscriptions/{public_id}/resume",
    "subscription-reactivate": "POST subscriptions/{public_id}/reactivate",
    "run-start": "POST billing_runs",
    "run-preview": "POST billing_runs/preview",
    "run-progress": "GET billing_runs/{public_id}",
    "bank-lines-match": "POST bank_lines/match",
    "bank-line-settle": "POST bank_lines/{public_id}/book",
    "bank-line-aside": "POST bank_lines/{public_id}/aside",
    "bank-line-back": "POST bank_lines/{public_id}/back",
    "payment-apply": "POST payments/{public_id}/apply",
    "payment-reverse": "POST payments/{public_id}/reverse",
    "allocation-undo": "POST allocations/{allocation_id}/undo",
    "webhook-secret": "POST webhooks/{public_id}/secret",
    "webhook-off": "POST webhooks/{public_id}/disable",
    "webhook-on": "POST webhooks/{public_id}/enable",
    "webhook-ping": "POST webhooks/{public_id}/test",
    "webhook-drop": "DELETE webhooks/{public_id}",
    "delivery-replay": "POST deliveries/{public_id}/replay",
    "import-template": "GET import_kinds",
    "import-progress": "GET imports/{public_id}",
    "import-failed": "GET imports/{public_id}/failed_rows",
    "import-values": "GET imports/{public_id}/values",
    "import-reread": "POST imports/{public_id}/read",
    "import-choose": "POST imports/{public_id}/check",
    "import-run": "POST imports/{public_id}/run",
    "import-stop": "POST imports/{public_id}/stop",
    "import-undo": "POST imports/{public_id}/undo",
    "import-discard": "POST imports/{public_id}/discard",
    "sandbox-make": "POST sandbox",
    "sandbox-clock": "GET sandbox/clock",
    "sandbox-advance": "POST sandbox/clock/advance",
    "sandbox-stop": "POST jobs/{public_id}/cancel",
    "sandbox-copy": "POST sandbox/copy",
}
"""By the name of what a page does, the operation that does the same."""
BY_PEOPLE = "Who may do what is decided by people who signed in, never by a key."
KEY_BY_PEOPLE = (
    "A leaked key must end when it is revoked; one that makes or rolls keys would leave others behind."
)
FILE_OF_LIST = "A list as a file; programs walk the list itself."
COMPARES = "Words of the page around figures that the act itself answers with."
OWN = "A person's own way of looking at a list."
TOLD = "What a person is told, and how; programs read the events and get webhooks."
NEWS = "News of the product, for people."
SANDBOX = "A person opens a sandbox, and empties it: its keys end with it."
KEEPERS = "Work that failed is looked at by who keeps the product running."
PAGES_ONLY = {
    "home": "Figures of the lists, open items, ageing and messages, put beside each other.",
    "search": "Jumps to a page; programs filter the list they mean.",
    "view-save": OWN,
    "view-drop": OWN,
    "news": NEWS,
    "news-panel": NEWS,
    "notifications": TOLD,
    "bell-count": TOLD,
    "bell-panel": TOLD,
    "notifications-read": TOLD,
    "notification-read": TOLD,
    "notification-choices": TOLD,
    "notification-choices-save": TOLD,
    "sandbox": SANDBOX,
    "sandbox-anew": SANDBOX,
    "sandbox-switch": SANDBOX,
    "parked": KEEPERS,
    "parked-retry": KEEPERS,
    "audit-csv": FILE_OF_LIST,
    "access-csv": FILE_OF_LIST,
    "customers-csv": FILE_OF_LIST,
    "invoices-csv": FILE_OF_LIST,
    "mrr-csv": FILE_OF_LIST,
    "mrr-movements-csv": FILE_OF_LIST,
    "member-save": BY_PEOPLE,
    "member-disable": BY_PEOPLE,
    "member-enable": BY_PEOPLE,
    "invitation-again": "The same invitation sent again by API is answered as it is; a person sends its mail again.",
    "role-new": BY_PEOPLE,
    "role": BY_PEOPLE,
    "role-save": BY_PEOPLE,
    "role-drop": BY_PEOPLE,
    "group-new": BY_PEOPLE,
    "group": BY_PEOPLE,
    "group-drop": BY_PEOPLE,
    "key-new": KEY_BY_PEOPLE,
    "key-roll": KEY_BY_PEOPLE,
    "api-requests": "The log of requests says what keys sent; a key does not read what other keys sent.",
    "plan-change": "Buying is done by a person.",
    "invoice-void-preview": COMPARES,
    "invoice-credit-preview": COMPARES,
    "invoice-write-off-preview": COMPARES,
    "bank-line-difference": COMPARES,
    "bank-line-customer": "Open items of a customer to choose from; programs list them.",
}
"""What has no operation, and why."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A call as people copy it, and where the reference tells of it."""

    text: str
    about: str


def copied(request: HttpRequest) -> Copied | None:
    """The call that does what the page of the request shows; None where there is none."""
    match = request.resolver_match
    call = CALLS.get(match.url_name or "") if match else None
    if match is None or call is None:
        return None
    path, _mark, fixed = call.path.format(**match.kwargs).partition("?")
    address = V1 + path
    view: Any = resolve(address).func
    declared: Operation = getattr(view.cls, call.method).operation
    if call.method == "get":
        query = [*QueryDict(fixed).items(), *_filters(declared, call, request.GET).items()]
        address += f"?{urlencode(query)}" if query else ""
    whole = f"{request.scheme}://{request.get_host()}{address}"
    about = f"{reverse('api-part', args=[slugify(view.cls.tag)])}#{operation_id(view.cls, call.method)}"
    return Copied(_command(call.method, whole, declared), about)


def _command(method: str, whole: str, declared: Operation) -> str:
    """The call for a shell; what was typed on a page stays within its quotes."""
    verb = "" if method == "get" else f"-X {method.upper()} "
    lines = [f"curl {verb}{shlex.quote(whole)}", '  -H "Authorization: Bearer $KEY"']
    if method == "post":
        lines.append('  -H "Idempotency-Key: $(uuidgen)"')
    if declared.upload:
        lines += [f'  -H "Content-Type: {declared.upload}"', "  --data-binary @file.csv"]
    if declared.takes:
        body = json.dumps(_example(declared.takes()), ensure_ascii=False)
        lines += ['  -H "Content-Type: application/json"', f"  -d {shlex.quote(body)}"]
    return " \\\n".join(lines)


def _example(field: Any) -> Any:
    """What is required of a body, with something of its kind."""
    if isinstance(field, serializers.ListSerializer):
        return [_example(field.child)]
    if isinstance(field, serializers.Serializer):
        return {name: _example(each) for name, each in field.fields.items() if each.required}
    if isinstance(field, serializers.ChoiceField):
        return next(iter(field.choices))
    kinds = {serializers.IntegerField: 1, serializers.BooleanField: True, serializers.DictField: {}}
    found = [given for kind, given in kinds.items() if isinstance(field, kind)]
    return found[0] if found else "2026-11-26" if isinstance(field, serializers.DateField) else "…"


def _filters(declared: Operation, call: Call, given: QueryDict) -> dict[str, str]:
    """The page's filters that the operation takes, as it takes them; the page overlooks what is none, so does this."""
    if declared.query is None:
        return {}
    known = declared.query(context={"query": True}).fields
    said = {call.renamed.get(name, name): given.get(name, "") for name in given}
    said = {name: value for name, value in said.items() if name in known and value}
    said |= {name: "true" for name in said if isinstance(known[name], Flag)}
    judged = declared.query(data=said, context={"query": True})
    return said if judged.is_valid() else {k: value for k, value in said.items() if k not in judged.errors}
