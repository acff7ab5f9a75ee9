"""Every component in every state on one page, at /styleguide/ while DEBUG is on. Made-up data, no database."""

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from core.money import Money

TODAY = dt.date(2026, 11, 23)


@dataclass(frozen=True)
class Item:
    label: str
    icon: str
    key: str = ""
    count: str = ""
    tone: str = ""
    active: bool = False
    allowed: bool = True
    needs: str = ""
    href: str = "#"


@dataclass(frozen=True)
class Section:
    label: str
    items: list[Item]
    foot: bool = False


@dataclass(frozen=True)
class Organization:
    name: str
    initial: str = ""
    slug: str = ""
    href: str = "#"
    current: bool = False


@dataclass(frozen=True)
class Member:
    name: str
    initials: str
    role: str


@dataclass(frozen=True)
class Shell:
    organization: Organization
    organizations: list[Organization]
    member: Member
    sections: list[Section]
    sandbox: bool = False
    bell_href: str = "#"
    search_href: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def example_shell(*, sandbox: bool = False) -> Shell:
    """The sidebar of the pictures: four sections, counts, one entry this role may not open."""
    receivables = [
        Item("Invoices", "file-invoice", "i", "1,204"),
        Item("Customers", "building-store", "c"),
        Item("Cash application", "arrows-exchange", "a", "3"),
        Item("Collections", "phone-call", "o", "27", "due"),
        Item("Disputes", "message-report", "d", "3"),
    ]
    billing = [
        Item("Subscriptions", "repeat", "s"),
        Item("Plans", "tags", "p"),
        Item("Billing runs", "player-play", "b", "9", "due"),
        Item("Usage", "gauge", "u"),
    ]
    books = [
        Item("Reports", "chart-bar", "r"),
        Item("Journal", "book-2", "j", allowed=False, needs="Finance Manager"),
        Item("Imports", "file-import", "m"),
    ]
    acorn = Organization("Acorn Instruments", "A", "acorn", current=True)
    return Shell(
        organization=acorn,
        organizations=[acorn, Organization("Birch & Sons", "B", "birch")],
        member=Member("Ben Kovač", "BK", "Accounts Manager"),
        sections=[
            Section("", [Item("Home", "home", "h"), Item("Today", "inbox", "t", "14", "due", active=True)]),
            Section("Receivables", receivables),
            Section("Billing", billing),
            Section("Books", books),
            Section("", [Item("Settings", "settings", "e"), Item("Help", "lifebuoy")], foot=True),
        ],
        sandbox=sandbox,
    )


class ExampleForm(forms.Form):
    """One field of each kind, bound to input with mistakes."""

    customer = forms.CharField(help_text="As it is printed on the invoice")
    issued = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    amount = forms.DecimalField(label="Amount, with arithmetic")
    terms = forms.ChoiceField(choices=[("30", "Net 30"), ("14", "Net 14")])
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), required=False)
    autopay = forms.BooleanField(required=False, label="Charge the saved card by itself")
    way = forms.ChoiceField(choices=[("bank", "Bank"), ("card", "Card")], widget=forms.RadioSelect)


def _buckets() -> list[dict[str, object]]:
    rows = [
        ("Not due", "742,180.10", "57.8 % · 412 items", "742.18"),
        ("1–30 days", "288,455.00", "22.5 % · 168 items", "288.455"),
        ("31–60", "141,902.32", "11.0 % · 74 items", "141.9"),
        ("61–90", "68,420.00", "5.3 % · 31 items", "68.42"),
        ("Over 90", "43,353.00", "3.4 % · 19 items", "43.353"),
    ]
    return [
        {"level": level, "label": label, "figure": figure, "detail": detail, "share": share, "href": "#"}
        for level, (label, figure, detail, share) in enumerate(rows)
    ]


