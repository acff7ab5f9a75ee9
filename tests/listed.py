"""Days of a year on which periods begin."""

from datetime import date

from hypothesis import strategies as st

from core.periods import Listed, Unit

QUARTER_DAYS = ("03-25", "06-24", "09-29", "12-25")
"""Those of England: Lady Day, Midsummer, Michaelmas, Christmas."""
TERMS = ("02-01", "09-01")
"""Those of a school."""
lists = st.sets(st.dates(date(2001, 1, 1), date(2001, 12, 31)), min_size=1, max_size=24).map(
    lambda days: Listed(tuple(sorted(f"{day:%m-%d}" for day in days)))
)
units = st.sampled_from(Unit) | lists
"""What periods can be counted in, and days that can be listed in its place."""
