"""When the next digest is due: at eight in the morning where the books are, one a local day."""

from datetime import UTC, date, datetime

import pytest

from messaging.domain.ways import next_digest


@pytest.mark.parametrize(
    ("_case", "now", "zone", "day", "due"),
    [
        ("before eight", "2026-11-26T06:00", "Europe/Berlin", "2026-11-26", "2026-11-26T07:00"),
        ("too late to be in it", "2026-11-26T06:51", "Europe/Berlin", "2026-11-27", "2026-11-27T07:00"),
        ("just in time", "2026-11-26T06:50", "Europe/Berlin", "2026-11-26", "2026-11-26T07:00"),
        ("at eight", "2026-11-26T07:00", "Europe/Berlin", "2026-11-27", "2026-11-27T07:00"),
        (
            "at night, there already tomorrow",
            "2026-11-26T23:30",
            "Europe/Berlin",
            "2026-11-27",
            "2026-11-27T07:00",
        ),
        (
            "ten minutes before midnight",
            "2026-11-26T22:55",
            "Europe/Berlin",
            "2026-11-27",
            "2026-11-27T07:00",
        ),
        (
            "the night clocks go forward",
            "2026-03-28T22:00",
            "Europe/Berlin",
            "2026-03-29",
            "2026-03-29T06:00",
        ),
        ("the night clocks go back", "2026-10-24T22:00", "Europe/Berlin", "2026-10-25", "2026-10-25T07:00"),
        ("far in the west", "2026-11-26T06:00", "Pacific/Honolulu", "2026-11-26", "2026-11-26T18:00"),
    ],
)
def test_the_next_digest(_case: str, now: str, zone: str, day: str, due: str) -> None:
    found = next_digest(datetime.fromisoformat(now).replace(tzinfo=UTC), zone)
    assert found[0] == date.fromisoformat(day)
    assert found[1].astimezone(UTC) == datetime.fromisoformat(due).replace(tzinfo=UTC)
