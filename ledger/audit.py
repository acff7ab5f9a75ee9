"""What the audit calls the records of this app."""

from django.utils.translation import gettext_lazy as _

from core.trail import Subject, subjects

subjects["ledger.Account"] = Subject(_("Account of the books"))
subjects["ledger.Entry"] = Subject(_("Entry of the journal"))
subjects["ledger.Leg"] = Subject(_("Line of an entry"))
subjects["ledger.PeriodLock"] = Subject(_("Closed period"))
