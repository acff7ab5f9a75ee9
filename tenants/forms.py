"""What people may type to sign in, sign up, and about members and the legal entity."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from core import registry
from core.choices import countries, currencies, zones
from core.fields import Day, Email, Figure, Line, Lines, Whole
from core.trail import Wanted
from tenants.access import AccessFilter
from tenants.models import MOST_NOTICE_DAYS, Group, LegalEntity, Role, User
from tenants.services.accounts import SLUG, SLUG_LENGTH, NewOrganization
from tenants.services.sandbox_clock import MOST_DAYS

MAX_PASSWORD = 128
CHOOSE = ("", _("Choose…"))
_slug = RegexValidator(rf"\A{SLUG.pattern}\Z", _("Small letters, digits and single hyphens only."))


class SignInForm(forms.Form):
    """E-mail and password; what is wrong with them is one sentence for all."""

    username = Email(
        label=_("E-mail"), max_length=254, error_messages={"required": _("Your e-mail address.")}
    )
    password = forms.CharField(label=_("Password"), max_length=MAX_PASSWORD, strip=False)


def _password(**kwargs: Any) -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=MAX_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("15 characters or more. A few words are easier to remember than signs."),
        **kwargs,
    )


class OrganizationForm(forms.Form):
    """The organization that a person starts."""

    organization = Line(label=_("Company or organization"), max_length=200)
    slug = Line(
        label=_("Address here"),
        max_length=SLUG_LENGTH,
        required=False,
        validators=[_slug],
        help_text=_("Stands in every link. Left empty, it is made from the name."),
        widget=forms.TextInput(attrs={"placeholder": "acorn-instruments", "spellcheck": "false"}),
    )
    country = forms.ChoiceField(label=_("Country"))
    currency = forms.ChoiceField(label=_("Currency"), help_text=_("Of the books; customers may have others."))
    zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Decides when a day ends and an invoice is late.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, offered in {"country": countries(), "currency": currencies(), "zone": zones()}.items():
            self.fields[name].choices = [CHOOSE, *offered]  # type: ignore[attr-defined]

    def new_organization(self) -> NewOrganization:
        said = self.cleaned_data
        return NewOrganization(
            name=said["organization"],
            slug=said["slug"],
            country=said["country"],
            currency=said["currency"],
            zone=said["zone"],
        )


class SignUpForm(OrganizationForm):
    """A person and the organization they start."""

    name = Line(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = Email(
        label=_("E-mail"), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )
    password = _password()

    field_order = ["name", "email", "password"]

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        _judge_password(self, User(email=said.get("email", ""), name=said.get("name", "")))
        return said


class SetPasswordForm(forms.Form):
    """A new password of a person who has an account."""

    password = _password()

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean(self) -> dict[str, Any]:
        _judge_password(self, self.user)
        return self.cleaned_data


class ForgottenForm(forms.Form):
    """The address of an account whose password is forgotten."""

    email = Email(label=_("E-mail"), max_length=254)


class JoinForm(SetPasswordForm):
    """Name and password of a person who was asked in and has no account yet."""

    name = Line(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    field_order = ["name", "password"]


def _judge_password(form: forms.Form, user: User) -> None:
    """Apply the settings' rules; what they say stands at the field."""
    if password := form.cleaned_data.get("password"):
        try:
            validate_password(password, user)
        except forms.ValidationError as error:
            form.add_error("password", error)


class _RoleField(forms.ChoiceField):
    def __init__(self, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(label=_("Role"), choices=[(role.public_id, role.name) for role in roles], **kwargs)


class _Times(forms.Form):
    """First and last day of temporary access, in the legal entity's zone."""

    starts = Day(label=_("From"), required=False)
    ends = Day(
        label=_("Last day"),
        required=False,
        help_text=_("For contractors and auditors; empty is without an end."),
    )

    def times(self, zone: str) -> dict[str, datetime | None]:
        """The bounds as `starts` and exclusive `ends` in wall time."""
        first, last = self.cleaned_data["starts"], self.cleaned_data["ends"]
        return {
            "starts": _midnight(first, zone) if first else None,
            "ends": _midnight(last + timedelta(days=1), zone) if last else None,
        }


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone))


