"""What is unusual in an access log, rule by rule, at its edges."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tenants.domain.unusual import FAILURES, REFUSALS, Before, Line, Reason, reasons

AT = datetime(2026, 11, 25, 10, tzinfo=UTC)  # a Wednesday
NOTHING = Before({7: 1}, {(7, "a"): 1}, {}, {})
LINE = Line(5, "signed_in", 7, "a", AT)


def test_an_ordinary_line_has_no_reason() -> None:
    assert reasons(LINE, NOTHING) == []
    assert reasons(replace(LINE, kind="signed_out", user_id=None), NOTHING) == []


def test_the_first_sign_in_from_an_address_is_new_but_not_the_first_of_all() -> None:
    before = Before({7: 1}, {(7, "a"): 1, (7, "b"): 5}, {}, {})
    assert reasons(replace(LINE, address="b"), before) == [Reason.NEW_ADDRESS]
    assert reasons(replace(LINE, id=6, address="b"), before) == []
    assert reasons(replace(LINE, id=1), before) == []


@pytest.mark.parametrize(
    ("kind", "reason", "many"),
    [("signed_in", Reason.AFTER_FAILURES, FAILURES), ("refused", Reason.MANY_REFUSALS, REFUSALS)],
)
def test_many_within_an_hour_are_many(kind: str, reason: Reason, many: int) -> None:
    def found(count: int, ago: timedelta) -> list[Reason]:
        moments = {7: tuple(AT - ago for _ in range(count))}
        before = Before({7: 1}, {(7, "a"): 1}, moments, moments)
        return reasons(replace(LINE, kind=kind), before)

    assert found(many, timedelta(minutes=59)) == [reason]
    assert found(many, timedelta(hours=1)) == [reason]
    assert found(many, timedelta(minutes=61)) == []
    assert found(many - 1, timedelta(minutes=1)) == []
    assert found(many, -timedelta(minutes=1)) == []


@pytest.mark.parametrize(
    ("day", "hour", "odd"), [(25, 5, True), (25, 6, False), (25, 21, False), (25, 22, True), (28, 12, True)]
)
def test_a_file_taken_at_night_or_at_the_weekend_is_odd(day: int, hour: int, odd: bool) -> None:
    line = replace(LINE, kind="exported", local=AT.replace(day=day, hour=hour))
    assert reasons(line, NOTHING) == ([Reason.ODD_HOUR] if odd else [])
