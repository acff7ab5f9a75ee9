"""Figures and dates as people read them, in several languages, without a database."""

import datetime as dt
from decimal import Decimal

import pytest
from django.template import engines
from django.utils import timezone, translation

from core.money import Money
from core.templatetags import fmt, ui

NBSP = "\u00a0"


@pytest.mark.parametrize(
    ("language", "minor", "currency", "shown"),
    [
        ("en", 175557, "GBP", "1,755.57"),
        ("en", -5000, "GBP", "(50.00)"),
        ("en", 0, "USD", "0.00"),
        ("en", 1248000, "JPY", "1,248,000"),
        ("en", 1086250, "KWD", "1,086.250"),
        ("en", -1, "KWD", "(0.001)"),
        ("en", 10**15, "EUR", "10,000,000,000,000.00"),
        ("de", 175557, "EUR", "1.755,57"),
        ("de", -1248000, "JPY", "(1.248.000)"),
        ("fr", 175557, "EUR", "1\u202f755,57"),
        ("xx-unknown", 175557, "EUR", "1,755.57"),
    ],
)
def test_money_has_the_exact_decimals_of_its_currency(
    language: str, minor: int, currency: str, shown: str
) -> None:
    with translation.override(language):
        assert fmt.money(Money(minor, currency)) == shown


def test_money_on_documents_has_a_minus_sign() -> None:
    assert fmt.money_doc(Money(-19084, "GBP")) == "\u2212190.84"
    assert fmt.money_doc(Money(19084, "GBP")) == "190.84"


def test_nothing_is_printed_for_no_amount() -> None:
    assert fmt.money(None) == fmt.money_doc(None) == fmt.money_code(None) == ""


@pytest.mark.parametrize(
    ("minor", "currency", "parts"),
    [
        (54213032, "EUR", ("EUR", "542,130", ".32", "", False, False)),
        (-5000, "GBP", ("GBP", "(50", ".00", ")", False, True)),
        (0, "USD", ("USD", "0", ".00", "", True, False)),
        (1248000, "JPY", ("JPY", "1,248,000", "", "", False, False)),
        (1086250, "KWD", ("KWD", "1,086", ".250", "", False, False)),
    ],
)
def test_parts_join_to_the_whole_figure(minor: int, currency: str, parts: tuple[object, ...]) -> None:
    amount = Money(minor, currency)
    cut = fmt.money_parts(amount)
    assert cut == parts
    assert cut.whole + cut.fraction + cut.tail == fmt.money(amount)


def test_code_stands_before_the_figure_and_never_wraps() -> None:
    assert fmt.money_code(Money(-5000, "GBP")) == f"GBP{NBSP}(50.00)"


@pytest.mark.parametrize(
    ("language", "long", "short", "same_year", "day"),
    [
        ("en", "23 November 2026", "23 Nov 2026", "23 Nov", "Monday, 23 November"),
        ("de", "23. November 2026", "23. Nov. 2026", "23. Nov.", "Montag, 23. November"),
        ("fr", "23 novembre 2026", "23 nov. 2026", "23 nov.", "lundi 23 novembre"),
    ],
)
def test_dates(language: str, long: str, short: str, same_year: str, day: str) -> None:
    value = dt.date(2026, 11, 23)
    with translation.override(language):
        assert fmt.longdate(value) == long
        assert fmt.shortdate(value) == short
        assert fmt.shortdate(value, dt.date(2026, 1, 1)) == same_year
        assert fmt.shortdate(value, dt.date(2027, 1, 1)) == short
        assert fmt.daydate(value).replace("lundi,", "lundi") == day


def test_a_moment_is_the_day_of_the_active_zone() -> None:
    moment = dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC)
    with timezone.override("Asia/Tokyo"):
        assert fmt.shortdate(moment) == "24 Nov 2026"
        assert fmt.clocktime(moment) == "08:30"


def test_a_moment_is_shown_by_the_clock_of_an_organization() -> None:
    at = fmt.local(dt.datetime(2026, 11, 23, 23, 30, tzinfo=dt.UTC), "Europe/Berlin")
    assert (fmt.shortdate(at), fmt.clocktime(at)) == ("24 Nov 2026", "00:30")
    assert fmt.local(None, "Europe/Berlin") is None


