"""Whether every difference from the last bill was recorded: explain it, or hold it.

A subscription that nobody touched costs what it cost. So what decides an amount is compared term by term with the
last period billed, and each difference needs a recorded change that leads from that value to this one. What kind of
mistake made the difference does not matter.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction

from billing.domain.gate.contract import full_minor, length_of, whole_period
from billing.domain.gate.facts import Crowd, Discount, Finding, Item, Line, Severity, Terms
from billing.domain.gate.look import Look, plain, written
from billing.domain.gate.robust import fold

FEW = 5
"""A crowd of fewer says nothing."""
LARGE_PRICE, LARGE_QUANTITY = 5, 10
"""How many times dearer or cheaper the same plan, and how many times more or less of it, a recorded change may make
before a person should look at that change."""
ORDINARY = 10
"""From fewer units any change is ordinary: one seat becomes twenty."""
_PRICE = (
    "price",
    "model",
    "unit_price",
    "unit",
    "every",
    "dates",
    "tiers",
    "timing",
    "maximum_minor",
    "free",
    "per",
    "more",
)


def changes(look: Look) -> Iterator[Finding]:
    """Findings where something differs from the last bill and nobody recorded why, or the record itself is odd."""
    seen = set()
    for line in look.bill.lines:
        item, last = look.items.get(line.item), look.last(line.item)
        if item is None or line.item in seen:
            continue
        seen.add(line.item)
        if look.bill.past:
            yield from _same_parties(look, line)
        if item.once and last:
            sentence = f"This is billed once, and was on {written(last.span.start)}."
            yield look.finding(
                "once", Severity.WRONG, line, sentence, now=line.span.start, usual=last.span.start
            )
        elif last:
            yield from _compared(look, item, line, last)
        elif look.bill.past and not look.explained(item.id, "item", "", str(item.id)):
            sentence = (
                "Its subscription was billed without this before, and nobody recorded that it was added."
            )
            yield look.finding("added", Severity.ODD, line, sentence, now=item.id, usual="")


def _compared(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    yield from _priced(look, item, line, last)
    if not line.metered and not last.metered:
        yield from _counted(look, item, line, last)
        yield from _unlike(look, item, line, last)
    yield from _taxed(look, item, line, last)
    yield from _granted(look, item, line, last)


def _same_parties(look: Look, line: Line) -> Iterator[Finding]:
    """A subscription stays with its customer and in its currency."""
    last = look.bill.past[-1]
    for what, was, now in (
        ("customer", last.customer, line.customer), ("currency", last.terms.currency, line.terms.currency),
    ):  # fmt: skip
        if was != now:
            sentence = f"The {what} is another than in the last bill."
            yield look.finding(f"{what}_changed", Severity.WRONG, line, sentence, now=now, usual=was)


def _unit_day(line: Line, terms: Terms) -> Fraction | None:
    """What a unit costs a day by its terms, at the line's quantity."""
    full = full_minor(terms, line.quantity)
    length = length_of(terms)
    if full is None or not length or full <= 0:
        return None
    return Fraction(full) / length


