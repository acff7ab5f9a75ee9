"""The tables of the audit's chain: what waits to be sealed, and the seals. See core.seals."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from core.base import TenantRow
from core.constraints import append_only


class AuditPending(TenantRow):
    """The audit rows of one statement with their digests, from its transaction until they are sealed.

    Written by a trigger of the audit, worked off by the door `seal_audit`; the app's role can only read it.
    """

    AUDITED = False  # the audit itself, on its way

    ids = ArrayField(models.BigIntegerField())
    digests = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["at", "organization"], name="auditpending_anywhere")]


class AuditSeal(TenantRow):
    """A link of an organization's chain: the audit rows it seals, their digests, and the hash over all of it.

    `digests` holds 32 bytes for each of `ids`; `hash` covers `previous`, so no link changes without all after it.
    """

    AUDITED = False  # it seals the audit

    number = models.BigIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    rows = models.IntegerField()
    ids = ArrayField(models.BigIntegerField())
    digests = models.BinaryField()
    previous = models.CharField(max_length=64, blank=True, default="")
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="auditseal_number"),
            *append_only("core_auditseal"),
        ]
