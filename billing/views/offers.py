"""Which plans customers on a plan may change to by themselves."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from billing import features
from billing.offer_forms import PlanOffersForm
from billing.offers import may_be_offered, offers
from billing.permissions import SUBSCRIPTIONS_EDIT
from billing.services.offers import set_plan_offers
from billing.views.prices import plans_shown
from core.errors import Invalid
from core.pages import attempt
from core.web import page


@page(SUBSCRIPTIONS_EDIT)
@require_POST
def plan_offers(request: HttpRequest, slug: str, public_id: str) -> HttpResponse:
    """Let customers on a plan change to what was chosen."""
    plan = features.plan(public_id)
    form = PlanOffersForm(request.POST, plans=may_be_offered(plan), there=offers(plan))
    if not form.is_valid():
        return plans_shown(request, slug, offering=(plan, form))
    wanted = form.offered()
    with attempt() as outcome:
        set_plan_offers(plan.public_id, wanted)
        messages.success(request, _("%(plan)s: saved") % {"plan": plan.name})
    if outcome.error:
        if isinstance(outcome.error, Invalid):
            form.refuse(wanted, outcome.error.fields)
        return plans_shown(request, slug, offering=(plan, form), error=outcome.error)
    return redirect("plans", slug)
