"""A file that comes as the body of a request, as it is."""

from typing import Any

from core.api.problems import TooLarge
from core.errors import AppError
from core.uploads import MAX_BYTES

_MB = MAX_BYTES // 1024**2


class OtherMedia(AppError):
    """The body is of another kind than the operation takes."""

    status = 415
    code = "unsupported_media_type"


def sent_file(request: Any, content_type: str) -> bytes:
    """The body, read up to what a file may be. Raises OtherMedia, and TooLarge before it holds too much."""
    plain = request._request  # the framework's own would parse the body
    if plain.content_type != content_type:
        raise OtherMedia(f"Send the file as it is, as the body, with Content-Type: {content_type}.")
    declared = plain.META.get("CONTENT_LENGTH", "")
    if declared.isdigit() and int(declared) > MAX_BYTES:
        raise TooLarge(f"The file is larger than {_MB} MB. Cut it in parts.")
    data: bytes = plain.read()  # the server reads no further than what was declared
    return data