def _priced(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    """The price and all that hangs on it."""
    other = [name for name in _PRICE if getattr(item.terms, name) != getattr(last.terms, name)]
    if line.metered != last.metered:
        other.append("metered")
    if item.terms.minimum_minor != last.terms.minimum_minor:
        was, now = str(last.terms.minimum_minor), str(item.terms.minimum_minor)
        if not look.explained(item.id, "minimum", was, now) and not other:
            other = ["minimum_minor"]
    if not other:
        return
    if not look.explained(item.id, "price", last.terms.price, item.terms.price):
        was, now = _price_words(last), _price_words(line)
        sentence = f"The price is {now}; the last time it was {was}, and nobody recorded a change."
        yield look.finding("price", Severity.ODD, line, sentence, now=now, usual=was)
        return
    if item.terms.plan != last.terms.plan:
        return  # to another plan: what that costs is what is sold
    before, after = _unit_day(line, last.terms), _unit_day(line, item.terms)
    if (
        before
        and after
        and line.quantity > 0
        and fold(after, before) >= LARGE_PRICE
        and not _known(look, item, after, line)
    ):
        was, now = _price_words(last), _price_words(line)
        sentence = f"A recorded change took the price from {was} to {now}: is that meant?"
        yield look.finding("large_price", Severity.ODD, line, sentence, now=now, usual=was)


def _known(look: Look, item: Item, unit_day: Fraction, line: Line) -> bool:
    """Whether others pay that price already, so that a move to it is a move to what is sold."""
    crowd = look.scene.prices.get(item.terms.price)
    each = unit_day / Fraction(line.quantity) if item.terms.model == "per_unit" else unit_day
    return usable(crowd) and fold(each, crowd.unit_day) <= LARGE_PRICE if crowd else False


def usable(crowd: Crowd | None, least: int = FEW) -> bool:
    """Whether a crowd is large enough to say what is usual."""
    return crowd is not None and crowd.members >= least and crowd.unit_day > 0


def _price_words(line: Line) -> str:
    terms = line.terms
    each = f"{terms.currency} {terms.unit_price.normalize():f}" if not terms.tiers else f"{terms.model} tiers"
    length = f"per {terms.unit}" if terms.every == 1 else f"per {terms.every} {terms.unit}s"
    if terms.dates:
        length = f"from each of {', '.join(terms.dates)}"
    counted = ", metered" if line.metered else ""
    return f"{each} {length} ({terms.plan}{counted})"


def _counted(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    was, now = last.quantity, line.quantity
    if was == now:
        return
    if not look.explained(item.id, "quantity", plain(was), plain(now)):
        sentence = (
            f"It is billed for {plain(now)}; the last time for {plain(was)}, and nobody recorded a change."
        )
        yield look.finding("quantity", Severity.ODD, line, sentence, now=plain(now), usual=plain(was))
        return
    crowd = look.scene.prices.get(item.terms.price)
    ordinary = usable(crowd) and Fraction(now) <= crowd.quantity[1] if crowd else False
    if min(was, now) >= ORDINARY and fold(Fraction(now), Fraction(was)) >= LARGE_QUANTITY and not ordinary:
        sentence = f"A recorded change took it from {plain(was)} to {plain(now)}: is that meant?"
        yield look.finding("large_quantity", Severity.ODD, line, sentence, now=plain(now), usual=plain(was))


def _unlike(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    """By a model that cannot be recomputed here, the same terms and quantity come to the same amount."""
    if full_minor(item.terms, line.quantity) is not None:
        return
    same = (item.terms.price, line.quantity) == (last.terms.price, last.quantity)
    whole = all(each.span == whole_period(item, each.span.start) for each in (line, last))
    if same and whole and line.amount_minor != last.amount_minor:
        sentence = "Nothing changed that its amount hangs on, and the amount did."
        yield look.finding(
            "unlike", Severity.ODD, line, sentence, now=line.amount_minor, usual=last.amount_minor
        )


def _taxed(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    was, now = plain(last.terms.tax_percent), plain(line.terms.tax_percent)
    if was == now or look.explained(item.id, "tax", was, now):
        return
    if item.terms.price != last.terms.price and look.explained(
        item.id, "price", last.terms.price, item.terms.price
    ):
        crowd = look.scene.prices.get(item.terms.price)
        if crowd and crowd.taxes.get(look.bill.country) == line.terms.tax_percent:
            return
    sentence = f"It is taxed at {now} %; the last time at {was} %, and nobody recorded a change."
    yield look.finding("tax", Severity.ODD, line, sentence, now=now, usual=was)


def _granted(look: Look, item: Item, line: Line, last: Line) -> Iterator[Finding]:
    """Discounts that came or went without a word. One that ran out by its own terms needs none."""
    before = {discount_field(each): each for each in last.terms.discounts}
    after = {discount_field(each): each for each in item.terms.discounts}
    for field in sorted(before.keys() | after.keys()):
        was, now = before.get(field), after.get(field)
        if was == now or (now is None and was and not was.holds(line.span.start)):
            continue
        if not look.explained(item.id, field, discount_words(was), discount_words(now)):
            name = next(each.name for each in (now, was) if each)
            sentence = (
                f"The discount {name} is {discount_words(now) or 'not granted'};"
                f" the last time it was {discount_words(was) or 'not granted'}, and nobody recorded a change."
            )
            yield look.finding(
                "discount_changed", Severity.ODD, line, sentence,
                now=discount_words(now), usual=discount_words(was),
            )  # fmt: skip


def heeded(look: Look) -> Iterator[Finding]:
    """Findings where a change was recorded and the contract does not show it."""
    for (number, field), changes in look.said.items():
        item = look.items.get(number)
        line = next((each for each in look.bill.lines if each.item == number), None)
        what = field.partition(" ")[0]
        if item is None or line is None or what not in _SHOWS:
            continue
        was, now = changes[-1]
        shown = _SHOWS[what](item, was, now)
        if shown != now:
            sentence = f"The {what} was recorded as {now or 'none'}; the contract has {shown or 'none'}."
            yield look.finding("unheeded", Severity.WRONG, line, sentence, now=shown, usual=now)


def _discount_shown(item: Item, was: str, now: str) -> str:
    words = [discount_words(each) for each in item.terms.discounts]
    return next((each for each in (now, was) if each in words), "")


_SHOWS: dict[str, Callable[[Item, str, str], str]] = {
    "price": lambda item, _was, _now: item.terms.price,
    "quantity": lambda item, _was, now: now if item.quantity is None else plain(item.quantity),
    "tax": lambda item, _was, _now: plain(item.terms.tax_percent),
    "end": lambda item, _was, _now: item.ends_on.isoformat() if item.ends_on else "",
    "discount": _discount_shown,
}


def discount_field(discount: Discount) -> str:
    """What recorded changes of a discount name as their field: another of its name, on other days, is another."""
    return f"discount {discount.name} {discount.since}"


def discount_words(discount: Discount | None) -> str:
    """A discount as recorded changes write it; nothing for none."""
    if discount is None:
        return ""
    until = f" until {discount.until.isoformat()}" if discount.until else ""
    per = " a bill" if discount.per_bill else ""
    return f"{discount.name} {plain(discount.percent)} % {discount.amount_minor}{per}{until}"