@pytest.mark.parametrize(
    ("due", "today", "said"),
    [
        (dt.date(2026, 11, 14), dt.date(2026, 11, 23), "9 days late"),
        (dt.date(2026, 11, 22), dt.date(2026, 11, 23), "1 day late"),
        (dt.date(2026, 11, 23), dt.date(2026, 11, 23), "due today"),
        (dt.date(2026, 11, 24), dt.date(2026, 11, 23), "in 1 day"),
        (dt.date(2026, 12, 23), dt.date(2026, 11, 23), "in 30 days"),
        (1204, None, "1,204 days late"),
        (None, None, ""),
    ],
)
def test_late_is_a_word_and_a_number(due: dt.date | int | None, today: dt.date | None, said: str) -> None:
    assert fmt.days_late(due, today) == said


def test_late_without_today_is_a_mistake_of_the_page() -> None:
    with pytest.raises(ValueError, match="today"):
        fmt.days_late(dt.date(2026, 11, 14))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("482300", "482,300"),
        ("0.0012", "0.0012"),
        ("1.500", "1.5"),
        ("-3", "\u22123"),
        ("0.000000000001", "0.000000000001"),
    ],
)
def test_quantity(value: str, shown: str) -> None:
    assert fmt.quantity(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("ratio", "places", "shown"),
    [
        ("0.422", 1, f"42.2{NBSP}%"),
        ("0.78", 1, f"78{NBSP}%"),
        ("-0.031", 1, f"\u22123.1{NBSP}%"),
        ("0.2", 0, f"20{NBSP}%"),
        ("-0.00001", 1, f"0{NBSP}%"),
    ],
)
def test_percent(ratio: str, places: int, shown: str) -> None:
    assert fmt.percent(Decimal(ratio), places) == shown


def test_bars_fill_exactly_and_hide_nothing() -> None:
    with translation.override("de"):
        found = ui.segments([{"share": 1187}, {"share": 11}, {"share": 0}, {"share": "0.5"}])
    assert found[0].x == "0.000%"
    assert len(found) == 3
    assert all("," not in segment.width for segment in found)
    assert sum(Decimal(segment.width.rstrip("%")) for segment in found) == pytest.approx(
        100, abs=Decimal("0.01")
    )
    assert Decimal(found[2].width.rstrip("%")) > Decimal("0.5")
    assert ui.segments([{"share": 0}]) == []


HOSTILE = '" onfocus=alert(1) autofocus x="'


def render(source: str, **context: object) -> str:
    """Through the loader's compiler, as template files are."""
    from django_cotton.compiler_regex import CottonCompiler

    return engines["django"].from_string(CottonCompiler().process(source)).render(context)


@pytest.mark.parametrize(
    "source",
    [
        '<c-button :title="name">x</c-button>',
        '<c-button :href="name">x</c-button>',
        '<c-button title="{{ name }}" :aria-label="name">x</c-button>',
        '<c-field id="a" :label="name" :value="name" :placeholder="name" />',
        '<c-tab :data-x="name">x</c-tab>',
        '<c-notice :title="name" :data-x="name">{{ name }}</c-notice>',
        '<c-copy :value="name" />',
        '<c-state :word="name" state="paid" />',
        '<c-menu id="m" :label="name" :text="name" />',
        '<c-dialog id="d" :title="name">{{ name }}</c-dialog>',
    ],
)
def test_a_name_cannot_add_an_attribute(source: str) -> None:
    page = render(source, name=HOSTILE)
    assert '" onfocus' not in page
    assert "<b>" not in render(source, name="<b>bold</b>").replace("<b>&lt;b&gt;", "")


def test_a_component_does_not_see_the_page_around_it() -> None:
    assert "icon" not in render(
        "<c-button>Save</c-button>", icon="trash", href="/delete", key="d", reason="no"
    )


def test_colours_of_a_tenant_are_colours() -> None:
    assert ui.css_colour("#0f4a33") == "#0f4a33"
    assert ui.css_colour("#fff} body{display:none") == ui.css_colour("red;") == ui.css_colour(None) == ""
    assert ui.css_colour("#0f4a33\n") == ""


def test_an_unknown_state_shows_its_own_name() -> None:
    assert ui.state_look("half_done").word == "Half done"
    assert "Overdue 9 days" in render('<c-state state="overdue" word="Overdue 9 days" />')
