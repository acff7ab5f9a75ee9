"""What the database holds API keys to, past the service."""

import secrets

import pytest
from django.db import IntegrityError, transaction

from core.scope import Scope, enter, work
from tenants.services import keys
from tests.conftest import seat


def test_no_two_keys_open_by_one_secret_not_even_of_two_organizations(
    acorn: Scope, birch: Scope, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key is looked up by its digest before the organization is known, so a second one could open another house."""
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _length: "a" * 43)
    with enter(seat("acorn", "ana@acorn.example")), work():
        first = keys.make(name="ERP")
    for house, email in (("acorn", "ana@acorn.example"), ("birch", "bea@birch.example")):
        refused = pytest.raises(IntegrityError, match="tenants_apikey_digest_key")
        with enter(seat(house, email)), work(), refused, transaction.atomic():
            keys.make(name="ERP")
    opened = keys.opened(first.secret, address="127.0.0.1", request_id="req_x")
    assert opened is not None
    assert opened.scope.organization_id == acorn.organization_id
