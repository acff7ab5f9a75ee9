"""Databases and data for the rows: a clone of the migrated template, filled by plain SQL."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any
from uuid import uuid4

from django.db import connection

from core import bulk
from core.scope import Scope, enter, work
from core.tasks import system_scope
from tests.databases import own_database

DAY = date(2026, 11, 1)


@contextmanager
def acorn() -> Iterator[Scope]:
    """Acorn's scope in a fresh database of its own."""
    from core import doors

    with (
        own_database(f"arapp_bench_{uuid4().hex[:8]}"),
        enter(system_scope(doors.org_of_slug("acorn") or 0)) as scope,
    ):
        yield scope


def subscriptions(count: int, starts_on: date = DAY, price: Mapping[str, Any] | None = None) -> None:
    """`count` monthly subscriptions of as many customers from a day on, flat unless a price is said."""
    from billing.services.prices import create_price
    from billing.services.subscriptions import subscribe
    from tests import factories

    with work():
        owner = factories.customer()
        if price is None:
            first = factories.subscription(owner, starts_on, model="flat")
        else:
            made = create_price(name="Track", code="track", currency=owner.currency, **price)
            first = subscribe(customer=owner.public_id, price=made, starts_on=starts_on)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO customers_customer (organization_id, public_id, version, created_at, updated_at,"
                " external_id, metadata, name, name_key, number, entity_id, email, address, country, currency, zone,"
                " terms_days) SELECT organization_id, 'cus_bench' || n, 1, created_at, updated_at, '', '{}',"
                " 'Customer ' || n, 'customer ' || n, 'B' || n, entity_id, '', '', 'DE', currency, zone, terms_days"
                " FROM customers_customer, generate_series(2, %s) n WHERE id = %s",
                [count, first.customer_id],
            )
    # The checks of the next rows' references are planned by what is known of the customers: nothing, until now.
    analyze("customers_customer")
    with work():
        bulk.plan_anew()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO billing_subscription (organization_id, public_id, version, created_at, updated_at,"
                " external_id, metadata, customer_id, price_id, quantity, state, starts_on, anchor, proration,"
                " refund, zone, autopay, next_bill_on, next_bill_at, held_reason)"
                " SELECT c.organization_id, 'sub_bench' || c.id, 1, s.created_at, s.updated_at, '', '{}', c.id,"
                " s.price_id, 1, 'active', s.anchor, s.anchor, 'day', false, s.zone, false, s.next_bill_on,"
                " s.next_bill_at, ''"
                " FROM customers_customer c, billing_subscription s WHERE s.id = %s AND c.public_id LIKE 'cus_bench%%'",
                [first.pk],
            )
            cursor.execute(
                "INSERT INTO billing_subscriptionitem (organization_id, public_id, version, created_at, updated_at,"
                " external_id, metadata, subscription_id, price_id, quantity, role, paused, starts_on)"
                " SELECT organization_id, 'si_bench' || id, 1, created_at, updated_at, '', '{}', id, price_id,"
                " quantity, 'plan', false, anchor FROM billing_subscription WHERE public_id LIKE 'sub_bench%%'"
            )
    analyze()


def analyze(tables: str = "customers_customer, billing_subscription, billing_subscriptionitem") -> None:
    """Fresh statistics of what was seeded, and the marks of what all may see, as autovacuum leaves them. Never of empty
    tables: the server would then plan to read them whole."""
    from contextlib import closing

    import psycopg2

    from tests.databases import OWNER_URL, with_name

    with closing(psycopg2.connect(with_name(OWNER_URL, connection.settings_dict["NAME"]))) as session:
        session.autocommit = True
        session.cursor().execute(f"VACUUM ANALYZE {tables}")
