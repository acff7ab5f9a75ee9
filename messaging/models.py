"""Messages that leave the product, kept as they were sent, and what members are told of."""

from django.db import models

from core import clock
from core.base import PublicIdField, Record, Sealed, TenantForeignKey, TenantRow
from core.constraints import Trigger
from core.vault import reveal
from messaging.composers import private
from messaging.domain.ways import Way


class Message(Record):
    """One message to one address about one thing. The unique key is its promise: it is sent once.

    `unconfirmed` counts the tries whose outcome nobody knows; `tries` all of them. `why` says why it was
    skipped or failed, or what the last try ran into while it waits. The bodies hold links by which one may pay or sign
    in: they are sealed, and once sent may only be sealed anew.
    """

    AUDITED = (
        False  # its moves are StateChanges; a copy of each body would double them and outlive an erasure
    )
    PREFIX = "msg"

    kind = models.CharField(max_length=60)
    about = models.CharField(max_length=40)
    dedupe = models.CharField(max_length=120, blank=True, default="")
    customer_public_id = models.CharField(max_length=40, blank=True, default="")
    to_address = models.CharField(max_length=254)
    reply_to = models.CharField(max_length=254, blank=True, default="")
    header_id = models.CharField(max_length=300)
    state = models.CharField(max_length=20, default="queued")
    subject = models.CharField(max_length=200, blank=True, default="")
    text_body = Sealed()
    html_body = Sealed()
    attachments = models.JSONField(blank=True, default=list)
    facts = models.JSONField(blank=True, default=dict)
    tries = models.PositiveSmallIntegerField(default=0)
    unconfirmed = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    why = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "kind", "about", "dedupe"], name="message_once"),
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at=None)),
                name="message_sent_when",
            ),
            Trigger(
                name="messaging_message_as_sent",
                when="BEFORE UPDATE OF state, to_address, header_id, subject, attachments,"
                " sent_at ON {table} FOR EACH ROW WHEN (OLD.state = 'sent')",
                function="messaging_as_sent()",
            ),
            Trigger(
                name="messaging_message_body_as_sent",
                when="BEFORE UPDATE OF text_body, html_body ON {table} FOR EACH ROW WHEN (OLD.state = 'sent')",
                function="sealed_anew_only('text_body', 'html_body')",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "about", "id"], name="message_about"),
            models.Index(fields=["organization", "customer_public_id", "-id"], name="message_customer"),
            models.Index(fields=["organization", "state", "-id"], name="message_state"),
            models.Index(fields=["organization", "kind", "-id"], name="message_kind"),
            models.Index(fields=["organization", "to_address", "id"], name="message_recipient"),
        ]

    @property
    def letter_text(self) -> str:
        """The letter as text. Inside work()."""
        return reveal(self, "text_body")

    @property
    def letter_html(self) -> str:
        """The letter as HTML. Inside work()."""
        return reveal(self, "html_body")

    @property
    def is_private(self) -> bool:
        """Whether what it says is for its reader alone."""
        return self.kind in private

    @property
    def shown_subject(self) -> str:
        """The subject, for those who read among the messages of the house."""
        return "" if self.is_private else self.subject


WAYS = [(str(way), str(way)) for way in Way]


class Notification(TenantRow):
    """Something a member is told of. Its natural key says that each is told of each occasion once.

    `gather`: while the row is unread, what is alike is counted in `times`. `mail` names the letter that tells of it at
    once, `digest_on` the local day whose digest does.
    """

    AUDITED = False  # a log of its own, and gone after ninety days
    PREFIX = "ntc"

    public_id = PublicIdField()
    member = TenantForeignKey("tenants.Membership")
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    about = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    gather = models.CharField(max_length=60, blank=True, default="")
    times = models.PositiveIntegerField(default=1)
    at = models.DateTimeField()
    written_at = models.DateTimeField(default=clock.now)
    read_at = models.DateTimeField(null=True)
    mail = models.CharField(max_length=120, blank=True, default="")
    digest_on = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "member", "kind", "key"], name="notification_once"
            ),
            models.UniqueConstraint(
                fields=["organization", "member", "kind", "gather"],
                name="notification_gathered",
                condition=models.Q(read_at=None) & ~models.Q(gather=""),
            ),
            models.CheckConstraint(condition=models.Q(times__gt=0), name="notification_times"),
        ]
        indexes = [
            models.Index(fields=["organization", "member", "-id"], name="notification_newest"),
            models.Index(
                fields=["organization", "member", "kind"],
                name="notification_unread",
                condition=models.Q(read_at=None),
            ),
            models.Index(fields=["organization", "written_at"], name="notification_written"),
        ]


class NoticeChoice(Record):
    """How a member wants to be told of a kind; without a row it is as the kind says."""

    PREFIX = "nch"

    member = TenantForeignKey("tenants.Membership")
    kind = models.CharField(max_length=40)
    way = models.CharField(max_length=10, choices=WAYS)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "member", "kind"], name="noticechoice_once"),
            models.CheckConstraint(
                condition=models.Q(way__in=[str(way) for way in Way]), name="noticechoice_way"
            ),
        ]
