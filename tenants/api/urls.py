from django.urls import path

from tenants.api import people, views

urlpatterns = [
    path("me", views.Me.as_view(), name="api-me"),
    path("members", people.Members.as_view(), name="api-members"),
    path("roles", people.Roles.as_view(), name="api-roles"),
    path("invitations", people.Invitations.as_view(), name="api-invitations"),
    path(
        "invitations/<slug:public_id>/withdraw",
        people.InvitationWithdraw.as_view(),
        name="api-invitation-withdraw",
    ),
]
