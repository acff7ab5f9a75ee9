"""Settings that the app's sessions get from their role (core/sql/roles.sql)."""

import pytest
from django.db import connection


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lock_timeout", "3s"),
        ("statement_timeout", "15s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("jit", "off"),
    ],
)
def test_the_app_gets_its_settings(db: None, setting: str, value: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [setting])
        assert cursor.fetchone()[0] == value
