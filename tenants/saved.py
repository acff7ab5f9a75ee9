"""What the lists show of saved views."""

from typing import Any

from core.pages import missing
from tenants.permissions import VIEWS_SHARE
from tenants.services.views import may_drop, views_of


def saved_views(page: str, query: str) -> dict[str, Any]:
    """The context of `tenants/parts/views.html`: views of a list, the one in force marked; one query. Inside work()."""
    rows: list[dict[str, Any]] = [
        {"view": view, "current": bool(query) and view.query == query, "may_drop": may_drop(view)}
        for view in views_of(page)
    ]
    return {
        "list": page,
        "query": query,
        "rows": rows,
        "shown": next((each["view"].name for each in rows if each["current"]), ""),
        "no_share": missing(VIEWS_SHARE),
    }
