"""Keys of the API: what opens, for whom, from where and until when."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from core import clock
from core.scope import Scope, enter, work
from tenants.models import ApiKey, Membership, Role
from tenants.services import keys
from tests.db.api.conftest import V1, Program, key_of, said
from tests.db.api.test_kernel import KESTREL, customers


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic abc", "Bearer sk_live_nothing", "Bearer \u00e9", "Bearer " + "x" * 5000],
)
def test_without_a_key_nothing_opens(db: None, header: str) -> None:
    answer = Client().get(f"{V1}/me", headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert said(answer)["code"] in {"no_key", "wrong_key"}


def test_a_key_says_who_it_is(api: Program) -> None:
    me = api.get("/me")
    assert (me["slug"], me["livemode"], me["actor"]) == ("acorn", True, "ERP (Ana)")
    assert "customers.create" in me["rights"]


def test_a_key_is_kept_as_a_hash(api: Program, house: Scope) -> None:
    with enter(house), work():
        row = ApiKey.objects.get()
        assert api.secret not in json.dumps([str(value) for value in ApiKey.objects.values_list()[0]])
        assert (row.start, row.last4) == (api.secret[:12], api.secret[-4:])


def test_a_restricted_key_does_what_was_chosen_and_no_more(
    as_key: Callable[..., Program], house: Scope
) -> None:
    reader = as_key("acorn", "ana@acorn.example", rights=["customers.view"])
    assert reader.secret.startswith("rk_live_")
    assert reader.get("/customers")["data"] == []
    refused = reader("POST", "/customers", KESTREL)
    assert refused.status_code == 403
    assert customers(house) == 0


def test_a_key_is_never_more_than_its_maker(api: Program, house: Scope) -> None:
    """A role that shrinks binds the key with its next request, and it dies with the member."""
    with enter(house), work():
        membership = Membership.objects.get(user__name="Ana")
        Membership.objects.filter(pk=membership.pk).update(role=Role.objects.get(key="viewer"))
    assert api("POST", "/customers", KESTREL).status_code == 403
    assert api("GET", "/customers").status_code == 200
    for gone in ({"disabled_at": clock.wall()}, {"valid_until": clock.wall(), "disabled_at": None}):
        with enter(house), work():
            Membership.objects.filter(pk=membership.pk).update(**gone)
        assert api("GET", "/customers").status_code == 401


def test_a_key_ends_when_revoked_or_over(house: Scope) -> None:
    with enter(house), work():
        fresh = keys.make(name="ERP", expires_at=clock.wall() + timedelta(days=1))
    program = Program(fresh.secret)
    assert program("GET", "/me").status_code == 200
    with enter(house), work():
        ApiKey.objects.update(expires_at=clock.wall())
    assert program("GET", "/me").status_code == 401
    with enter(house), work():
        ApiKey.objects.update(expires_at=None)
        keys.revoke(fresh.key.public_id)
    assert program("GET", "/me").status_code == 401


def test_a_rolled_key_overlaps_and_then_ends(api: Program, house: Scope) -> None:
    with enter(house), work():
        fresh = keys.roll(ApiKey.objects.get().public_id)
    for program in (api, Program(fresh.secret)):
        assert program("GET", "/me").status_code == 200
    with enter(house), work():
        old = ApiKey.objects.get(rolled_from=None)
        assert old.expires_at
        assert timedelta(0) < old.expires_at - clock.wall() <= keys.OVERLAP
        ApiKey.objects.filter(pk=old.pk).update(expires_at=clock.wall())
    assert api("GET", "/me").status_code == 401
    assert Program(fresh.secret)("GET", "/me").status_code == 200


def test_a_key_is_used_from_its_addresses_only(house: Scope) -> None:
    inside = Program(key_of(house, addresses=["127.0.0.0/24"]))
    outside = Program(key_of(house, addresses=["203.0.113.7"]))
    assert inside("GET", "/me").status_code == 200
    assert outside("GET", "/me").status_code == 401


def test_many_wrong_keys_are_slowed_down(db: None) -> None:
    program = Program("sk_live_wrong")
    statuses = {program("GET", "/me").status_code for _ in range(70)}
    assert statuses == {401, 429}
