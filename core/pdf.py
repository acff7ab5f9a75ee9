"""HTML to PDF, in a process of its own that lives for many documents.

A document is somebody's text: it may nest too deep, eat memory or run for ever. So it is rendered by a worker
with a memory limit, a bare environment and a fetcher that opens nothing but data: addresses; what goes wrong
there ends the worker, never the caller.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from django.conf import settings

from core.errors import AppError
from core.pdf_worker import DONE, LENGTH, READY, SPENT, UNAVAILABLE
from core.scope import refuse_inside_work

SECONDS = 60.0
DOCUMENTS = 200
MEMORY = 1 << 30
MAX_HTML = 32 * 1024 * 1024
KEPT = (
    "PATH",
    "HOME",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "FONTCONFIG_FILE",
    "FONTCONFIG_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
)
FIXED = {
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "SOURCE_DATE_EPOCH": "1600000000",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "1",
}
"""The rest of the environment. The epoch dates the embedded fonts, so that equal documents are equal bytes;
one arena keeps address space reserved for threads out of the memory limit."""
PANGO = (
    "PDF needs Pango: apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
    " (macOS: brew install pango)."
)


class PdfUnavailable(AppError):
    """This machine cannot make PDF; the message says what to install."""

    status = 503
    code = "pdf_unavailable"


class PdfFailed(AppError):
    """This document did not become a PDF: it is too large, too deep or too slow."""

    status = 422
    code = "pdf_failed"


class _Gone(Exception):
    """The worker ended in the middle of a conversation."""


class Renderer:
    """One worker process, used by one thread at a time, replaced when it is used up, too slow or dead."""

    def __init__(
        self,
        *,
        seconds: float = SECONDS,
        documents: int = DOCUMENTS,
        memory: int = MEMORY,
        command: tuple[str, ...] = (),
    ) -> None:
        self.seconds, self.documents, self.memory = seconds, documents, memory
        self._command = command or (sys.executable, "-m", "core.pdf_worker")
        self.forget()

    def forget(self) -> None:
        """Start over without touching the process: for a forked child, whose parent still uses it."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._made = 0

    @property
    def pid(self) -> int | None:
        """Process id of the living worker."""
        return self._process.pid if self._process else None

    def render(self, html: str) -> bytes:
        """The document as PDF; raises PdfFailed, PdfUnavailable, and InsideWork inside work()."""
        refuse_inside_work("PDF")
        data = html.encode("utf-8", "replace")
        if len(data) > MAX_HTML:
            raise PdfFailed("The document is too large for a PDF.", why="too large")
        with self._lock:
            if self._process and self._process.poll() is not None:
                self.stop()
            if not self._process:
                self._start()
            kind, answer = self._ask(data)
            self._made += 1
            if kind == SPENT or self._made >= self.documents:
                self.stop()
        if kind != DONE:
            raise PdfFailed(
                "The document could not be made into a PDF.", why=answer.decode("utf-8", "replace")
            )
        return answer

    def stop(self) -> None:
        """End the worker."""
        process, self._process, self._made = self._process, None, 0
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            try:
                pipe.close()  # type: ignore[union-attr]
            except BrokenPipeError:  # what was not yet written has no reader any more
                continue
        process.wait()

    def _start(self) -> None:
        fonts = Path(settings.BASE_DIR) / "static" / "dist" / "fonts"
        environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*self._command, str(fonts), str(os.getpid()), str(self.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=settings.BASE_DIR,
            env={**environment, **FIXED},
        )
        kind, answer = self._ask(None)
        if kind != READY:
            self.stop()
            why = answer.decode("utf-8", "replace")
            raise (
                PdfUnavailable(PANGO, why=why)
                if kind == UNAVAILABLE
                else PdfFailed("PDF did not start.", why=why)
            )

    def _ask(self, data: bytes | None) -> tuple[bytes, bytes]:
        """Send a document, or nothing, and read one answer; a worker that is too slow is killed and replaced."""
        process: Any = self._process
        late = threading.Event()

        def kill() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            if data is not None:
                process.stdin.write(LENGTH.pack(len(data)) + data)
                process.stdin.flush()
            head = _exactly(process.stdout, 1 + LENGTH.size)
            return head[:1], _exactly(process.stdout, LENGTH.unpack(head[1:])[0])
        except (_Gone, BrokenPipeError):
            self.stop()
            why = f"longer than {self.seconds:g} s" if late.is_set() else "the worker ended"
            raise PdfFailed("The document could not be made into a PDF.", why=why) from None
        finally:
            timer.cancel()


def _exactly(pipe: Any, size: int) -> bytes:
    data: bytes = pipe.read(size)
    if len(data) != size:
        raise _Gone
    return data


_renderer = Renderer()
os.register_at_fork(after_in_child=_renderer.forget)


def render(html: str) -> bytes:
    """HTML with inlined styles and images as a tagged PDF (PDF/UA-1); the same HTML gives the same bytes.

    Runs outside work(). Raises PdfFailed for this document, PdfUnavailable for this machine.
    """
    return _renderer.render(html)
