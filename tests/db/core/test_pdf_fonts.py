"""PDF has fonts cut to its weights: a variable one would be cut anew for every weight and size of a document."""

import base64
import io
import re
import shutil
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from fontTools.ttLib import TTFont

from core import pdf
from core.pdf import Renderer
from core.pdf_worker import font_rules
from tests.db.core.test_pdf import unpacked

FONTS = Path(settings.BASE_DIR) / "static" / "dist" / "fonts"
CSS = Path(settings.BASE_DIR) / "templates" / "invoicing" / "document_pdf.css"
SIZES = "".join(f'<p style="font-size: {size}pt">Ag <b>14</b></p>' for size in (7, 8.75, 10.5, 12.5, 17, 21))


def page() -> str:
    """Text in many sizes, styled as an invoice is."""
    css = render_to_string("invoicing/document_pdf.css")
    return f"<html lang=en><head><title>Sizes</title><style>{css}</style></head><body>{SIZES}</body></html>"


@pytest.fixture(scope="module")
def rules() -> dict[tuple[str, int], bytes]:
    """The font of each family and weight that the worker knows."""
    if not (FONTS.parent / "app.css").exists():
        pytest.skip("the front end was not built")
    read = re.compile(r'font-family: "([^"]+)"; font-weight: (\d+);.*base64,([^"]+)"')
    found = [read.search(rule) for rule in font_rules(str(FONTS))]
    return {(each[1], int(each[2])): base64.b64decode(each[3]) for each in found if each}


def test_no_font_of_pdf_is_variable(rules: dict[tuple[str, int], bytes]) -> None:
    assert len(rules) == len(list(font_rules(str(FONTS))))
    for (family, weight), data in rules.items():
        font = TTFont(io.BytesIO(data))
        assert "fvar" not in font, family
        assert font["OS/2"].usWeightClass == weight


def test_each_family_of_the_sheet_has_each_weight_it_sets(rules: dict[tuple[str, int], bytes]) -> None:
    css = CSS.read_text()
    weights = {400, *(int(weight) for weight in re.findall(r"font-weight: (\d+)", css))}
    families = set(re.findall(r'"(Inter [^"]+)"', css))
    assert set(rules) == {(family, weight) for family in families for weight in weights}


def test_many_sizes_embed_each_weight_once(rules: dict[tuple[str, int], bytes]) -> None:
    made = unpacked(pdf.render(page()))
    embedded = sorted(re.findall(rb"/FontName /[A-Z]{6}\+([A-Za-z-]+)", made))
    assert embedded == [b"Inter-Latin", b"Inter-Latin-Semi-Bold"]


@pytest.mark.usefixtures("rules")
def test_the_variable_font_of_pages_is_left_out(tmp_path: Path) -> None:
    (variable,) = FONTS.glob("inter-latin-opsz-*.woff2")
    shutil.copy(variable, tmp_path)
    code = (
        "import sys; from core.pdf_worker import main; main(sys.argv[1], int(sys.argv[3]), int(sys.argv[4]))"
    )
    renderer = Renderer(command=(sys.executable, "-c", code, str(tmp_path)))
    made = unpacked(renderer.render(page()))
    renderer.stop()
    assert b"/FontName" in made
    assert b"+Inter-Latin" not in made
