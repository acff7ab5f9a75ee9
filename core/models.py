"""The kernel's tables: organizations, audit, events and their handling, effects, states, jobs, files, rates."""

from datetime import timedelta
from typing import Any, ClassVar

from auditlog.models import AbstractLogEntry
from django.db import models

from core import clock
from core.base import PublicIdField, Record, Sealed, TenantForeignKey, TenantManager, TenantRow
from core.clocks import ClockAdvance
from core.constraints import TenantRLS, Trigger, append_only
from core.datakeys import DataKey
from core.rates import FxRate, ReferenceRate
from core.sealed import AuditPending, AuditSeal
from core.tally import Tally

__all__ = [
    "AuditEntry",
    "AuditPending",
    "AuditSeal",
    "ClockAdvance",
    "DataKey",
    "Effect",
    "FxRate",
    "HandledEvent",
    "IdempotencyKey",
    "Import",
    "ImportRow",
    "Job",
    "Organization",
    "OutboxEvent",
    "ReferenceRate",
    "StateChange",
    "StoredFile",
    "Tally",
]


class Organization(models.Model):
    """The tenant: what must be known to open its scope. Everything else about it lives in tenants.

    A sandbox is a row of its own that names its live twin and carries its own clock offset; nobody else's clock can be
    moved, none back. An archived one opens for nobody and nothing is done in it; beside it a live organization has one
    at most. `suspended_at` is business time: what is dated before it may still be written, as the demo's past is.
    """

    PREFIX = "org"

    public_id = PublicIdField(unique=True)
    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    live_twin = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="sandboxes")
    clock_offset = models.DurationField(default=timedelta)
    suspended_at = models.DateTimeField(null=True, blank=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.wall, editable=False)

    class Meta:
        constraints = [
            TenantRLS(name="core_organization_tenant", column="id"),
            models.CheckConstraint(
                condition=models.Q(clock_offset=timedelta()) | models.Q(live_twin__isnull=False),
                name="organization_clock",
            ),
            models.CheckConstraint(
                condition=models.Q(archived_at=None) | models.Q(live_twin__isnull=False),
                name="organization_archived",
            ),
            models.UniqueConstraint(
                fields=["live_twin"], name="organization_one_twin", condition=models.Q(archived_at=None)
            ),
            Trigger(
                name="core_organization_forward",
                when="BEFORE UPDATE OF clock_offset, archived_at ON {table} FOR EACH ROW",
                function="organization_forward()",
            ),
            Trigger(
                name="core_organization_audit",
                when="AFTER UPDATE ON {table} FOR EACH ROW",
                function="audit_organization()",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AuditEntry(AbstractLogEntry, TenantRow):
    """Who changed what, written by statement-level triggers; the app's role can only read it.

    Inserts are one row a statement (ids and digest), updates and deletes one row a record (before and after).
    """

    AUDITED = False  # it is the audit
    objects: ClassVar[Any] = TenantManager()  # the library's manager knows no organization

    # The library's single-column indexes are dropped: every index leads with the organization.
    object_pk = models.CharField(max_length=255)
    object_id = models.BigIntegerField(null=True)
    object_repr = models.TextField(default="")
    action = models.PositiveSmallIntegerField(choices=AbstractLogEntry.Action.choices)
    content_type = models.ForeignKey(
        "contenttypes.ContentType", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    actor = models.ForeignKey(
        "tenants.User", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    cid = models.CharField(max_length=255, null=True)
    timestamp = models.DateTimeField()

    class Meta:
        constraints = [
            *append_only("core_auditentry"),
            Trigger(
                name="core_auditentry_queue",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="audit_queue()",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "content_type", "object_id", "id"], name="audit_record"),
            models.Index(fields=["organization", "timestamp"], name="audit_time"),
        ]


class OutboxEvent(TenantRow):
    """A fact that happened, written in the transaction that made it so; feeds handlers, events API, webhooks.

    `place` is given once it is committed, so that whoever reads in that order never finds one added behind them.
    """

    AUDITED = False  # append-only history of its own
    PREFIX = "evt"

    public_id = PublicIdField()
    name = models.CharField(max_length=80)
    schema_version = models.PositiveSmallIntegerField(default=1)
    object_public_id = models.CharField(max_length=40)
    object_version = models.PositiveIntegerField(default=1)
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    place = models.BigIntegerField(null=True)
    relayed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    parked_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "place"],
                name="outbox_place",
                condition=models.Q(place__isnull=False),
            )
        ]
        indexes = [
            models.Index(
                fields=["organization", "name", "place"],
                name="outbox_place_of_name",
                condition=models.Q(place__isnull=False),
            ),
            models.Index(
                fields=["organization", "id"],
                name="outbox_pending",
                condition=models.Q(relayed_at=None, parked_at=None),
            ),
            models.Index(fields=["organization", "object_public_id", "id"], name="outbox_object"),
            models.Index(
                fields=["organization", "name", "id"],
                name="outbox_parked",
                condition=models.Q(relayed_at=None, parked_at__isnull=False),
            ),
        ]


