"""Fields that nobody reads from the database alone: sealed with a key of the organization's own.

Envelope encryption. A master key, kept outside the database, wraps each organization's data keys; a data key seals
fields with AES-256-GCM under a fresh 96-bit nonce. What is sealed is bound to its organization, column and row: moved
to another one it does not open. Sealed text reads `1.<number of the data key>.<base64 of nonce and ciphertext>`; the
leading figure is the form, so that another one can follow.

A blind index (HMAC-SHA256 under a key that no rotation changes) finds equal values of a sealed column, where that is
needed and the values are many.
"""

import base64
import binascii
import hashlib
import hmac
import os
from functools import cache
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import IntegrityError, models, transaction

from core import clock
from core.models import DataKey
from core.scope import current

FORM = "1"
NONCE, KEY = 12, 32
INDEX = 0
"""Number of the key that blind indexes are made with."""


class CannotOpen(RuntimeError):
    """Sealed text that was changed, moved, or whose master key is not here. Never shown to anybody as it is."""


class KeyService(Protocol):
    """What keeps the master keys: a file, or another system's vault."""

    def wrap(self, key: bytes, *, context: bytes) -> str:
        """The key wrapped under the newest master key, with that key's name."""

    def unwrap(self, wrapped: str, *, context: bytes) -> bytes:
        """The key again; raises CannotOpen."""

    def is_newest(self, wrapped: str) -> bool:
        """Whether it is wrapped under the newest master key."""


class MasterKeys:
    """Master keys from the setting MASTER_KEYS: `name:base64` each, the newest last."""

    def __init__(self, text: str) -> None:
        self._keys: dict[str, bytes] = {}
        for each in text.split():
            name, _, value = each.partition(":")
            try:
                key = base64.b64decode(value, validate=True)
            except binascii.Error as error:
                raise ValueError(f"The master key {name!r} is not base64.") from error
            if len(key) != KEY or not name or "." in name:
                raise ValueError(f"The master key {name!r} is not a name and {KEY} bytes.")
            self._keys[name] = key
        if not self._keys:
            raise ValueError("There is no master key.")

    @property
    def newest(self) -> str:
        return list(self._keys)[-1]

    def wrap(self, key: bytes, *, context: bytes) -> str:
        """See KeyService."""
        nonce = os.urandom(NONCE)
        sealed = AESGCM(self._keys[self.newest]).encrypt(nonce, key, context)
        return f"{self.newest}.{base64.b64encode(nonce + sealed).decode()}"

    def unwrap(self, wrapped: str, *, context: bytes) -> bytes:
        """See KeyService."""
        name, _, text = wrapped.partition(".")
        if name not in self._keys:
            raise CannotOpen(f"The master key {name!r} is not here.")
        raw = base64.b64decode(text)
        try:
            return AESGCM(self._keys[name]).decrypt(raw[:NONCE], raw[NONCE:], context)
        except InvalidTag as error:
            raise CannotOpen("A data key does not open.") from error

    def is_newest(self, wrapped: str) -> bool:
        """See KeyService."""
        return wrapped.partition(".")[0] == self.newest


@cache
def _service(text: str) -> KeyService:
    return MasterKeys(text)


def service() -> KeyService:
    """The key service of this installation."""
    return _service(settings.MASTER_KEYS)


class Sealed(models.TextField):  # type: ignore[type-arg]
    """A column of sealed text, of a model with a public id. Written by `seal`, read by `reveal`; empty is empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"blank": True, "default": "", "editable": False, **kwargs})


def _place(model: type[models.Model], field: str, public_id: str) -> bytes:
    return f"{current().organization_id}|{model._meta.db_table}.{field}|{public_id}".encode()


def seal(model: type[models.Model], field: str, public_id: str, text: str) -> str:
    """What the sealed column of that row holds for `text`. Inside work()."""
    if not text:
        return ""
    number = newest()
    nonce = os.urandom(NONCE)
    sealed = AESGCM(_key(number)).encrypt(nonce, text.encode(), _place(model, field, public_id))
    return f"{FORM}.{number}.{base64.b64encode(nonce + sealed).decode()}"


def reveal(row: Any, field: str) -> str:
    """The text in a sealed column of a row. Inside work(); raises CannotOpen."""
    held: str = getattr(row, field)
    if not held:
        return ""
    try:
        form, written, text = held.split(".")
        number, raw = int(written), base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise CannotOpen("This is not sealed text.") from error
    if form != FORM:
        raise CannotOpen("This is of a newer form.")
    try:
        opened = AESGCM(_key(number)).decrypt(
            raw[:NONCE], raw[NONCE:], _place(type(row), field, row.public_id)
        )
    except InvalidTag as error:
        raise CannotOpen("It was changed or moved.") from error
    return opened.decode()


def blind(model: type[models.Model], field: str, text: str) -> str:
    """What finds equal values of a sealed column without opening it: 32 hexadecimal digits. Inside work()."""
    derived = HKDF(SHA256(), KEY, salt=None, info=f"blind:{model._meta.db_table}.{field}".encode())
    key = derived.derive(_key(INDEX))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _keys() -> dict[int, bytes]:
    """Opened data keys of the scope by number, kept for the scope's life."""
    kept: dict[int, bytes] = current().memo.setdefault("data_keys", {})
    return kept


def _context(number: int) -> bytes:
    return f"data-key|{current().organization_id}|{number}".encode()


def _key(number: int) -> bytes:
    if number not in _keys():
        row = DataKey.objects.filter(number=number).first() or (_make(number) if number == INDEX else None)
        if row is None:
            raise CannotOpen(f"The data key {number} is not here.")
        _keys()[number] = service().unwrap(row.wrapped, context=_context(number))
    return _keys()[number]


def newest() -> int:
    """The number of the data key that seals now, made when there is none yet. Inside work()."""
    number: int = DataKey.objects.aggregate(newest=models.Max("number"))["newest"] or INDEX
    return number if number > INDEX else _make(INDEX + 1).number


def _make(number: int) -> DataKey:
    """A data key of this number; somebody else's when they were first."""
    wrapped = service().wrap(os.urandom(KEY), context=_context(number))
    try:
        with transaction.atomic():
            return DataKey.objects.create(number=number, wrapped=wrapped, made_at=clock.wall())
    except IntegrityError:
        return DataKey.objects.get(number=number)


def next_key() -> int:
    """Begin another data key, which seals from now on; returns its number. Inside work()."""
    return _make(newest() + 1).number


def rewrap() -> int:
    """Wrap the organization's data keys under the newest master key; returns how many needed it. Inside work()."""
    done = 0
    for row in DataKey.objects.order_by("number"):
        if not service().is_newest(row.wrapped):
            key = service().unwrap(row.wrapped, context=_context(row.number))
            row.wrapped = service().wrap(key, context=_context(row.number))
            row.save(update_fields=["wrapped"])
            done += 1
    return done


def number_of(held: str) -> int:
    """The data key that sealed a text; -1 for none."""
    return int(held.split(".")[1]) if held else -1
