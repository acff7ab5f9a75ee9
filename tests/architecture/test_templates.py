"""What no template may forget."""

import re

from tools.check.files import ROOT

TABLE = re.compile(r"<c-table\b[^>]*\bphone\b.*?</c-table>", re.DOTALL)
HEAD = re.compile(r'<c-slot name="head">.*?</c-slot>', re.DOTALL)


def test_a_table_for_phones_marks_its_cells() -> None:
    """On a phone a cell without a mark is hidden: a table in which none has one is empty there."""
    unmarked = [
        f"{path.relative_to(ROOT)}: {table[:60]}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for table in TABLE.findall(path.read_text(encoding="utf-8"))
        if not re.search(r'class="[^"]*(\ba\b|\.mark }})', HEAD.sub("", table)) and "{% include" not in table
    ]
    assert unmarked == []
