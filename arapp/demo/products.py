"""The demo's products, and what belongs to each: what is sold by its own plan, and what comes beside that."""

from datetime import date, timedelta

from arapp.demo.features import PLANS
from arapp.demo.life import at
from arapp.demo.people import House
from billing.listing import plan_rows
from billing.services.products import create_product, move_plan

TRACK, SERVICES = "track", "services"
PRODUCTS = {
    TRACK: ("Track", "Where vehicles are and were, by the month or the year."),
    SERVICES: ("Services", "Hardware, data and help, by themselves or beside a tracker."),
}
"""By code, name and description. What grants features is of the first, the rest of the second."""


def group(house: House, today: date) -> None:
    """The house's plans in their products. Inside work(), before anything is billed."""
    places = {each.public_id: TRACK if each.code in PLANS else SERVICES for each in plan_rows()}
    with at(house, today - timedelta(days=1), 12):
        for code in sorted(set(places.values()), reverse=True):
            name, description = PRODUCTS[code]
            create_product(name=name, code=code, description=description)
        for public_id, code in places.items():
            move_plan(public_id, product=code)
