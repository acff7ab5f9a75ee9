"""Sealed fields: no dump opens them, none opens in another place, and their keys rotate under whoever is killed."""

import base64
import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from core import reseal, vault
from core.models import DataKey
from core.scope import Scope, enter, work
from core.vault import CannotOpen, MasterKeys
from customers.models import Customer
from integrations.models import Endpoint

TEXT = "whsec_canary"


def key(name: str = "first") -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def endpoint(n: int = 1) -> Endpoint:
    row = Endpoint(url=f"https://shop{n}.example/hook")
    row.secret = vault.seal(Endpoint, "secret", row.public_id, f"{TEXT}{n}")
    row.save()
    return row


@pytest.fixture
def masters(settings: object) -> str:
    """The master key in force."""
    found = key()
    settings.MASTER_KEYS = found  # type: ignore[attr-defined]
    return found


@given(st.text(min_size=1, max_size=300))
def test_what_is_wrapped_is_unwrapped_in_its_context_only(text: str) -> None:
    keys = MasterKeys(key())
    wrapped = keys.wrap(text.encode(), context=b"here")
    assert keys.unwrap(wrapped, context=b"here") == text.encode()
    with pytest.raises(CannotOpen):
        keys.unwrap(wrapped, context=b"there")
    with pytest.raises(CannotOpen):
        MasterKeys(key()).unwrap(wrapped, context=b"here")


@pytest.mark.parametrize("text", ["", "x", "x:", "x:AAAA", ":" + "A" * 43 + "=", "a.b:" + "A" * 43 + "="])
def test_master_keys_that_are_none_stop_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="master key"):
        MasterKeys(text)


def test_the_database_does_not_hold_what_is_sealed(acorn: Scope) -> None:
    with work():
        row = endpoint()
        with connection.cursor() as cursor:
            cursor.execute("SELECT t::text FROM integrations_endpoint t")
            held = cursor.fetchone()[0]
            cursor.execute("SELECT string_agg(a::text, '') FROM core_auditentry a")
            held += cursor.fetchone()[0]
        assert TEXT not in held
        assert vault.reveal(Endpoint.objects.get(pk=row.pk), "secret") == f"{TEXT}1"


def test_moved_to_another_row_column_or_organization_it_does_not_open(acorn: Scope, birch: Scope) -> None:
    with work():
        one, two = endpoint(1), endpoint(2)
        two.secret = one.secret
        with pytest.raises(CannotOpen):
            vault.reveal(two, "secret")
        one.old_secret = one.secret
        with pytest.raises(CannotOpen):
            vault.reveal(one, "old_secret")
    with enter(birch), work():
        vault.newest()
        with pytest.raises(CannotOpen):
            vault.reveal(one, "secret")


@pytest.mark.parametrize(
    "held", ["x", "1.1", "1.x.AAAA", "2.1.AAAA", "1.1.%%%", "1.9.AAAA", "1.1." + "A" * 64]
)
def test_what_is_no_sealed_text_is_refused(acorn: Scope, held: str) -> None:
    with work():
        row = endpoint()
        row.secret = held
        with pytest.raises(CannotOpen):
            vault.reveal(row, "secret")


def test_a_bit_that_was_turned_is_noticed(acorn: Scope) -> None:
    with work():
        row = endpoint()
        head, _, text = row.secret.rpartition(".")
        raw = bytearray(base64.b64decode(text))
        raw[-1] ^= 1
        row.secret = f"{head}.{base64.b64encode(bytes(raw)).decode()}"
        with pytest.raises(CannotOpen):
            vault.reveal(row, "secret")


def test_a_blind_index_finds_equals_within_its_column_and_organization(acorn: Scope, birch: Scope) -> None:
    with work():
        one = vault.blind(Endpoint, "secret", "DE02")
        assert one == vault.blind(Endpoint, "secret", "DE02")
        assert one not in {vault.blind(Endpoint, "secret", "DE03"), vault.blind(Customer, "email", "DE02")}
        vault.next_key()
        assert vault.blind(Endpoint, "secret", "DE02") == one
    with enter(birch), work():
        assert vault.blind(Endpoint, "secret", "DE02") != one


