"""The tables of exchange rates. See core.fx."""

from django.db import models

from core.base import TenantRow


class ReferenceRate(models.Model):
    """A published rate, the same for everybody: units of `quote` for one EUR on a day. Only the owner's role writes."""

    quote = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=24, decimal_places=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["quote", "on"], name="referencerate_once"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="referencerate_positive"),
        ]


class FxRate(TenantRow):
    """An organization's own rate: units of `quote` for one `base` from a day on; wins over the published one."""

    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    on = models.DateField()
    rate = models.DecimalField(max_digits=24, decimal_places=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "base", "quote", "on"], name="fxrate_once"),
            models.CheckConstraint(condition=models.Q(rate__gt=0), name="fxrate_positive"),
        ]
