from django.urls import path

from ledger.api import views

urlpatterns = [
    path("journal_entries", views.JournalEntries.as_view(), name="api-journal-entries"),
    path("journal_entries/<slug:entry_id>", views.OneJournalEntry.as_view(), name="api-journal-entry"),
    path("trial_balance", views.TrialBalance.as_view(), name="api-trial-balance"),
]
