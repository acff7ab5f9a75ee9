"""Saved views: the filters of a list under a name."""

from django.http import QueryDict
from django.utils.translation import gettext as _

from core import registry
from core.errors import Invalid, NotFound
from core.scope import current, require
from tenants.models import Membership, SavedView
from tenants.permissions import VIEWS_SHARE
from tenants.selectors import saved_view

MOST = 50
"""Views of one member for one list."""
LONGEST = 1000
"""Characters of a view's filters, as their column has room for."""
_CURSOR = "page"


def _me() -> Membership:
    found: Membership | None = Membership.objects.filter(user_id=current().actor.id, disabled_at=None).first()
    if found is None:
        raise NotFound("That is not here.")
    return found


def require_list(page: str) -> None:
    """Raises NotFound for a page that is no list, Forbidden for one the actor may not see."""
    if page not in registry.lists:
        raise NotFound("That list is not here.")
    require(registry.lists[page])


def views_of(page: str) -> list[SavedView]:
    """The actor's views of a list and those shared, by name; one query. Inside work()."""
    found = SavedView.objects.select_related("member").filter(page=page).order_by("name", "id")
    mine = current().actor.id
    return [view for view in found if view.shared or view.member.user_id == mine]


def may_drop(view: SavedView) -> bool:
    """Whether the actor may remove a view, their own or a shared one."""
    return view.member.user_id == current().actor.id or (view.shared and current().may(VIEWS_SHARE))


def save_view(*, page: str, name: str, query: str, shared: bool) -> SavedView:
    """Keep a list's filters under a name; the member's view of that name is written over. Inside work().

    Natural key: list, member and name. The place in the list is no part of it. Raises Invalid beyond MOST views and
    for filters too long to keep, Forbidden when it is shared without the right.
    """
    require_list(page)
    if shared:
        require(VIEWS_SHARE)
    given = QueryDict(query, mutable=True)
    given.pop(_CURSOR, None)
    kept = given.urlencode()
    member = _me()
    mine = SavedView.objects.filter(page=page, member=member)
    if len(kept) > LONGEST:
        raise Invalid(_("These filters are too long to keep."))
    if not mine.filter(name=name).exists() and mine.count() >= MOST:
        raise Invalid(_("That is enough views. Remove one first."))
    view: SavedView
    view, made = SavedView.objects.get_or_create(
        page=page, member=member, name=name, defaults={"query": kept, "shared": shared}
    )
    if not made and (view.query, view.shared) != (kept, shared):
        view.query, view.shared = kept, shared
        view.touch("query", "shared")
    return view


def drop_view(public_id: str) -> str:
    """Remove a view; the list it was of. Inside work(). Raises NotFound for one the actor may not remove."""
    view = saved_view(public_id)
    if not may_drop(view):
        raise NotFound("That view is not here.")
    view.delete()
    return str(view.page)
