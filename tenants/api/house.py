"""The organization for programs: its legal entities, its plan, and its API keys."""

from typing import Any

from rest_framework import serializers

from core.api.fields import CountryCode, CurrencyCode, Exact, In, Text, Whole
from core.api.operations import Api, Call, Listing, operation
from core.choices import zones
from core.errors import Invalid
from tenants import selectors
from tenants.api.outputs import ApiKeyOut, LegalEntityOut, PlanStandOut
from tenants.models import CUSTOMERS_END, MOST_NOTICE_DAYS, RENEWED_FOR, ApiKey, LegalEntity
from tenants.permissions import KEYS_EDIT, KEYS_VIEW, SETTINGS_EDIT, SETTINGS_VIEW
from tenants.plans import PLANS
from tenants.services import keys, seats
from tenants.services.entities import update_entity

TAG = "Organization"


class LegalEntityIn(In):
    name = Text()
    address = Text(max_length=1000, lines=True, allow_blank=True)
    country = CountryCode()
    tax_number = Text(max_length=40, allow_blank=True)
    currency = CurrencyCode(help_text="Of the books; fixed once something is booked.")
    zone = Text(max_length=64, help_text="Decides when a day ends and an invoice is late.")
    terms_days = Whole(min_value=0, max_value=365)
    tax_percent = Exact(max_digits=7, decimal_places=4, min_value=0, max_value=100)
    renewal_notice_days = Whole(
        min_value=0,
        max_value=MOST_NOTICE_DAYS,
        help_text="So many days before a subscription is renewed its customer is told; 0: nobody is.",
    )
    renewal_notice_for = serializers.ChoiceField(
        RENEWED_FOR,
        help_text="Of plans that are renewed for so long or longer; of every end of a trial anyway.",
    )
    customers_end = serializers.ChoiceField(
        CUSTOMERS_END,
        help_text="When customers may end a subscription on their page: not, at the end of its period, or also `now`.",
    )


class LegalEntities(Api):
    tag = TAG

    @operation(SETTINGS_VIEW, gives=LegalEntityOut, many=True)
    def get(self, call: Call) -> Listing:
        """List the organization's legal entities."""
        return Listing(selectors.entity_rows())


class OneLegalEntity(Api):
    tag = TAG

    @operation(SETTINGS_VIEW, gives=LegalEntityOut)
    def get(self, call: Call, public_id: str) -> LegalEntity:
        """Get a legal entity."""
        return selectors.entity_named(public_id)

    @operation(SETTINGS_EDIT, takes=LegalEntityIn, gives=LegalEntityOut)
    def patch(self, call: Call, public_id: str) -> LegalEntity:
        """Change a legal entity; documents already issued keep what they say."""
        row = selectors.entity_named(public_id)
        version = call.expect(row.version)
        if "zone" in call.data and call.data["zone"] not in dict(zones()):
            raise Invalid("That time zone is not known.", fields={"zone": "That time zone is not known."})
        return update_entity(row.pk, version=version, **call.data)


class PlanStand(Api):
    tag = TAG

    @operation(SETTINGS_VIEW, gives=PlanStandOut)
    def get(self, call: Call) -> dict[str, Any]:
        """The organization's plan, how many seats are taken, and what other plans there are."""
        found = seats.seats()
        return {"plan": found.plan, "taken": found.taken, "most": found.most, "plans": list(PLANS.values())}


class ApiKeys(Api):
    tag = "API keys"

    @operation(KEYS_VIEW, gives=ApiKeyOut, many=True)
    def get(self, call: Call) -> Listing:
        """List API keys, the newest first; also those that are over.

        Keys are made and rolled by people on the page: a key that leaked must end when it is revoked, and one that
        could make or roll keys would leave others behind.
        """
        return Listing(selectors.api_key_rows())


class ApiKeyRevoke(Api):
    tag = "API keys"

    @operation(KEYS_EDIT, gives=ApiKeyOut)
    def post(self, call: Call, public_id: str) -> ApiKey:
        """End a key with its next request, as where one was found in public."""
        keys.revoke(public_id)
        return selectors.api_key_rows().get(public_id=public_id)
