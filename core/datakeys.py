"""The keys of sealed fields, as they are kept."""

from django.db import models

from core.base import TenantRow


class DataKey(TenantRow):
    """A key of the organization's for sealed fields, wrapped under a master key that is not in the database."""

    AUDITED = False  # its rotation is logged; a copy of old wrappings would outlive a lost master key

    number = models.PositiveIntegerField()
    wrapped = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="datakey_once")]
