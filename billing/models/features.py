"""What plans grant to those who subscribe to them. See docs/adr/0033; `tenants.Entitlement` is another thing."""

from django.db import models

from billing.domain.features import CODE, TEXT, UNIT, WHY, Combine, Mode
from billing.models.catalogue import Plan
from billing.models.subscriptions import Subscription
from core.base import Record, TenantForeignKey, TenantRow


class Feature(Record):
    """Something that plans grant: a switch, a limit or a text. Neither code nor kind ever change.

    `combine` says what a limit comes to that several items grant, `per_unit` that an item grants it for each unit of
    its quantity.
    """

    PREFIX = "feat"

    name = models.CharField(max_length=200)
    code = models.CharField(max_length=CODE)
    kind = models.CharField(max_length=10)
    unit = models.CharField(max_length=UNIT, blank=True, default="")
    combine = models.CharField(max_length=10, default=str(Combine.MAX))
    per_unit = models.BooleanField(default=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="feature_code")]


class FeatureGrant(TenantRow):
    """What a plan grants of a feature to whoever has an item of it. A limit without an amount has no end."""

    plan = TenantForeignKey(Plan)
    feature = TenantForeignKey(Feature)
    amount = models.DecimalField(max_digits=28, decimal_places=12, null=True, blank=True)
    text = models.CharField(max_length=TEXT, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "plan", "feature"], name="featuregrant_once"),
            models.CheckConstraint(
                condition=models.Q(amount=None) | models.Q(amount__gte=0), name="featuregrant_not_negative"
            ),
        ]
        indexes = [models.Index(fields=["organization", "feature"], name="featuregrant_feature")]


class FeatureOverride(Record):
    """What one subscription has of a feature instead of what its items grant, or on top, until a day or for good."""

    PREFIX = "fovr"

    subscription = TenantForeignKey(Subscription)
    feature = TenantForeignKey(Feature)
    mode = models.CharField(max_length=10, default=str(Mode.SET))
    granted = models.BooleanField(default=True)
    amount = models.DecimalField(max_digits=28, decimal_places=12, null=True, blank=True)
    text = models.CharField(max_length=TEXT, blank=True, default="")
    ends_on = models.DateField(null=True, blank=True)
    why = models.CharField(max_length=WHY, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "subscription", "feature"], name="featureoverride_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount=None) | models.Q(amount__gte=0), name="featureoverride_not_negative"
            ),
            models.CheckConstraint(
                condition=models.Q(mode="set")
                | models.Q(mode="add", granted=True, amount__isnull=False, amount__gt=0),
                name="featureoverride_mode",
            ),
        ]
        indexes = [models.Index(fields=["organization", "feature"], name="featureoverride_feature")]
