"""Fields that nobody reads from the database alone: sealed with a key of the organization's own.

Envelope encryption. A master key, kept outside the database, wraps each organization's data keys; a data key seals
fields with AES-256-GCM under a fresh 96-bit nonce. What is sealed is bound to its organization, column and row: moved
to another one it does not open. Sealed text reads `1.<number of the data key>.<base64 of nonce and ciphertext>`; the
leading figure is the form, so that another one can follow.

A blind index (HMAC-SHA256 under a key that no rotation changes) finds equal values of a sealed column, where that is
needed and the values are many.

Whatever is written is sealed under a key just read from the database: one made in a transaction that was taken back
since would open nothing. Reading may remember keys, as a wrong one does not open and is then looked up again.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
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
_MARK = b"\x00sealed1\x00"
_HEAD = len(_MARK) + 4
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


def seal_bytes(name: str, data: bytes) -> bytes:
    """What a file of that name holds for `data`: a mark, the data key's number, nonce and ciphertext. Inside work()."""
    number, key = _newest()
    nonce = os.urandom(NONCE)
    head = _MARK + number.to_bytes(4, "big")
    return head + nonce + AESGCM(key).encrypt(nonce, data, _file_place(name))


def reveal_bytes(name: str, held: bytes) -> bytes:
    """The data of a file that `seal_bytes` made. Inside work(); raises CannotOpen."""
    if not held.startswith(_MARK):
        raise CannotOpen("This is not a sealed file.")
    number, raw = int.from_bytes(held[len(_MARK) : _HEAD], "big"), held[_HEAD:]
    try:
        return AESGCM(_key(number)).decrypt(raw[:NONCE], raw[NONCE:], _file_place(name))
    except (InvalidTag, ValueError) as error:
        raise CannotOpen("It was changed or moved.") from error


def _file_place(name: str) -> bytes:
    return f"{current().organization_id}|file|{name}".encode()


def name_of(row: Any) -> str:
    """What binds sealed text to this row."""
    return str(row.sealed_by if hasattr(row, "sealed_by") else row.public_id)


def _place(model: type[models.Model], field: str, name: str) -> bytes:
    return f"{current().organization_id}|{model._meta.db_table}.{field}|{name}".encode()


def seal(model: type[models.Model], field: str, name: str, text: str) -> str:
    """What the sealed column holds for `text` in the row of that name (see name_of). Inside work()."""
    return seal_all(model, field, [(name, text)])[0]


def seal_all(model: type[models.Model], field: str, texts: Sequence[tuple[str, str]]) -> list[str]:
    """What the sealed column holds for many (name of the row, text); one query for all. Inside work()."""
    if not any(text for _, text in texts):
        return ["" for _ in texts]
    number, key = _newest()
    return [_sealed(number, key, _place(model, field, name), text) if text else "" for name, text in texts]


def _sealed(number: int, key: bytes, place: bytes, text: str) -> str:
    nonce = os.urandom(NONCE)
    return f"{FORM}.{number}.{base64.b64encode(nonce + AESGCM(key).encrypt(nonce, text.encode(), place)).decode()}"


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
    place = _place(type(row), field, name_of(row))
    if (known := _kept().get(number)) is not None:
        with suppress(InvalidTag):
            return _opened(known[1], raw, place)
    try:
        return _opened(_key(number), raw, place)
    except InvalidTag as error:
        raise CannotOpen("It was changed or moved.") from error


def _opened(key: bytes, raw: bytes, place: bytes) -> str:
    return AESGCM(key).decrypt(raw[:NONCE], raw[NONCE:], place).decode()


def blind(model: type[models.Model], field: str, text: str) -> str:
    """What finds equal values of a sealed column without opening it: 32 hexadecimal digits. Inside work()."""
    return blind_all(model, field, [text])[text]


def blind_all(model: type[models.Model], field: str, texts: Iterable[str]) -> dict[str, str]:
    """The blind index of each text (see blind); one query for all. Inside work()."""
    wanted = set(texts)
    if not wanted:
        return {}
    derived = HKDF(SHA256(), KEY, salt=None, info=f"blind:{model._meta.db_table}.{field}".encode())
    key = derived.derive(_key(INDEX))
    return {text: hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32] for text in wanted}


def _kept() -> dict[int, tuple[str, bytes]]:
    """Data keys of the scope that were opened already: their wrapping and the key, by number."""
    kept: dict[int, tuple[str, bytes]] = current().memo.setdefault("data_keys", {})
    return kept


def _context(number: int) -> bytes:
    return f"data-key|{current().organization_id}|{number}".encode()


def _key(number: int) -> bytes:
    """The data key as the database has it now, the blind indexes' made when there is none yet."""
    row = DataKey.objects.filter(number=number).first() or (_make(number) if number == INDEX else None)
    if row is None:
        raise CannotOpen(f"The data key {number} is not here.")
    return _unwrapped(row)


def _unwrapped(row: DataKey) -> bytes:
    known = _kept().get(row.number)
    if known is None or known[0] != row.wrapped:
        known = row.wrapped, service().unwrap(row.wrapped, context=_context(row.number))
        _kept()[row.number] = known
    return known[1]


def _newest() -> tuple[int, bytes]:
    row = DataKey.objects.filter(number__gt=INDEX).order_by("number").last() or _make(INDEX + 1)
    return row.number, _unwrapped(row)


def newest() -> int:
    """The number of the data key that seals now, made when there is none yet. Inside work()."""
    return _newest()[0]


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
