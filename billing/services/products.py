"""Products: what plans belong to, and which plan belongs to which."""

import re
from collections.abc import Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from billing.events import PlanProductChanged, ProductArchived, ProductCreated, ProductUpdated
from billing.models import MOST_DESCRIPTION, Plan, Product, SubscriptionDiscount
from billing.services.mrr import FILL
from core import clock
from core.effects import due
from core.errors import CodeTaken, Invalid
from core.events import emit
from core.locks import keep, lock, lock_one

NAME = 200
_CODE = re.compile(r"[\w.-]{1,40}")
_FIRST_ZONE = "Pacific/Kiritimati"
"""Where each day begins before it does anywhere else."""


def create_product(*, name: str, code: str, description: str = "") -> Product:
    """A product that plans can belong to. Inside work(). Natural key: its code.

    Raises Invalid, and CodeTaken; emits product.created.
    """
    problems = {} if _CODE.fullmatch(code) else {"code": "Letters, digits, dots and dashes."}
    if problems := problems | _word_problems(name, description):
        raise Invalid("The product cannot be saved.", fields=problems)
    try:
        with transaction.atomic():
            made: Product = Product.objects.create(
                name=name.strip(), code=code, description=description.strip()
            )
    except IntegrityError as error:
        raise CodeTaken(f"There is a product “{code}” already.") from error
    emit(ProductCreated(made.public_id, made.version, code=made.code, title=made.name))
    return made


def change_product(public_id: str, *, name: str | None = None, description: str | None = None) -> Product:
    """Call or describe a product otherwise. Inside work().

    What is None stays; its code never changes. The same wish again changes nothing. Raises Invalid; emits
    product.updated.
    """
    row: Product = lock_one(Product.objects.filter(public_id=public_id))
    wanted = {"name": name, "description": description}
    said = {key: value.strip() for key, value in wanted.items() if value is not None}
    changed = [key for key, value in said.items() if value != getattr(row, key)]
    for key in changed:
        setattr(row, key, said[key])
    if problems := _word_problems(row.name, row.description):
        raise Invalid("The product cannot be saved.", fields=problems)
    return _updated(row, changed)


def archive_product(public_id: str) -> Product:
    """Offer none of a product's plans any more; who subscribes to one keeps it. Inside work().

    Again changes nothing. Emits product.archived.
    """
    row: Product = lock_one(Product.objects.filter(public_id=public_id))
    if row.archived_at is None:
        row.archived_at = clock.now()
        row.touch("archived_at")
        emit(ProductArchived(row.public_id, row.version, code=row.code))
    return row


def restore_product(public_id: str) -> Product:
    """Offer a product's plans again. Again changes nothing. Inside work(). Emits product.updated."""
    row: Product = lock_one(Product.objects.filter(public_id=public_id))
    if row.archived_at is None:
        return row
    row.archived_at = None
    return _updated(row, ["archived_at"])


def move_plan(public_id: str, *, product: str) -> Plan:
    """Let a plan (public id) belong to a product, a code, or to none, empty. Inside work().

    Where no discount of the old or the new product was given, it is as if it had always been so. Else discounts of the
    new one hold for what begins a period from the first day on that has not begun anywhere, and those of the old one up
    to it: whatever is billed comes to the same again. The same wish again changes nothing. Raises Invalid for a product
    that is not here or archived; emits plan.product_changed.
    """
    plan: Plan = lock_one(Plan.objects.filter(public_id=public_id))
    named = {row.pk: row for row in lock(Product.objects.filter(Q(pk=plan.product_id) | Q(code=product)))}
    was = named[plan.product_id].code if plan.product_id is not None else ""
    if was == product:
        return plan
    plan.product = belongs_to([row for row in named.values() if row.code == product], product)
    if holds_from := _holds_from(plan, was, product):
        due(FILL, [(f"{plan.public_id}:{plan.version + 1}", {})])
    plan.touch("product", "products_before")
    emit(
        PlanProductChanged(
            plan.public_id, plan.version, plan=plan.code, product=product, was=was, holds_from=holds_from
        )
    )
    return plan


def belongs_to(found: Sequence[Product], code: str) -> Product | None:
    """The product that a plan is to belong to, of those `found` by its code; None for an empty code. Raises Invalid."""
    if not code:
        return None
    if not found:
        raise Invalid("That product is not here.", fields={"product": "That product is not here."})
    if found[0].archived_at is not None:
        problem = f"{found[0].name} is archived; bring it back first."
        raise Invalid(problem, fields={"product": problem})
    return found[0]


def keep_products(codes: Sequence[str]) -> None:
    """Let no plan move into or out of these products to the end of the transaction. Inside work()."""
    if codes:
        keep(Product.objects.filter(code__in=codes).order_by("pk"))


def _holds_from(plan: Plan, was: str, product: str) -> str | None:
    """The day from which discounts go by the new product, kept with the plan; None where no discount was given."""
    named = Q(pk__in=[])
    for code in filter(None, (was, product)):
        named |= Q(products__contains=[code])
    if not SubscriptionDiscount.objects.filter(named).exists():
        return None
    day = (clock.today(_FIRST_ZONE) + timedelta(days=1)).isoformat()
    before = list(plan.products_before)
    if not (before and before[-1]["until"] == day):
        before.append({"product": was, "until": day})
    elif before[-1]["product"] == product:
        before.pop()
    plan.products_before = before
    return day


def _updated(row: Product, changed: Sequence[str]) -> Product:
    if changed:
        row.touch(*changed)
        emit(
            ProductUpdated(
                row.public_id,
                row.version,
                code=row.code,
                title=row.name,
                archived=row.archived_at is not None,
            )
        )
    return row


def _word_problems(name: str, description: str) -> dict[str, str]:
    wrong = {
        "name": (f"1 to {NAME} characters.", not 0 < len(name.strip()) <= NAME),
        "description": (
            f"Up to {MOST_DESCRIPTION} characters.",
            len(description.strip()) > MOST_DESCRIPTION,
        ),
    }
    return {field: said for field, (said, is_so) in wrong.items() if is_so}
