"""Files kept once with their hash. Bytes are written outside transactions, the row inside one.

The store holds sealed bytes (see core.vault), so that a copy of it alone shows nothing; hash and size are the
content's. A file stays under the data key it was sealed with.
"""

import hashlib

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner

from core import ids, vault
from core.errors import NotFound
from core.models import StoredFile
from core.scope import current, refuse_inside_work, work

LINK_SECONDS = 15 * 60
_signer = TimestampSigner(salt="core.files")


def store(data: bytes, *, kind: str, name: str, content_type: str) -> StoredFile:
    """Write the bytes, then the row that names them, and return the row; runs its own work().

    A crash between the two leaves bytes that no row names, never a row without bytes.
    """
    refuse_inside_work("Writing a file")
    organization_id = current().organization_id
    public_id = ids.new("file")
    with work():
        sealed = vault.seal_bytes(public_id, data)
    key = default_storage.save(f"{organization_id}/{kind}/{public_id}", ContentFile(sealed))
    with work():
        return StoredFile.objects.create(
            public_id=public_id,
            kind=kind,
            name=name,
            content_type=content_type,
            size=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            storage_key=key,
        )


def read(file: StoredFile) -> bytes:
    """The bytes; runs or joins work(). Raises NotFound when they are gone or no longer what was stored."""
    try:
        with default_storage.open(file.storage_key) as stored:
            held: bytes = stored.read()
    except FileNotFoundError as error:
        raise NotFound("That file is not in the store.") from error
    try:
        with work():
            data = vault.reveal_bytes(file.public_id, held)
    except vault.CannotOpen as error:
        raise NotFound("That file no longer has the content that was stored.", code="file_changed") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise NotFound("That file no longer has the content that was stored.", code="file_changed")
    return data


def signed_name(file: StoredFile) -> str:
    """A token for an address under which this file may be fetched for 15 minutes."""
    return _signer.sign(f"{file.organization_id}:{file.public_id}")


def unsign(token: str) -> tuple[int, str]:
    """(organization id, public id) of a token that is genuine and fresh; raises NotFound."""
    try:
        organization_id, public_id = _signer.unsign(token, max_age=LINK_SECONDS).split(":")
    except BadSignature as error:
        raise NotFound("This link is no longer valid.") from error
    return int(organization_id), public_id
