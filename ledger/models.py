"""Double entry: accounts, entries and their legs, and the day through which a legal entity's books are closed."""

from django.db import models

from core import clock
from core.base import Record, TenantForeignKey, TenantRow
from core.constraints import Trigger, append_only, tallied


class Account(Record):
    """An account of the chart. `purpose` is set on those that the product posts to by itself."""

    PREFIX = "acct"

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=20)
    purpose = models.CharField(max_length=20, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "code"], name="account_code"),
            models.UniqueConstraint(
                fields=["organization", "purpose"], name="account_purpose", condition=~models.Q(purpose="")
            ),
        ]


class Entry(TenantRow):
    """One business fact in the books; never changed, corrected by another entry."""

    key = models.CharField(max_length=120)
    kind = models.CharField(max_length=40)
    entity = TenantForeignKey("tenants.LegalEntity")
    source = models.CharField(max_length=80)
    effective_on = models.DateField()
    posted_on = models.DateField()
    recorded_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="entry_once"),
            *append_only("ledger_entry"),
            Trigger(
                name="ledger_entry_has_legs",
                when="AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
                function="ledger_entry_has_legs()",
                constraint=True,
            ),
            Trigger(
                name="ledger_entry_period_open",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="ledger_period_open()",
            ),
        ]
        indexes = [models.Index(fields=["organization", "source"], name="entry_source")]


class Leg(TenantRow):
    """One side of an entry: debits positive, credits negative. `base_minor` is in the entity's own currency."""

    entry = TenantForeignKey(Entry)
    account = TenantForeignKey(Account)
    customer = TenantForeignKey("customers.Customer", null=True)
    open_item = TenantForeignKey("receivables.OpenItem", null=True)
    minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    base_minor = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~models.Q(minor=0), name="leg_not_zero"),
            *append_only("ledger_leg"),
            Trigger(
                name="ledger_leg_balanced",
                when="AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
                function="ledger_legs_balanced()",
            ),
            *tallied("ledger_leg", "ledger_tally_legs()", "insert"),
        ]
        indexes = [
            models.Index(fields=["organization", "entry"], name="leg_entry"),
            models.Index(fields=["organization", "open_item"], name="leg_open_item"),
        ]


class PeriodLock(TenantRow):
    """The day through which a legal entity's books are closed; nothing is posted on or before it."""

    entity = TenantForeignKey("tenants.LegalEntity")
    closed_through = models.DateField()
    closed_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "entity"], name="periodlock_once"),
            Trigger(
                name="ledger_periodlock_waits",
                when="BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW",
                function="ledger_close_waits()",
            ),
        ]
