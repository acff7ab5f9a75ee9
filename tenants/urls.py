from django.urls import path

from tenants.views import accounts, audit, joining, keys, members, parked, roles, saved, session, settings

signed_out = [
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("sign-up/", accounts.sign_up_page, name="sign-up"),
    path("forgotten/", accounts.forgotten_page, name="forgotten"),
    path("join/<slug:slug>/<slug:public_id>/", joining.join_page, name="join"),
    path("join/<slug:slug>/<slug:public_id>/<slug:token>/", joining.join_page, name="join-link"),
    path("set-password/<slug:uid>/", accounts.password_page, name="set-password"),
    path("set-password/<slug:uid>/<slug:token>/", accounts.password_page, name="set-password-link"),
]

urlpatterns = [
    path("settings/", settings.settings_page, name="settings"),
    path("settings/save/", settings.settings_save, name="settings-save"),
    path("views/save/", saved.view_save, name="view-save"),
    path("views/<slug:public_id>/drop/", saved.view_drop, name="view-drop"),
    path("settings/parked/", parked.parked_page, name="parked"),
    path("settings/parked/retry/", parked.parked_retry, name="parked-retry"),
    path("settings/audit/", audit.audit_page, name="audit"),
    path("settings/audit/csv/", audit.audit_csv, name="audit-csv"),
    path("audit/<slug:public_id>/", audit.record_page, name="record-audit"),
    path("settings/members/", members.members_page, name="members"),
    path("settings/members/invite/", members.member_invite, name="member-invite"),
    path("settings/members/<slug:public_id>/save/", members.member_save, name="member-save"),
    path("settings/members/<slug:public_id>/disable/", members.member_disable, name="member-disable"),
    path("settings/members/<slug:public_id>/enable/", members.member_enable, name="member-enable"),
    path("settings/invitations/<slug:public_id>/again/", members.invitation_again, name="invitation-again"),
    path(
        "settings/invitations/<slug:public_id>/withdraw/",
        members.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path("settings/roles/", roles.roles_page, name="roles"),
    path("settings/roles/new/", roles.role_new, name="role-new"),
    path("settings/roles/<slug:public_id>/", roles.role_page, name="role"),
    path("settings/roles/<slug:public_id>/save/", roles.role_save, name="role-save"),
    path("settings/roles/<slug:public_id>/drop/", roles.role_drop, name="role-drop"),
    path("settings/groups/new/", roles.group_edit, name="group-new"),
    path("settings/groups/<slug:public_id>/", roles.group_edit, name="group"),
    path("settings/groups/<slug:public_id>/drop/", roles.group_drop, name="group-drop"),
    path("settings/keys/", keys.keys_page, name="keys"),
    path("settings/keys/new/", keys.key_new, name="key-new"),
    path("settings/keys/requests/", keys.requests_page, name="api-requests"),
    path("settings/keys/<slug:public_id>/roll/", keys.key_roll, name="key-roll"),
    path("settings/keys/<slug:public_id>/revoke/", keys.key_revoke, name="key-revoke"),
    path("settings/plan/", roles.plan_page, name="plan"),
    path("settings/plan/change/", roles.plan_change, name="plan-change"),
]