class HandledEvent(TenantRow):
    """One handler has done its part of one event, in the same transaction: redelivery finds it and stops."""

    AUDITED = False  # bookkeeping of the outbox

    event = TenantForeignKey(OutboxEvent)
    handler = models.CharField(max_length=120)
    handled_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "event", "handler"], name="handled_once"),
        ]


class Effect(TenantRow):
    """Something due outside the database (mail, PDF, charge, delivery), worked off under a lease."""

    AUDITED = False  # what it does leaves its own audited row

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200)
    payload = models.JSONField(default=dict)
    due_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    parked_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "key"], name="effect_once"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "due_at"],
                name="effect_due",
                condition=models.Q(done_at=None, parked_at=None),
            ),
            models.Index(
                fields=["organization", "kind", "id"],
                name="effect_parked",
                condition=models.Q(done_at=None, parked_at__isnull=False),
            ),
        ]


class IdempotencyKey(TenantRow):
    """What was answered to a caller's POST with this key; written in the transaction of its effect."""

    AUDITED = False  # bookkeeping of the API; the effect is audited in its own table

    caller = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    request = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = Sealed()
    headers = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "caller", "key"], name="idempotencykey_once")
        ]
        indexes = [models.Index(fields=["organization", "at"], name="idempotencykey_at")]

    @property
    def sealed_by(self) -> str:
        return f"{self.caller}:{self.key}"


class StateChange(TenantRow):
    """One move of a record from state to state; part of its timeline."""

    AUDITED = False  # the state column's own table is audited

    object_public_id = models.CharField(max_length=40)
    from_state = models.CharField(max_length=40)
    to_state = models.CharField(max_length=40)
    reason = models.TextField(blank=True, default="")
    actor = models.CharField(max_length=200)
    at = models.DateTimeField()

    class Meta:
        constraints = append_only("core_statechange")
        indexes = [models.Index(fields=["organization", "object_public_id", "id"], name="statechange_object")]


class StoredFile(Record):
    """A file kept once with its hash; the bytes live in the storage, never in the database. Its row never changes."""

    PREFIX = "file"

    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=255)
    content_type = models.CharField(max_length=100)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    storage_key = models.CharField(max_length=300)

    class Meta:
        constraints = append_only("core_storedfile")
        indexes = [models.Index(fields=["organization", "sha256"], name="storedfile_hash")]


class Job(Record):
    """Long work that a person waits for: progress, cancel, result."""

    PREFIX = "job"

    kind = models.CharField(max_length=60)
    state = models.CharField(max_length=20, default="queued")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    cancel_requested = models.BooleanField(default=False)
    payload = models.JSONField(default=dict)
    result = TenantForeignKey(StoredFile, null=True)
    started_by = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="job_newest")]


class Import(Record):
    """A file of rows that is brought in: how it is read, what its columns mean, and how far it is.

    Until it runs, the counts say what would become of the rows worked off; afterwards what became of them. `samples`
    are its first rows, as JSON. `asked_by` is the user who asked last for something to be done with it, or whose key
    did, and is told when that ends.
    """

    PREFIX = "imp"
    LIVE = ("uploaded", "checking", "ready", "running")

    kind = models.CharField(max_length=20)
    file = TenantForeignKey(StoredFile)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, default="uploaded")
    headers = models.JSONField(default=list)
    samples = Sealed()
    reading = models.JSONField(default=dict)
    mapping = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    rows = models.PositiveIntegerField(default=0)
    worked = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    started_by = models.CharField(max_length=200, blank=True, default="")
    asked_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "kind", "sha256"],
                name="import_live_once",
                condition=models.Q(state__in=("uploaded", "checking", "ready", "running")),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    worked=models.F("created") + models.F("unchanged") + models.F("failed"),
                    worked__lte=models.F("rows"),
                ),
                name="import_counts",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-id"], name="import_newest")]


class ImportRow(TenantRow):
    """What became of one row of a file: `made` is the public id of what it created, `problems` why it could not be.

    `number` is the row's line in a spreadsheet.
    """

    AUDITED = False  # what a row made is audited in its own table

    source = TenantForeignKey(Import)
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10)
    made = models.CharField(max_length=40, blank=True, default="")
    problems = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "source", "number"], name="importrow_once")
        ]
        indexes = [
            models.Index(
                fields=["organization", "source", "number"],
                name="importrow_failed",
                condition=models.Q(outcome="failed"),
            )
        ]
