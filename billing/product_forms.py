"""What people may type on the pages of products."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from billing.models import MOST_DESCRIPTION, Plan, Product
from billing.services.products import NAME
from core.fields import FormKey, Line, Whole


class ProductWordsForm(forms.Form):
    """What a product is called, and how it is described."""

    name = Line(label=_("Name"), max_length=NAME)
    description = Line(label=_("Description"), max_length=MOST_DESCRIPTION, required=False)


class ProductForm(ProductWordsForm):
    """A product that plans can belong to."""

    code = forms.CharField(
        label=_("Code"),
        max_length=40,
        validators=[RegexValidator(r"\A[\w.-]+\Z", _("Letters, digits, dots and dashes."))],
        help_text=_("What coupons and programs name it by. It never changes."),
    )
    key = FormKey()


class PlanProductForm(forms.Form):
    """The product that a plan is to belong to."""

    def __init__(self, data: Any = None, *, plan: Plan, products: Sequence[Product]) -> None:
        now = plan.product
        super().__init__(data, initial={"product": now.code if now else ""}, auto_id="id_move_%s")
        offered = [*products, *([now] if now is not None and now not in products else [])]
        self.fields["product"] = forms.ChoiceField(
            label=_("Product"),
            required=False,
            choices=[("", _("None")), *((each.code, each.name) for each in offered)],
        )


class PlanDepositForm(forms.Form):
    """How much of an invoice with a plan is due on its day."""

    deposit_percent = Whole(
        label=_("Deposit, %"),
        min_value=0,
        max_value=100,
        help_text=_(
            "Of each new invoice with this plan, due on its day. A customer's own deposit goes before it."
        ),
    )

    def __init__(self, data: Any = None, *, plan: Plan) -> None:
        super().__init__(data, initial={"deposit_percent": plan.deposit_percent}, auto_id="id_deposit_%s")


class ProductPlanForm(forms.Form):
    """A plan that is to belong to a product."""

    def __init__(self, data: Any = None, *, plans: Sequence[Plan]) -> None:
        super().__init__(data, auto_id="id_add_%s")
        self.fields["plan"] = forms.ChoiceField(
            label=_("Plan"), choices=[(each.public_id, _told(each)) for each in plans]
        )


def _told(plan: Plan) -> str:
    return f"{plan.name} ({plan.product.name})" if plan.product else plan.name
