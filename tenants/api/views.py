"""Who a key is, and what it may do."""

from typing import Any

from rest_framework import serializers

from core.api.fields import Out
from core.api.operations import ANY_KEY, Api, Call, operation
from core.scope import current
from tenants.selectors import organization


class MeOut(Out):
    """The organization a key belongs to, and what it may do there."""

    OBJECT = "me"

    organization = serializers.CharField(help_text="Id of the organization.")
    name = serializers.CharField()
    slug = serializers.CharField()
    livemode = serializers.BooleanField(help_text="False in a sandbox.")
    actor = serializers.CharField(help_text="As the audit names it.")
    rights = serializers.ListField(child=serializers.CharField())


class Me(Api):
    tag = "Organization"

    @operation(ANY_KEY, gives=MeOut)
    def get(self, call: Call) -> dict[str, Any]:
        """Who this key is and what it may do."""
        house, scope = organization(), current()
        return {
            "organization": house.public_id,
            "name": house.name,
            "slug": house.slug,
            "livemode": house.live_twin_id is None,
            "actor": scope.actor.label,
            "rights": sorted(scope.permissions),
        }