class InviteForm(_Times):
    """A person to ask in."""

    email = Email(label=_("E-mail"), max_length=254)
    name = Line(label=_("Name"), max_length=200, required=False)

    field_order = ["email", "name", "role", "starts", "ends"]

    def __init__(self, *args: Any, roles: list[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = _RoleField(roles, initial=roles[-1].public_id if roles else "")


class MemberForm(_Times):
    """Another role, other groups, another time for a member."""

    def __init__(self, *args: Any, roles: list[Role], groups: list[Group], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = _RoleField(roles)
        self.fields["groups"] = _Several([(row.public_id, row.name) for row in groups], label=_("Groups"))


class RoleEditForm(forms.Form):
    """A role: its name and the rights ticked in the table."""

    name = Line(label=_("Name"), max_length=60)
    version = Whole(min_value=0, max_value=2**31 - 1, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rights"] = _Several([(name, name) for name in registry.permissions], label=_("Rights"))


class KeyForm(forms.Form):
    """A new API key."""

    name = Line(label=_("Name"), max_length=80, help_text=_("What uses it: shop, ERP, nightly export."))
    scope = forms.ChoiceField(
        label=_("May do"),
        choices=[("all", _("All that I may, now and later")), ("some", _("Only what is ticked"))],
        initial="all",
        widget=forms.RadioSelect,
    )
    last_day = Day(label=_("Last day"), required=False)
    addresses = Lines(
        label=_("Only from these addresses"),
        max_length=1000,
        required=False,
        help_text=_("One IP address or network a line, such as 203.0.113.0/24."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rights"] = _Several([(name, name) for name in registry.permissions], label=_("Rights"))

    def given(self, zone: str) -> dict[str, Any]:
        """What the service takes."""
        said = self.cleaned_data
        last = said["last_day"]
        return {
            "name": said["name"],
            "rights": None if said["scope"] == "all" else said["rights"],
            "expires_at": _midnight(last + timedelta(days=1), zone) if last else None,
            "addresses": said["addresses"].split("\n") if said["addresses"] else (),
        }


class RequestFilterForm(forms.Form):
    """The filters of the log of requests, as they stand in the address."""

    key = Line(required=False, max_length=40)
    outcome = forms.ChoiceField(
        required=False, choices=[("", _("Any")), ("done", _("Done")), ("refused", _("Refused"))]
    )
    path = Line(required=False, max_length=200)
    request = Line(required=False, max_length=40)

    def wanted(self) -> dict[str, str]:
        """The filters that are set and understood."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class AuditFilterForm(forms.Form):
    """The filters of the audit, as they stand in the address; days are the legal entity's."""

    who = Line(required=False, max_length=40)
    kind = Line(required=False, max_length=80)
    action = Line(required=False, max_length=10)
    origin = Line(required=False, max_length=10)
    record = Line(required=False, max_length=40)
    start = Day(required=False)
    end = Day(required=False)

    def wanted(self, zone: str) -> Wanted:
        """The filters that are set and understood."""
        return Wanted(**_asked(self, zone))


class AccessFilterForm(forms.Form):
    """The filters of the access log, as they stand in the address; days are the legal entity's."""

    who = Line(required=False, max_length=40)
    kind = Line(required=False, max_length=20)
    address = Line(required=False, max_length=45)
    start = Day(required=False)
    end = Day(required=False)
    unusual = forms.BooleanField(required=False)

    def wanted(self, zone: str) -> AccessFilter:
        """The filters that are set and understood."""
        return AccessFilter(**_asked(self, zone))


def _asked(form: forms.Form, zone: str) -> dict[str, Any]:
    """What is set and understood, its days as moments of the zone."""
    form.is_valid()
    said = {name: value for name, value in form.cleaned_data.items() if value}
    if "start" in said:
        said["start"] = _midnight(said["start"], zone)
    if "end" in said:
        said["end"] = _midnight(said["end"] + timedelta(days=1), zone)
    return said


class GroupForm(forms.Form):
    """A group: its name, its role, its members."""

    name = Line(label=_("Name"), max_length=60)

    def __init__(self, *args: Any, roles: list[Role], members: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"] = _RoleField(roles, initial=roles[-1].public_id if roles else "")
        self.fields["members"] = _Several(members, label=_("Members"))


class _Several(forms.MultipleChoiceField):
    def __init__(self, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(choices=choices, required=False, widget=forms.CheckboxSelectMultiple, **kwargs)


class EntityForm(forms.Form):
    """The legal entity's data; `version` is what the person saw."""

    name = Line(label=_("Name on documents"), max_length=200)
    address = Lines(label=_("Address"), max_length=1000, required=False)
    country = forms.ChoiceField(label=_("Country"))
    tax_number = Line(label=_("Tax number"), max_length=40, required=False)
    currency = forms.ChoiceField(label=_("Currency of the books"))
    zone = forms.ChoiceField(
        label=_("Time zone"), help_text=_("Decides when a day ends and an invoice is late.")
    )
    terms_days = Whole(label=_("Days to pay"), min_value=0, max_value=365)
    tax_percent = Figure(
        label=_("Usual tax, percent"), min_value=0, max_value=100, max_digits=7, decimal_places=4
    )
    renewal_notice_days = Whole(
        label=_("Days before"),
        min_value=0,
        max_value=MOST_NOTICE_DAYS,
        help_text=_("By mail, with the day and the amount. 0: nobody is told."),
    )
    renewal_notice_for = forms.ChoiceField(
        label=_("Of plans that are renewed for"),
        choices=[("year", _("a year or longer")), ("month", _("a month or longer"))],
        help_text=_("The end of a trial is told of any plan."),
    )
    customers_end = forms.ChoiceField(
        label=_("Customers end a subscription themselves"),
        choices=[
            ("no", _("No, they ask you")),
            ("period_end", _("At the end of its period")),
            ("now", _("At the end of its period, or at once")),
        ],
        help_text=_("On their page; at once credits what is billed beyond the day."),
    )
    version = Whole(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, currency_fixed: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, offered in {"country": countries(), "currency": currencies(), "zone": zones()}.items():
            self.fields[name].choices = _with_present(offered, self.initial.get(name))  # type: ignore[attr-defined]
        if currency_fixed:
            self.fields["currency"].disabled = True
            self.fields["currency"].help_text = _("Fixed, because documents are booked in it.")

    @staticmethod
    def of(entity: LegalEntity) -> dict[str, Any]:
        """What the form starts from."""
        names = [name for name in EntityForm.base_fields if name != "tax_percent"]
        return {**{name: getattr(entity, name) for name in names}, "tax_percent": _plain(entity.tax_percent)}


def _with_present(offered: list[tuple[str, str]], present: str | None) -> list[tuple[str, str]]:
    if not present or present in dict(offered):
        return offered
    return [(present, present), *offered]


def _plain(percent: Decimal) -> str:
    text = f"{percent:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class AdvanceForm(forms.Form):
    """How far the sandbox's clock is moved: by days, or to the beginning of one."""

    days = Whole(label=_("By days"), min_value=1, max_value=MOST_DAYS, required=False)
    to = Day(label=_("Or to the beginning of"), required=False)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if not self.errors and bool(said.get("days")) == bool(said.get("to")):
            self.add_error("days", _("Say by how many days, or to which day."))
        return said
