"""Whether a customer has a feature: one statement, by indexes, however many others there are."""

import re
from collections.abc import Iterator
from functools import partial
from statistics import median

from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.entitlements import Whose, entitlement
from billing.models import Plan
from billing.services.features import Granted, create_feature, set_plan_features
from core.scope import work
from tools.bench.data import acorn, analyze, subscriptions
from tools.bench.lists import FRAMES
from tools.bench.report import Row, seconds

COUNT, FEATURES, ROUNDS = 10_000, 40, 200
TABLES = "billing_feature, billing_featuregrant, billing_featureoverride, billing_price, billing_plan"


def _asked(count: int) -> tuple[float, int, str]:
    """Median seconds of the question among `count` customers, how many statements it takes, and its plan."""
    with acorn():
        subscriptions(count)
        with work():
            for n in range(FEATURES):
                create_feature(name=f"Feature {n}", code=f"feature-{n}", kind="limit")
            grants = [Granted(f"feature-{n}", unlimited=True) for n in range(FEATURES)]
            set_plan_features(Plan.objects.get().public_id, grants)
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO billing_featureoverride (organization_id, public_id, version, created_at, updated_at,"
                    " external_id, metadata, subscription_id, feature_id, mode, granted, amount, text, why)"
                    " SELECT s.organization_id, 'fovr_bench' || s.id, 1, s.created_at, s.updated_at, '', '{}', s.id,"
                    " f.id, 'add', true, 50, '', '' FROM billing_subscription s, billing_feature f"
                    " WHERE f.code = 'feature-7' AND s.id %% 10 = 0",
                    [],
                )
        analyze(TABLES)

        def ask(n: int = 7) -> None:
            with work():
                entitlement(Whose.CUSTOMER, f"cus_bench{count - n}", "feature-7")

        ask()
        with CaptureQueriesContext(connection) as queries:
            ask()
        reads = [
            each["sql"] for each in queries if not each["sql"].startswith((*FRAMES, "SELECT set_config"))
        ]
        with work(), connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {reads[-1]}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
        return median(seconds(partial(ask, n)) for n in range(ROUNDS)), len(reads), plan


def features() -> Iterator[Row]:
    """The question among 10,000 customers against the same among 2,500; whatever its plan does not find by an index."""
    few, _, _ = _asked(COUNT // 4)
    many, statements, plan = _asked(COUNT)
    whole = re.findall(
        r"Seq Scan on (billing_subscription\w*|customers_customer|billing_featureoverride)", plan
    )
    yield Row(
        f"is a feature on, {COUNT:,} customers", f"{many * 1000:.2f} ms", f"{few * 1000:.2f} ms of a quarter",
        many / few, 2, at_least=False,
    )  # fmt: skip
    yield Row("  the same, statements", str(statements), "1 statement", float(statements), 1, at_least=False)
    yield Row("  the same, tables read whole", str(len(whole)), "none", float(len(whole)), 0, at_least=False)
