from django.urls import path

from tenants.views import accounts, members, parked, saved, session, settings

signed_out = [
    path("sign-in/", session.sign_in, name="sign-in"),
    path("sign-out/", session.sign_out, name="sign-out"),
    path("sign-up/", accounts.sign_up_page, name="sign-up"),
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
    path("settings/members/", members.members_page, name="members"),
    path("settings/members/invite/", members.member_invite, name="member-invite"),
    path("settings/members/<slug:public_id>/role/", members.member_role, name="member-role"),
    path("settings/members/<slug:public_id>/disable/", members.member_disable, name="member-disable"),
    path("settings/members/<slug:public_id>/enable/", members.member_enable, name="member-enable"),
    path("settings/members/<slug:public_id>/link/", members.member_link, name="member-link"),
]
