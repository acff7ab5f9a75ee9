"""The organizations a person may open, kept in their session for the menu.

Only names for the menu: whether an organization opens is asked of the membership at every request.
"""

from django.http import HttpRequest

from core.models import Organization
from tenants.selectors import organizations_of

KEY = "organizations"
SHOWN = 20


def remember(request: HttpRequest) -> list[Organization]:
    """Read the person's organizations anew and keep their names; a few queries for each."""
    found = organizations_of(request.user)  # type: ignore[arg-type]
    request.session[KEY] = [[row.slug, row.name] for row in found[:SHOWN]]
    return found


def remembered(request: HttpRequest) -> list[tuple[str, str]]:
    """Slug and name of each organization as last read; no query."""
    return [(slug, name) for slug, name in request.session.get(KEY, [])]
