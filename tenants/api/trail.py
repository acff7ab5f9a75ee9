"""The audit and the access log for programs, with the filters of their pages."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from core import ids
from core.api.fields import Day, In, Text
from core.api.operations import Api, Call, Listing, operation
from core.errors import Invalid
from core.models import AuditEntry
from core.trail import ACTIONS, ORIGINS, audited, entries
from core.trail_words import Told, tell
from tenants import access
from tenants.api.outputs import AccessEventOut, AuditEntryOut
from tenants.forms import AccessFilterForm, AuditFilterForm
from tenants.permissions import AUDIT_VIEW
from tenants.selectors import entity, organization

TAG = "Audit"
AUDIT, ACCESS = "audit", "access"


class _Span(In):
    start = Day(required=False, help_text="First day, of the first legal entity's zone.")
    end = Day(required=False, help_text="Last day.")


class AuditQuery(_Span):
    who = Text(max_length=40, required=False, help_text="A member's id, or `key`, `link`, `system`, `owner`.")
    kind = Text(max_length=80, required=False, help_text="Of the record, as `customers.customer`.")
    action = serializers.ChoiceField([word for word, _label in ACTIONS.values()], required=False)
    origin = serializers.ChoiceField(list(ORIGINS), required=False)
    record = Text(max_length=40, required=False, help_text="A record's id, or a request's.")


class AccessQuery(_Span):
    who = Text(max_length=40, required=False, help_text="A member's id.")
    kind = serializers.ChoiceField(list(access.KINDS), required=False)
    address = Text(max_length=45, required=False, help_text="From where.")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the audit with what it says."""

    row: AuditEntry
    told: Told

    @property
    def public_id(self) -> str:
        return ids.numbered(AUDIT, self.row.pk)

    @property
    def kind(self) -> str:
        model = self.row.content_type.model_class()
        return model._meta.label_lower if model else ""

    @property
    def origin(self) -> str:
        return str((self.row.additional_data or {}).get("origin", ""))


class AuditEntries(Api):
    tag = TAG

    @operation(AUDIT_VIEW, query=AuditQuery, gives=AuditEntryOut, many=True)
    def get(self, call: Call) -> Listing:
        """List who changed what, the newest first.

        Words are those of the page, in English. A statement that made many records at once is one entry.
        """
        if call.query.get("kind") and call.query["kind"] not in audited():
            raise Invalid("The audit knows no such kind.", fields={"kind": "There is no such kind."})
        zone, slug = entity().zone, organization().slug
        rows = entries(AuditFilterForm(call.filters).wanted(zone))

        def told(found: list[Any]) -> list[Any]:
            return [Entry(row, each) for row, each in zip(found, tell(found, slug, zone), strict=True)]

        return Listing(rows.select_related("content_type"), prepare=told)


class AccessEvents(Api):
    tag = TAG

    @operation(AUDIT_VIEW, query=AccessQuery, gives=AccessEventOut, many=True)
    def get(self, call: Call) -> Listing:
        """List who came in, was refused, or took files along, the newest first, and what is unusual about it."""
        zone = entity().zone
        rows = access.events(AccessFilterForm(call.filters).wanted(zone))
        return Listing(rows, prepare=lambda found: access.shown(found, zone))