def test_a_new_master_key_wraps_and_the_old_one_can_go(
    committed_acorn: Scope, masters: str, settings: object
) -> None:
    with work():
        row = endpoint()
    settings.MASTER_KEYS = "\n".join([masters, newer := key("second")])  # type: ignore[attr-defined]
    for _ in range(2):
        call_command("rotate_keys", "--master", "--organization", "acorn", verbosity=0)
    settings.MASTER_KEYS = newer  # type: ignore[attr-defined]
    committed_acorn.memo.clear()
    with work():
        assert {each.wrapped.split(".")[0] for each in DataKey.objects.all()} == {"second"}
        assert vault.reveal(row, "secret") == f"{TEXT}1"
    settings.MASTER_KEYS = key("third")  # type: ignore[attr-defined]
    committed_acorn.memo.clear()
    with work(), pytest.raises(CannotOpen):
        vault.reveal(row, "secret")


@pytest.mark.parametrize("dies_after", [0, 1, 2])
def test_a_rotation_killed_at_any_batch_goes_on(
    committed_acorn: Scope, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    """Everything opens in between and after, and in the end all of it is under the new key."""
    with work():
        rows = [endpoint(n) for n in range(5)]
    monkeypatch.setattr(reseal, "BATCH", 2)
    turns = 0
    real = reseal.lock

    def dies(query: object) -> object:
        nonlocal turns
        turns += 1
        if turns > dies_after:
            raise KeyboardInterrupt
        return real(query)  # type: ignore[type-var]

    with monkeypatch.context() as killed:
        killed.setattr(reseal, "lock", dies)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_keys", "--data", "--organization", "acorn", verbosity=0)
    opens(rows)
    call_command("rotate_keys", "--resume", "--organization", "acorn", verbosity=0)
    opens(rows)
    with work():
        assert {vault.number_of(row.secret) for row in Endpoint.objects.all()} == {vault.newest()} == {2}


def opens(rows: list[Endpoint]) -> None:
    with work():
        found = {row.pk: vault.reveal(row, "secret") for row in Endpoint.objects.all()}
    assert found == {row.pk: f"{TEXT}{n}" for n, row in enumerate(rows)}


def test_every_sealed_column_has_something_to_be_bound_to() -> None:
    fields = reseal.sealed_fields()
    assert fields
    assert all(
        hasattr(model, "sealed_by") or any(field.name == "public_id" for field in model._meta.fields)
        for model, _name in fields
    )


def test_a_key_made_in_what_was_taken_back_seals_nothing(acorn: Scope) -> None:
    with work():
        with transaction.atomic():
            vault.seal(Endpoint, "secret", "whe_1", TEXT)
            lost = vault.blind(Endpoint, "secret", TEXT)
            transaction.set_rollback(True)
        row = endpoint()
        kept = vault.blind(Endpoint, "secret", TEXT)
    acorn.memo.clear()
    with work():
        assert vault.reveal(row, "secret") == f"{TEXT}1"
        assert vault.blind(Endpoint, "secret", TEXT) == kept != lost


def test_many_are_sealed_and_read_with_one_query_each(
    acorn: Scope, django_assert_num_queries: Callable[..., AbstractContextManager[object]]
) -> None:
    with work():
        rows = [Endpoint(url=f"https://shop{n}.example/hook") for n in range(20)]
        vault.newest()
        with django_assert_num_queries(1):
            sealed = vault.seal_all(Endpoint, "secret", [(row.public_id, row.url) for row in rows])
        for row, text in zip(rows, sealed, strict=True):
            row.secret = text
        acorn.memo.clear()
        with django_assert_num_queries(1):
            assert [vault.reveal(row, "secret") for row in rows] == [row.url for row in rows]
        with django_assert_num_queries(1):
            assert vault.seal_all(Endpoint, "secret", [("whe_1", ""), ("whe_2", "x")])[0] == ""
        with django_assert_num_queries(0):
            assert vault.seal_all(Endpoint, "secret", [("whe_1", "")]) == [""]
