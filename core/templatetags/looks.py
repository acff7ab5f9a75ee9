"""How each state looks: a colour, a mark and a word, always together. One list for tables, headers and the style guide.

Apps keep their states in their own `domain/states.py`; a state missing here still shows, by its own name.
"""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class StateLook(NamedTuple):
    """The class `st-<look>`, the mark `#g-<look>` and the word."""

    look: str
    word: str | Promise


STATES: dict[str, StateLook] = {
    "draft": StateLook("draft", _("Draft")),
    "scheduled": StateLook("draft", _("Scheduled")),
    "queued": StateLook("draft", _("Queued")),
    "uploaded": StateLook("draft", _("Uploaded")),
    "pending": StateLook("draft", _("Pending")),
    "proposed": StateLook("draft", _("Proposed")),
    "open": StateLook("open", _("Open")),
    "issued": StateLook("open", _("Issued")),
    "sent": StateLook("open", _("Sent")),
    "viewed": StateLook("open", _("Viewed")),
    "open_credit": StateLook("open", _("Open credit")),
    "credit": StateLook("open", _("Credit")),
    "running": StateLook("open", _("Running")),
    "processing": StateLook("open", _("Processing")),
    "checking": StateLook("open", _("Checking")),
    "undoing": StateLook("open", _("Being undone")),
    "unapplied": StateLook("open", _("Unapplied")),
    "new": StateLook("open", _("New")),
    "waiting": StateLook("open", _("Waiting")),
    "delivered": StateLook("open", _("Delivered")),
    "opened": StateLook("open", _("Opened")),
    "due_soon": StateLook("soon", _("Due soon")),
    "promised": StateLook("soon", _("Promised")),
    "trialing": StateLook("soon", _("In trial")),
    "to_approve": StateLook("soon", _("To approve")),
    "warning": StateLook("soon", _("Warning")),
    "unpaid": StateLook("soon", _("Not paid yet")),
    "part_paid": StateLook("part", _("Partly paid")),
    "partly_applied": StateLook("part", _("Partly applied")),
    "partial": StateLook("part", _("Partly done")),
    "paid": StateLook("paid", _("Paid")),
    "settled": StateLook("paid", _("Settled")),
    "active": StateLook("paid", _("Active")),
    "done": StateLook("paid", _("Done")),
    "approved": StateLook("paid", _("Approved")),
    "applied": StateLook("paid", _("Applied")),
    "matched": StateLook("paid", _("Matched")),
    "succeeded": StateLook("paid", _("Succeeded")),
    "kept": StateLook("paid", _("Kept")),
    "ready": StateLook("paid", _("Ready")),
    "balanced": StateLook("paid", _("Sums to zero")),
    "ok": StateLook("paid", _("Normal")),
    "overdue": StateLook("over", _("Overdue")),
    "past_due": StateLook("over", _("Past due")),
    "failed": StateLook("over", _("Failed")),
    "declined": StateLook("over", _("Declined")),
    "bounced": StateLook("over", _("Bounced")),
    "broken": StateLook("over", _("Broken")),
    "error": StateLook("over", _("Error")),
    "suspended": StateLook("over", _("Suspended")),
    "disputed": StateLook("disp", _("Disputed")),
    "charged_back": StateLook("disp", _("Charged back")),
    "held": StateLook("held", _("Held")),
    "paused": StateLook("held", _("Paused")),
    "retrying": StateLook("held", _("Retrying")),
    "quarantined": StateLook("held", _("Quarantined")),
    "parked": StateLook("held", _("Parked")),
    "stopping": StateLook("held", _("Stopping")),
    "stopped": StateLook("held", _("Stopped")),
    "void": StateLook("void", _("Void")),
    "written_off": StateLook("void", _("Written off")),
    "cancelled": StateLook("void", _("Cancelled")),
    "undone": StateLook("void", _("Undone")),
    "ended": StateLook("void", _("Ended")),
    "discarded": StateLook("void", _("Given up")),
    "refunded": StateLook("void", _("Refunded")),
    "reversed": StateLook("void", _("Reversed")),
    "rejected": StateLook("void", _("Rejected")),
    "expired": StateLook("void", _("Expired")),
    "used": StateLook("void", _("Used up")),
    "skipped": StateLook("void", _("Skipped")),
    "closed": StateLook("void", _("Closed")),
    "archived": StateLook("void", _("Archived")),
    "off": StateLook("void", _("Off")),
}
