"""Coupons for the sandbox: their terms as they are, and how often they were given."""

from collections.abc import Sequence
from typing import Any

from billing.models import Coupon
from billing.services.discounts import archive_coupon, create_coupon
from core.copying import Copier, register

TERMS = ("code", "name", "currency", "per", "periods", "plans", "products", "most", "until")


def _coupons(rows: Sequence[Coupon]) -> list[dict[str, Any]]:
    return [
        {
            "terms": {
                "percent": row.percent or None,
                "amount": row.amount or None,
                **{name: getattr(row, name) for name in TERMS},
            },
            "given": row.given,
            "archived": row.archived_at is not None,
        }
        for row in rows
    ]


def _write_coupons(facts: list[dict[str, Any]]) -> int:
    codes = [each["terms"]["code"] for each in facts]
    there = set(Coupon.objects.filter(code__in=codes).values_list("code", flat=True))
    fresh = [each for each in facts if each["terms"]["code"] not in there]
    for each in fresh:
        made = create_coupon(**each["terms"])
        Coupon.objects.filter(pk=made.pk).update(given=each["given"])  # what is left of it is as much
        if each["archived"]:
            archive_coupon(made.public_id)
    return len(fresh)


register(Copier("coupons", 8, Coupon.objects.all, _coupons, _write_coupons))
