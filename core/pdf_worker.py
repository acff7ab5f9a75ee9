"""The process in which documents become PDF: `python -m core.pdf_worker <fonts> <parent> <memory>`, run by core.pdf.

It knows WeasyPrint and nothing else: no settings, no database, no network. A request is four bytes of length and
HTML; an answer is one letter, four bytes of length and the PDF or a sentence. It ends when its input does, when
its parent is gone, or when memory ran out.
"""

import base64
import logging
import os
import re
import resource
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

READY, DONE, FAILED, SPENT, UNAVAILABLE = b"R", b"D", b"F", b"M", b"U"
"""Started; a PDF; a document that cannot be one; out of memory, so this worker ends; WeasyPrint will not load."""

LENGTH = struct.Struct("!I")
_FONT = re.compile(r"^inter-([a-z]+(?:-ext)?)-(\d00)-normal\b")


def font_rules(folder: str) -> Iterator[str]:
    """`@font-face` for each part and weight of Inter in the folder, inlined: the documents' fetcher opens data: only.

    Only cuts of one weight: cutting a variable font, once for every weight and size a document sets, takes longer
    than all the rest of it.
    """
    for path in sorted(Path(folder).glob("inter-*.woff2")) if folder else []:
        if part := _FONT.match(path.name):
            data = base64.b64encode(path.read_bytes()).decode("ascii")
            name = f"Inter {part[1]}".replace("-", " ").title()
            yield (
                f'@font-face {{ font-family: "{name}"; font-weight: {part[2]};'
                f' src: url("data:font/woff2;base64,{data}") format("woff2"); }}'
            )


def make_renderer(folder: str) -> Callable[[str], bytes]:
    """Load WeasyPrint and the fonts once; raises OSError when Pango is missing."""
    from weasyprint import CSS, HTML
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    logging.getLogger("fontTools").setLevel(logging.CRITICAL)
    fonts = FontConfiguration()
    closed = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    sheet = CSS(string="\n".join(font_rules(folder)), font_config=fonts, url_fetcher=closed)

    def render(html: str) -> bytes:
        document = HTML(string=html, url_fetcher=closed, media_type="print")
        pdf: bytes = document.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
        return pdf

    return render


def _end_with(parent: int) -> None:
    """End this process soon after its parent has. (The kernel's own signal follows the parent's thread.)"""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _limit(memory: int) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):  # not every system has these limits
        pass


def _answer(out: BinaryIO, kind: bytes, data: bytes) -> None:
    out.write(kind + LENGTH.pack(len(data)) + data)
    out.flush()


def _requests(source: BinaryIO) -> Iterator[str]:
    while len(head := source.read(LENGTH.size)) == LENGTH.size:
        yield source.read(LENGTH.unpack(head)[0]).decode("utf-8")


def main(folder: str, parent: int, memory: int) -> int:
    """Answer requests until there are no more."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    _limit(memory)
    try:
        render = make_renderer(folder)
    except (ImportError, OSError) as error:
        _answer(out, UNAVAILABLE, str(error).encode())
        return 1
    _answer(out, READY, b"")
    for html in _requests(sys.stdin.buffer):
        try:
            kind, data = DONE, render(html)
        except MemoryError:
            _answer(out, SPENT, b"out of memory")
            return 1
        except Exception as error:  # noqa: BLE001 - whatever a document does, the next one must be tried
            kind, data = FAILED, f"{type(error).__name__}: {error}"[:500].encode()
        _answer(out, kind, data)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
