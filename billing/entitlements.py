"""What customers and subscriptions are entitled to, read in one statement. Inside work().

Not `tenants.Entitlement`: that is what an organization's own plan of this product allows it.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from django.db import connection

from billing.domain.features import (
    Combine,
    Entitled,
    FeatureFacts,
    Kind,
    Mode,
    Source,
    Value,
    entitled,
)
from core import clock
from core.errors import NotFound
from core.scope import current

_IN_FORCE = (
    "CASE WHEN i.starts_on = s.trial_ends_on THEN s.starts_on ELSE i.starts_on END <= d.day"
    " AND d.day < coalesce(i.ends_on, 'infinity')"
)
"""Which items grant on a day: the one place that says so. What is billed after a trial is granted in it already; what
ends or pauses a subscription ends its items."""
_SOURCES = f"""
WITH whose AS MATERIALIZED (%(whose)s),
wanted AS MATERIALIZED (
    SELECT * FROM billing_feature f WHERE f.organization_id = %%(org)s %(wanted)s
),
held AS MATERIALIZED (
    SELECT s.id AS subscription_id, s.public_id AS subscription, d.day, i.public_id, i.role, i.starts_on, i.id,
        i.quantity, i.price_id
    FROM whose w
    JOIN billing_subscription s ON s.organization_id = %%(org)s AND %(of)s
    CROSS JOIN LATERAL (
        SELECT coalesce(%%(on)s::date, (%%(now)s::timestamptz AT TIME ZONE s.zone)::date) AS day
    ) d
    JOIN billing_subscriptionitem i ON i.organization_id = %%(org)s AND i.subscription_id = s.id
    WHERE {_IN_FORCE} AND d.day < coalesce(s.ends_on, 'infinity')
),
running AS (SELECT DISTINCT subscription_id, subscription, day FROM held WHERE role = 'plan'),
sources AS (
    SELECT g.feature_id, NULL AS mode, h.public_id, h.subscription, p.name, h.starts_on, h.id, h.quantity,
        true AS granted, g.amount, g.text
    FROM held h
    JOIN running r ON r.subscription_id = h.subscription_id
    JOIN billing_price c ON c.organization_id = %%(org)s AND c.id = h.price_id
    JOIN billing_plan p ON p.organization_id = %%(org)s AND p.id = c.plan_id
    CROSS JOIN wanted f
    JOIN billing_featuregrant g ON g.organization_id = %%(org)s AND g.plan_id = p.id AND g.feature_id = f.id
    UNION ALL
    SELECT o.feature_id, o.mode, o.public_id, r.subscription, o.why, r.day, o.id, 1, o.granted, o.amount, o.text
    FROM running r
    CROSS JOIN wanted f
    JOIN billing_featureoverride o ON o.organization_id = %%(org)s AND o.subscription_id = r.subscription_id
        AND o.feature_id = f.id
    WHERE r.day < coalesce(o.ends_on, 'infinity')
)
SELECT w.public_id, f.public_id, f.code, f.name, f.kind, f.unit, f.combine, f.per_unit, f.retired_at IS NOT NULL,
    s.mode, s.public_id, s.subscription, s.name, s.starts_on, s.id, s.quantity, s.granted, s.amount, s.text
FROM (SELECT 1) one
LEFT JOIN whose w ON true
LEFT JOIN wanted f ON true
LEFT JOIN sources s ON s.feature_id = f.id
ORDER BY f.id, s.starts_on, s.id
"""  # noqa: S608 - fixed text, but for which of the three it is asked for


class Whose(Enum):
    """How somebody is named whose features are asked for: the rows of that name, and their subscriptions `s`."""

    CUSTOMER = ("customers_customer", "public_id", "s.customer_id = w.id")
    EXTERNAL = ("customers_customer", "external_id", "s.customer_id = w.id")
    SUBSCRIPTION = ("billing_subscription", "public_id", "s.id = w.id")

    @property
    def rows(self) -> str:
        table, column, _ = self.value
        return f"SELECT id, public_id FROM {table} WHERE organization_id = %(org)s AND {column} = %(name)s"  # noqa: S608


@dataclass(slots=True)
class Entitlements:
    """What somebody (public id) has of each feature that was asked for, in the order those were made."""

    whose: str
    found: list[Entitled] = field(default_factory=list)


def entitlements(whose: Whose, name: str, *, on: date | None = None) -> Entitlements:
    """What somebody has of each feature that is not retired or that they have: one statement. Inside work().

    On a day, or now, which is each subscription's own day. Raises NotFound when they are not here.
    """
    read = _read(whose, name, "", on)
    read.found = [each for each in read.found if each.sources or not each.feature.retired]
    return read


def entitlement(whose: Whose, name: str, feature: str, *, on: date | None = None) -> tuple[str, Entitled]:
    """Who they are (public id) and what they have of a feature, a code or id: one statement. Inside work().

    Raises NotFound when they or the feature are not here.
    """
    read = _read(whose, name, feature, on)
    if not read.found:
        raise NotFound("That feature is not here.")
    return read.whose, read.found[0]


def _read(whose: Whose, name: str, feature: str, on: date | None) -> Entitlements:
    column = "public_id" if feature.startswith("feat_") else "code"
    text = _SOURCES % {
        "whose": whose.rows,
        "wanted": f"AND f.{column} = %(feature)s" if feature else "",
        "of": whose.value[2],
    }
    said: dict[str, Any] = {
        "org": current().organization_id,
        "name": name,
        "feature": feature,
        "on": on,
        "now": clock.now(),
    }
    with connection.cursor() as cursor:
        cursor.execute(text, said)
        rows = cursor.fetchall()
    if not name or rows[0][0] is None:
        raise NotFound(
            "That customer is not here." if whose is not Whose.SUBSCRIPTION else "That is not here."
        )
    features: dict[str, FeatureFacts] = {}
    sources: dict[str, list[Source]] = defaultdict(list)
    for _, public_id, *rest in rows:
        if public_id is not None:
            code, label, kind, unit, combine, per_unit, retired, *source = rest
            features[public_id] = FeatureFacts(
                public_id, code, label, Kind(kind), unit, Combine(combine), per_unit, retired
            )
            if source[1] is not None:
                sources[public_id].append(_source(source))
    return Entitlements(rows[0][0], [entitled(each, sources[each.public_id]) for each in features.values()])


def _source(row: list[Any]) -> Source:
    mode, public_id, subscription, name, since, pk, quantity, granted, amount, text = row
    return Source(
        public_id=public_id,
        subscription=subscription,
        name=name,
        order=(since.isoformat(), pk),
        value=Value(amount, text, granted),
        quantity=quantity,
        mode=Mode(mode) if mode else None,
    )