def _swatches() -> list[list[str]]:
    return [
        "bg-app bg-card bg-sunken bg-press line-1 line-2 line-3 fg-3 fg-2 fg-1".split(),
        "ink-soft ink-line ink ink-fill ink-fill-h age-0 age-1 age-2 age-3 age-4".split(),
        "ok-bg ok-mark warn-bg warn-mark bad-bg bad-mark part-bg part-mark plum-bg plum-mark".split(),
    ]


def _context(*, sandbox: bool) -> dict[str, object]:
    form = ExampleForm(
        {"customer": "Kestrel Freight", "issued": "2026-11-31", "amount": "1200/12*3", "terms": "30"}
    )
    form.is_valid()
    return {
        "shell": example_shell(sandbox=sandbox),
        "today": TODAY,
        "form": form,
        "fresh": ExampleForm(initial={"customer": "Kestrel Freight Ltd", "way": "bank", "autopay": True}),
        "swatches": _swatches(),
        "buckets": _buckets(),
        "gbp": Money(175557, "GBP"),
        "credit": Money(-5000, "GBP"),
        "zero": Money(0, "USD"),
        "yen": Money(1_248_000, "JPY"),
        "dinar": Money(1_086_250, "KWD"),
        "eur": Money(2_418_000, "EUR"),
        "overdue": Money(54_213_032, "EUR"),
        "total": Money(2_511_740, "EUR"),
        "received": Money(431_822, "GBP"),
        "applied": Money(436_822, "GBP"),
        "due": dt.date(2026, 11, 14),
        "ratio": Decimal("0.422"),
        "days": [
            {"value": value, "text": f"{day} November: {value}", "href": "#"}
            for day, value in enumerate([12, 18, 0, 25, 31, -6, 22, 40], 1)
        ],
        "points": [3, 5, 4, 8, 9, 7, 12, 15, 14, 19],
        "steps": ["File", "Columns", "Check", "Import"],
        "crumbs": [{"label": "Receivables", "href": "#"}, {"label": "Invoices", "href": "#"}],
        "parts": [
            {"share": 70, "tone": "ok"},
            {"share": 4, "tone": "warn"},
            {"share": 2, "tone": "bad"},
            {"share": 24, "tone": "none"},
        ],
        "ready": [
            {"share": 1187, "tone": "ok"},
            {"share": 11, "tone": "warn"},
            {"share": 6, "tone": "bad"},
        ],
    }


def styleguide(request: HttpRequest) -> HttpResponse:
    """The style guide; `?sandbox=1` shows the sandbox banner."""
    return render(request, "styleguide/index.html", _context(sandbox="sandbox" in request.GET))


def example_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, with its error after a POST; signs nobody in."""
    context: dict[str, object] = {"organization": Organization("Acorn Instruments"), "reset_href": "#"}
    if request.method == "POST" or "error" in request.GET:
        form = SignInExample({"username": "ben@acorn-instruments.example", "password": "wrong"})
        form.add_error(None, "E-mail or password is wrong. 4 tries left.")
        context["form"] = form
    return render(request, "tenants/sign_in.html", {**context, "passkey_href": "#", "sso_href": "#"})


class SignInExample(forms.Form):
    """The two fields of the sign-in page."""

    username = forms.EmailField()
    password = forms.CharField()


def example_pay(request: HttpRequest) -> HttpResponse:
    """A pay page in a tenant's colours."""
    brand = {
        "name": "Acorn Instruments",
        "ink": "#0f4a33",
        "ink_dark": "#9fd8b8",
        "fill": "#0f4a33",
        "fill_dark": "#266b4c",
    }
    return render(request, "styleguide/pay.html", {"brand": brand, "open": Money(175557, "GBP")})


def example_error(request: HttpRequest, status: int) -> HttpResponse:
    """One of the error pages, as it is shown when nothing else is known."""
    return render(request, f"{status}.html", status=status)


urlpatterns = [
    path("", styleguide, name="styleguide"),
    path("sign-in/", example_sign_in),
    path("pay/", example_pay),
    path("error/<int:status>/", example_error),
]
