"""A document may be anything; the next one is made all the same, and nothing is fetched for it."""

import base64
import os
import re
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import pdf
from core.pdf import PdfFailed, PdfUnavailable, Renderer
from core.scope import InsideWork, Scope, work

GOOD = "<html lang=en><head><title>Good</title></head><body><h1>Good</h1></body></html>"
SECRET = "b7c1-not-for-a-document"


def unpacked(made: bytes) -> bytes:
    """The streams of a PDF, decompressed."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", made, re.DOTALL)
    return b"\n".join(zlib.decompress(one) if one[:1] == b"x" else one for one in streams)


@pytest.fixture(scope="module")
def kept() -> Iterator[Renderer]:
    """What draws for all of these tests: a worker takes a second to begin."""
    made = Renderer()
    yield made
    made.stop()


@pytest.fixture
def renderer(kept: Renderer) -> Renderer:
    kept.seconds = 20
    return kept


@pytest.fixture
def fresh() -> Iterator[Renderer]:
    """One without a worker yet."""
    made = Renderer(seconds=20)
    yield made
    made.stop()


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A server on a free port and what it was asked."""
    heard: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.2)
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            try:
                visitor, _ = server.accept()
            except TimeoutError:
                continue
            heard.append(visitor.recv(1000))
            visitor.close()

    thread = threading.Thread(target=listen)
    thread.start()
    yield server.getsockname()[1], heard
    ended.set()
    thread.join()
    server.close()


def test_html_becomes_a_tagged_pdf_and_the_same_html_the_same_bytes(renderer: Renderer) -> None:
    first = renderer.render(GOOD)
    assert first.startswith(b"%PDF-")
    assert b"pdfuaid" in unpacked(first)
    assert renderer.render(GOOD) == first
    renderer.stop()
    assert renderer.render(GOOD) == first


def test_nothing_is_fetched_from_disk_or_network(
    renderer: Renderer, listener: tuple[int, list[bytes]], tmp_path: Path
) -> None:
    port, heard = listener
    secret = tmp_path / "secret.txt"
    secret.write_text(SECRET)
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{secret.as_uri()}"/></svg>'
    inlined = base64.b64encode(svg.encode()).decode()
    for target in (secret.as_uri(), f"http://127.0.0.1:{port}/x", "//127.0.0.1/x", str(secret)):
        made = renderer.render(
            f'<link rel="attachment" href="{target}"><link rel="stylesheet" href="{target}">'
            f'<style>@import "{target}"; p {{ background: url({target}) }}'
            f" @font-face {{ font-family: x; src: url({target}) }}</style>"
            f'<img src="{target}"><object data="{target}"></object><embed src="{target}">'
            f'<img src="data:image/svg+xml;base64,{inlined}"><p style="font-family: x">Seen</p>'
        )
        assert b"EmbeddedFile" not in made
        assert SECRET.encode() not in unpacked(made)
    assert heard == []


@pytest.mark.parametrize("html", [
    "<div>" * 600 + "deep",
    "<style>@page { size: 99999999px 99999999px }</style><p>wide",
    "<style>" + "*>" * 20_000 + "* { color: red }</style><p>selector",
    "<style>*::before { content: '" + "x" * 100_000 + "' }</style>" + "<b>" * 50,
    "<table>" + "<td colspan=1000 rowspan=1000>" * 300 + "</table>",
    "\0\x01<<<!DOCTYPE>",
    "",
])  # fmt: skip
def test_a_hostile_document_fails_or_is_made_and_the_next_one_is_made(renderer: Renderer, html: str) -> None:
    renderer.seconds = 3
    started = time.monotonic()
    try:
        assert renderer.render(html).startswith(b"%PDF-")
    except PdfFailed as error:
        assert error.extra["why"]  # noqa: PT017 - either outcome is right
    assert time.monotonic() - started < 10
    renderer.seconds = 30
    assert renderer.render(GOOD).startswith(b"%PDF-")


def test_what_takes_too_long_is_ended_and_the_next_one_is_made(renderer: Renderer) -> None:
    renderer.render(GOOD)
    before = renderer.pid
    renderer.seconds = 0.5
    rows = "<tr><td>One<td>Two" * 10_000
    with pytest.raises(PdfFailed) as caught:
        renderer.render(f"<table>{rows}</table>")
    assert "longer than" in caught.value.extra["why"]
    renderer.seconds = 30
    assert renderer.render(GOOD).startswith(b"%PDF-")
    assert renderer.pid != before


@pytest.mark.timeout(240)
def test_memory_is_bounded(fresh: Renderer) -> None:
    fresh.seconds, fresh.memory = 200, 200 << 20
    with pytest.raises(PdfFailed) as caught:
        fresh.render("<i>y</i>" * 100_000)
    assert caught.value.extra["why"] in {"out of memory", "the worker ended"}
    assert fresh.render(GOOD).startswith(b"%PDF-")


def test_more_html_than_the_limit_is_not_even_sent(fresh: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_HTML", 10)
    with pytest.raises(PdfFailed):
        fresh.render(GOOD)
    assert fresh.pid is None


def test_a_killed_worker_is_replaced(renderer: Renderer) -> None:
    first = renderer.render(GOOD)
    assert renderer.pid is not None
    os.kill(renderer.pid, 9)
    time.sleep(0.1)
    assert renderer.render(GOOD) == first


def test_a_worker_is_replaced_after_so_many_documents() -> None:
    renderer = Renderer(documents=2)
    pids = []
    for _ in range(4):
        renderer.render(GOOD)
        pids.append(renderer.pid)
    renderer.stop()
    assert pids[1] is pids[3] is None
    assert pids[0] != pids[2]


def test_threads_take_turns(renderer: Renderer) -> None:
    made: list[bytes] = []
    threads = [threading.Thread(target=lambda: made.append(renderer.render(GOOD))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1


def test_the_worker_ends_when_its_parent_is_killed() -> None:
    code = (
        "import os, time\nfrom core import pdf\npdf.render('<p>x')\n"
        "print(pdf._renderer.pid, flush=True)\ntime.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while _lives(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _lives(worker)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_a_forked_child_gets_a_worker_of_its_own(renderer: Renderer) -> None:
    code = (
        "import os\nfrom core import pdf\npdf.render('<p>x')\nmine = pdf._renderer.pid\n"
        "if not (child := os.fork()):\n"
        "    pdf.render('<p>x')\n    os._exit(pdf._renderer.pid == mine)\n"
        "assert os.waitpid(child, 0)[1] == 0\npdf.render('<p>x')\nassert pdf._renderer.pid == mine"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_inside_work_it_is_refused(acorn: Scope) -> None:
    with work(), pytest.raises(InsideWork):
        pdf.render(GOOD)


def test_the_worker_sees_none_of_our_environment(renderer: Renderer) -> None:
    renderer.render(GOOD)
    seen = Path(f"/proc/{renderer.pid}/environ").read_text()
    assert "DATABASE" not in seen
    assert "SECRET" not in seen


def test_without_pango_the_message_says_what_to_install(tmp_path: Path) -> None:
    fake = tmp_path / "weasyprint.py"
    fake.write_text("print('noise'); raise OSError('cannot load library libpango')")
    start = tmp_path / "start.py"
    start.write_text(
        "import os, sys\nsys.path.append(os.getcwd())\nfrom core.pdf_worker import main\n"
        "main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))"
    )
    command = (sys.executable, str(start))
    with pytest.raises(PdfUnavailable, match=r"libpango-1\.0-0") as caught:
        Renderer(command=command).render(GOOD)
    assert "libpango" in caught.value.extra["why"]
