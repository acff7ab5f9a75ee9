"""How much of a sent file is taken: what is over the limit is neither kept nor, far over it, read."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest

MAX_BYTES = 32 * 1024 * 1024
_DRAINED = 4 * MAX_BYTES
"""A sender that declares more than this gets its answer without the rest being read."""


class LimitedUploadHandler(FileUploadHandler):
    """Stands before the handlers that keep files and ends the upload when all files of a request exceed MAX_BYTES."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - so it is called
        content_length: int,
        boundary: Any,
        encoding: Any = None,
    ) -> None:
        self.declared, self.taken = content_length, 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.declared > MAX_BYTES + 64 * 1024:  # the fields around a file are small
            self._refuse()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.taken += len(raw_data)
        if self.taken > MAX_BYTES:
            self._refuse()
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one keep the file."""

    def _refuse(self) -> None:
        self.request.sent_too_much = True  # type: ignore[union-attr]
        raise StopUpload(connection_reset=self.declared > _DRAINED)


def sent_too_much(request: HttpRequest) -> bool:
    """Whether files of this request were left out because they are too large."""
    return bool(request.FILES is not None and getattr(request, "sent_too_much", False))
