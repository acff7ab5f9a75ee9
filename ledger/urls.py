from django.urls import path

from ledger import views

urlpatterns = [
    path("journal/", views.journal_page, name="journal"),
    path("journal/trial-balance/", views.trial_balance_page, name="trial-balance"),
]
