"""Public ids: named, sortable, unlike each other."""

import re
from datetime import UTC, datetime, timedelta

import time_machine

from core import ids


def test_an_id_names_its_kind() -> None:
    assert re.fullmatch(r"inv_[0-9A-HJKMNP-TV-Z]{26}", ids.new("inv"))


def test_ids_differ() -> None:
    assert len({ids.new("x") for _ in range(5000)}) == 5000


def test_ids_sort_by_the_time_they_were_made() -> None:
    made = []
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as now:
        for _ in range(20):
            made.append(ids.new("x"))
            now.shift(timedelta(milliseconds=1))
    assert made == sorted(made)
