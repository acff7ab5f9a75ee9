"""Who is in the demo and what is sold: invented names, plain data."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Person:
    """A member; the address is theirs in the demo only."""

    name: str
    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer. `habit` says how they pay (see story.py)."""

    name: str
    place: str
    terms_days: int
    habit: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A price of a plan. `share` of 100 subscriptions take it."""

    plan: str
    code: str
    model: str
    unit: str
    unit_price: Decimal
    share: int
    seats: int = 1


@dataclass(frozen=True, slots=True)
class Market:
    """Buyers of one currency, what they are offered, and the tax on it."""

    currency: str
    country: str
    tax_percent: Decimal
    letter: str
    buyers: tuple[Buyer, ...]
    offers: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class House:
    """An organization of the demo with its people, markets and how much happens in it."""

    slug: str
    name: str
    country: str
    currency: str
    zone: str
    tax_percent: str
    owner: Person
    members: tuple[Person, ...]
    markets: tuple[Market, ...]
    subscriptions: int
    manual: int
    mistyped: bool = False
    """Whether one subscription has a quantity that no run can bill, to be found held."""


def _buyers(text: str) -> tuple[Buyer, ...]:
    """One buyer a line: name | place | terms | habit."""
    rows = (line.split("|") for line in text.strip().splitlines())
    return tuple(
        Buyer(name.strip(), place.strip(), int(terms), habit.strip()) for name, place, terms, habit in rows
    )


_GERMAN = _buyers(
    """
    Falkenrath Maschinenbau GmbH|Werkstraße 12, 33602 Bielefeld|30|usual
    Ostermann & Söhne KG|Hafenring 4, 28195 Bremen|14|prompt
    Quellwerk Messtechnik GmbH|Am Anger 7, 07743 Jena|30|prompt
    Brauerei Tannhof GmbH|Tannhof 1, 87435 Kempten|30|late
    Nordlicht Anlagenbau AG|Speicherallee 20, 24103 Kiel|45|usual
    Hutmacher Präzision GmbH|Feinmechanikerweg 3, 78532 Tuttlingen|30|card
    Molkerei Sieben Linden eG|Lindenplatz 7, 29410 Salzwedel|14|usual
    Rheinblick Logistik GmbH|Containerstraße 88, 47119 Duisburg|30|parts
    Dr. Wiesner Labor GmbH|Laborgasse 5, 35037 Marburg|14|card
    Sägewerk Hollerbach OHG|Mühltal 2, 94078 Freyung|30|late
    Kaltenbrunn Kältetechnik GmbH|Eisweg 9, 99084 Erfurt|30|usual
    Petersen Windkraft GmbH & Co. KG|Deichstraße 41, 25813 Husum|45|over
    Glashütte Morgenstern GmbH|Ofenplatz 3, 02943 Weißwasser|30|usual
    Stadtwerke Auental|Rathausplatz 1, 04416 Auental|30|prompt
    Bäckerei Zimt & Korn GmbH|Marktstraße 16, 72070 Tübingen|14|card
    Vogtland Textil GmbH|Spindelweg 22, 08523 Plauen|30|silent
    Lindqvist Solar GmbH|Sonnenallee 210, 12057 Berlin|30|usual
    Eichberg Orgelbau|Kirchgasse 8, 36304 Alsfeld|14|late
    Schwarzwald Uhrenmanufaktur GmbH|Talblick 5, 78120 Furtwangen|30|card
    Hansen Fischverarbeitung GmbH|Kaistraße 30, 27472 Cuxhaven|30|usual
    Aurelia Klinikbetriebe gGmbH|Parkring 14, 93053 Regensburg|45|late
    Zementwerk Rautal GmbH|Bruchweg 1, 06632 Freyburg|30|parts
    Tiefenbach Tunnelbau AG|Stollenstraße 6, 79098 Freiburg|45|prompt
    Elbtal Papierfabrik GmbH|Uferweg 19, 01662 Meißen|30|usual
    Ilmtal Gewächshäuser eG|Gärtnerweg 11, 99425 Weimar|14|prompt
    Kranich Luftfracht GmbH|Rollfeldstraße 2, 04435 Schkeuditz|30|silent
    """
)
_AMERICAN = _buyers(
    """
    Kestrel Freight Inc.|410 Depot Street, Toledo, OH 43604|30|usual
    Bluestem Ag Sensors LLC|88 Prairie Road, Salina, KS 67401|30|prompt
    Harbor & Pine Brewing Co.|17 Wharf Lane, Portland, ME 04101|30|late
    Copperline Transit Authority|900 Union Square, Pueblo, CO 81003|45|usual
    Northgate Robotics Inc.|250 Foundry Way, Pittsburgh, PA 15222|30|card
    Sagebrush Water District|12 Canyon Court, Elko, NV 89801|45|prompt
    Lark Medical Devices Inc.|6 Science Park, Rochester, MN 55901|30|card
    Old Mill Aerospace LLC|700 Hangar Drive, Wichita, KS 67209|30|over
    Redwater Mining Corp.|1 Shaft Road, Butte, MT 59701|45|silent
    Tallgrass Data Centers LLC|300 Relay Avenue, Omaha, NE 68102|30|usual
    Bayou Cold Storage Inc.|44 Levee Street, Lafayette, LA 70501|30|parts
    Granite State Optics Inc.|19 Mill Pond, Keene, NH 03431|14|prompt
    Juniper Peak Resorts LLC|5 Summit Road, Bend, OR 97701|30|usual
    Ironwood Fabrication LLC|61 Anvil Court, Tempe, AZ 85281|30|late
    """
)
_VILLAGE = _buyers(
    """
    Maple Street Bakery|4 Maple Street, Ithaca, NY 14850|14|card
    Cedar Hill Veterinary|31 Cedar Hill Road, Albany, NY 12203|14|usual
    Finch & Daughters Print|9 Canal Street, Troy, NY 12180|30|late
    Hollow Oak Furniture|72 Orchard Lane, Hudson, NY 12534|30|prompt
    Riverbend Canoe Rental|1 Landing Road, Cornwall, NY 12518|14|usual
    Starling Music School|15 Elm Avenue, Kingston, NY 12401|14|parts
    """
)
_WORKSHOP = (
    Offer("Track Basic", "track-basic", "flat", "month", Decimal(29), 22),
    Offer("Track Premium", "track-premium", "flat", "month", Decimal(99), 18),
    Offer("Track Pro", "track-pro", "per_unit", "month", Decimal("14.50"), 18, seats=40),
    Offer("Calibration Care", "calibration-care", "flat", "quarter", Decimal(240), 26),
    Offer("Track Premium, yearly", "track-premium-year", "flat", "year", Decimal(990), 16),
)
_NUMBERS = (
    Offer("Bookkeeping", "bookkeeping", "flat", "month", Decimal(180), 60),
    Offer("Payroll", "payroll", "per_unit", "month", Decimal("12.75"), 40, seats=9),
)

ACORN = House(
    slug="acorn",
    name="Acorn Instruments",
    country="DE",
    currency="EUR",
    zone="Europe/Berlin",
    tax_percent="19",
    owner=Person("Ana", "ana@acorn.example", "owner"),
    members=(
        Person("Ben", "ben@acorn.example", "accounts_manager"),
        Person("Vic", "vic@acorn.example", "viewer"),
    ),
    markets=(
        Market("EUR", "DE", Decimal(19), "K", _GERMAN, _WORKSHOP),
        Market("USD", "US", Decimal(0), "U", _AMERICAN, _WORKSHOP),
    ),
    subscriptions=40,
    manual=48,
    mistyped=True,
)
BIRCH = House(
    slug="birch",
    name="Birch Bookkeeping",
    country="US",
    currency="USD",
    zone="America/New_York",
    tax_percent="0",
    owner=Person("Bea", "bea@birch.example", "owner"),
    members=(),
    markets=(Market("USD", "US", Decimal(0), "B", _VILLAGE, _NUMBERS),),
    subscriptions=4,
    manual=5,
)
HOUSES = (ACORN, BIRCH)

GOODS = (
    ("Torque sensor TS-200", Decimal("418.00")),
    ("Pressure gauge PG-16, calibrated", Decimal("236.50")),
    ("Vibration logger VL-4", Decimal("1249.00")),
    ("On-site calibration, day", Decimal("890.00")),
    ("Installation and training, hour", Decimal("112.00")),
    ("Spare cable set, 5 m", Decimal("37.90")),
    ("Data export, once", Decimal("150.00")),
)
