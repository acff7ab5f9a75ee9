"""The ceiling on modules: without one, the busiest app of every billing codebase grows one of thousands of lines."""

from collections.abc import Iterable

from tools.check.files import Source

PRODUCT_LINES = 400
TEST_LINES = 600


def oversized(sources: Iterable[Source]) -> list[str]:
    """One line per Python module over its ceiling; migrations are history and have none."""
    found = []
    for source in sources:
        if not source.is_python or source.is_migration:
            continue
        ceiling = TEST_LINES if source.is_test else PRODUCT_LINES
        if len(source.lines) > ceiling:
            found.append(f"{source.path}: {len(source.lines)} lines, {ceiling} at most: split it by noun")
    return found
