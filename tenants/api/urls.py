from django.urls import path

from tenants.api import house, people, trail, views

urlpatterns = [
    path("me", views.Me.as_view(), name="api-me"),
    path("members", people.Members.as_view(), name="api-members"),
    path("groups", people.Groups.as_view(), name="api-groups"),
    path("legal_entities", house.LegalEntities.as_view(), name="api-legal-entities"),
    path("legal_entities/<slug:public_id>", house.OneLegalEntity.as_view(), name="api-legal-entity"),
    path("plan", house.PlanStand.as_view(), name="api-plan"),
    path("api_keys", house.ApiKeys.as_view(), name="api-keys"),
    path("api_keys/<slug:public_id>/revoke", house.ApiKeyRevoke.as_view(), name="api-key-revoke"),
    path("audit_entries", trail.AuditEntries.as_view(), name="api-audit-entries"),
    path("access_events", trail.AccessEvents.as_view(), name="api-access-events"),
    path("roles", people.Roles.as_view(), name="api-roles"),
    path("invitations", people.Invitations.as_view(), name="api-invitations"),
    path(
        "invitations/<slug:public_id>/withdraw",
        people.InvitationWithdraw.as_view(),
        name="api-invitation-withdraw",
    ),
]
