"""Worlds to match in: matches with their truth, made from a seed or read from a sample file, and made harder.

A world is a list of `Match`: the items of one settlement and the lines that paid them. Everything that hardens a world
works on these, so the truth stays with the money. All rates are assumptions about banks, not measurements.
"""

import csv
import json
import random
import string
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from statistics import median

from cashapp.domain.matching import Item, Known, Line, Quote, account_key, payer_key, propose
from core.money import exponent

SAMPLE = Path(__file__).resolve().parents[4] / "shared" / "data" / "receivables"

Truth = dict[int, frozenset[int]]


@dataclass(frozen=True)
class Match:
    """One settlement. `missing`: the ledger never had its items, so its lines must stay unlinked."""

    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    shape: str
    missing: bool = False


@dataclass(frozen=True)
class World:
    """Settlements of one batch and what was known about payers before it."""

    matches: tuple[Match, ...]
    known: Known
    aliases: dict[int, str]

    def pose(self, rng: random.Random) -> tuple[list[Line], list[Item], Truth, dict[int, str]]:
        """Shuffled lines and items as the engine gets them; the truth and the shape by line id."""
        lines = [line for match in self.matches for line in match.lines]
        items = [item for match in self.matches for item in match.items if not match.missing]
        truth, shapes = {}, {}
        for match in self.matches:
            ids = frozenset() if match.missing else frozenset(item.item_id for item in match.items)
            for line in match.lines:
                truth[line.line_id] = ids
                shapes[line.line_id] = match.shape
        rng.shuffle(lines)
        rng.shuffle(items)
        return lines, items, truth, shapes


def decide(
    world: World, rng: random.Random, gap_needs: Quote = Quote.PROVEN
) -> tuple[Truth, Truth, dict[int, str]]:
    """What the engine is certain of, beside the truth and the shapes."""
    lines, items, truth, shapes = world.pose(rng)
    decided = {
        line_id: frozenset(part.item_id for _, parts in found[0].parts for part in parts)
        for line_id, found in propose(lines, items, world.known, gap_needs).items()
        if found and found[0].certain
    }
    return truth, decided, shapes


# A world made from a seed: several number formats, two names a customer, three shapes.

_SHAPES = ("one_to_one",) * 6 + ("many_to_one",) * 2 + ("one_to_many",) * 2
_FORMATS = ("RE-{y}-{n:05d}", "{n:08d}", "INV/{n}/{y}", "A{n:07d}", "{y}{n:06d}")
_SYLLABLES = "ka ber mon tel vi sor dan lu fer no ris ta gol mi pa zen".split()


def made(seed: int, customers: int = 40, settlements: int = 10) -> World:
    """A year of settlements with random amounts."""
    rng = random.Random(seed)
    names, aliases, accounts = {}, {}, {}
    for customer in range(1, customers + 1):
        word, other = ("".join(rng.choices(_SYLLABLES, k=4)).title() for _ in range(2))
        names[customer] = (
            f"{word} & {rng.choice(['Sons', 'Partner', 'Co.'])} {rng.choice(['GmbH', 'Ltd', 'SRL'])}"
        )
        aliases[customer] = f"{word[0]}{other[0]} {other} {rng.choice(['Group', 'Trading'])}"
        accounts[customer] = [f"XX{rng.randrange(10**18):018d}" for _ in range(3)]
    ids = iter(range(1, 10**9))
    matches = [
        _settle(rng, customer, names, aliases, accounts, ids)
        for customer in names
        for _ in range(settlements)
    ]
    known = Known(
        {payer_key(name): frozenset({customer}) for customer, name in names.items()},
        {payer_key(aliases[customer]): frozenset({customer}) for customer in names if rng.random() < 0.7},
        {
            account_key(accounts[customer][0]): frozenset({customer})
            for customer in names
            if rng.random() < 0.7
        },
    )
    return World(tuple(matches), known, aliases)


def _settle(
    rng: random.Random, customer: int, names: dict[int, str], aliases: dict[int, str],
    accounts: dict[int, list[str]], ids: Iterator[int],
) -> Match:  # fmt: skip
    shape = rng.choice(_SHAPES)
    issued = date(2026, 1, 1) + timedelta(days=rng.randrange(60))
    items = []
    for _ in range(rng.randint(2, 5) if shape == "one_to_many" else 1):
        number = rng.choice(_FORMATS).format(n=rng.randrange(10**5), y=issued.year)
        minor = int(rng.lognormvariate(12, 1.2)) + 500
        due = issued + timedelta(days=30)
        names_of_it = (number, f"{rng.randrange(10**9):09d}")
        items.append(Item(next(ids), customer, customer % 3, "EUR", minor, issued, due, names_of_it))
    total = sum(item.open_minor for item in items)
    amounts = _split(rng, total, rng.randint(2, 4)) if shape == "many_to_one" else [total]
    payer = names[customer] if rng.random() < 0.8 else aliases[customer]
    account = rng.choice(accounts[customer])
    lines = []
    for minor in amounts:
        said = " ".join(rng.choice(item.references) for item in items)
        memo = f"{rng.choice(['', 'PAYMENT ', 'invoice no ', 'Re. '])}{said}{rng.choice(['', ' thank you', ' ref x7'])}"
        paid_on = issued + timedelta(days=rng.randrange(60))
        lines.append(Line(next(ids), payer, account, memo, "EUR", minor, paid_on))
    return Match(tuple(items), tuple(lines), shape)


def _split(rng: random.Random, total: int, count: int) -> list[int]:
    cuts = sorted(rng.sample(range(1, total), count - 1))
    return [end - start for start, end in zip([0, *cuts], [*cuts, total], strict=True)]


# A sample file, by year.


def _minor(text: str, currency: str) -> int:
    scaled = Decimal(text).scaleb(exponent(currency))
    return int(scaled.quantize(Decimal(1), ROUND_HALF_UP))


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def sample(folder: Path = SAMPLE) -> dict[int, list[Match]]:
    """Matches of the sample by fiscal year."""
    read = [
        list(csv.DictReader((folder / f"{name}.csv").open())) for name in ("invoices", "payments", "matches")
    ]
    invoices, payments, matches = read
    numbers = {row["Customer ID"]: int(row["Customer ID"][3:]) for row in invoices}
    by_year: dict[int, list[Match]] = defaultdict(list)
    for row in matches:
        items = tuple(_item(invoices[i], numbers) for i in json.loads(row["invoice_ids"]))
        lines = tuple(_line(payments[i]) for i in json.loads(row["payment_ids"]))
        year = int(invoices[json.loads(row["invoice_ids"])[0]]["Fiscal Year"])
        by_year[year].append(Match(items, lines, row["match_category"]))
    return by_year


def _item(row: dict[str, str], numbers: dict[str, int]) -> Item:
    return Item(
        item_id=int(row["invoice_id"]), customer_id=numbers[row["Customer ID"]], entity_id=int(row["Company Code"]),
        currency=row["Currency Code"], open_minor=_minor(row["Amount"], row["Currency Code"]),
        effective_on=_day(row["Document Date"]), due_on=_day(row["Due Date"]),
        references=(row["Billing Number"], row["Assignment Number"]),
    )  # fmt: skip


def _line(row: dict[str, str]) -> Line:
    return Line(
        line_id=int(row["payment_id"]), payer=row["Business Partner"], account=row["Account Number"],
        memo=row["Memo Line"], currency=row["Currency"], minor=_minor(row["Amount"], row["Currency"]),
        booked_on=_day(row["Posting Date"]),
    )  # fmt: skip


def sample_names(folder: Path = SAMPLE) -> dict[int, str]:
    """Customer names by customer id."""
    with (folder / "invoices.csv").open() as file:
        return {int(row["Customer ID"][3:]): row["Customer Name"] for row in csv.DictReader(file)}


def year_world(by_year: dict[int, list[Match]], names: dict[int, str], year: int) -> World:
    """A year's batch; aliases and accounts are known from the years before it only."""
    own = {payer_key(name): frozenset({customer}) for customer, name in names.items()}
    aliases: dict[str, frozenset[int]] = defaultdict(frozenset)
    accounts: dict[str, frozenset[int]] = defaultdict(frozenset)
    other: dict[int, str] = {}
    for earlier in sorted(by_year):
        for match in by_year[earlier]:
            customer = match.items[0].customer_id
            for line in match.lines:
                if payer_key(line.payer) not in own:
                    other[customer] = line.payer
                if earlier < year:
                    aliases[payer_key(line.payer)] |= {customer}
                    accounts[account_key(line.account)] |= {customer}
    return World(tuple(by_year[year]), Known(own, aliases, accounts), other)


# Harder.


def recurring(world: World, percent: int) -> World:
    """Amounts on a grid of `percent` of the customer's median, so that equal amounts and equal sums are common."""
    amounts = defaultdict(list)
    for match in world.matches:
        amounts[match.items[0].customer_id] += [item.open_minor for item in match.items]
    grids = {customer: max(1, int(median(own)) * percent // 100) for customer, own in amounts.items()}
    return replace(
        world, matches=tuple(_on_grid(match, grids[match.items[0].customer_id]) for match in world.matches)
    )


def _on_grid(match: Match, grid: int) -> Match:
    items = tuple(
        replace(item, open_minor=max(1, round(item.open_minor / grid)) * grid) for item in match.items
    )
    before, after = sum(i.open_minor for i in match.items), sum(i.open_minor for i in items)
    gap = before - sum(line.minor for line in match.lines)
    lines = [replace(line, minor=max(1, line.minor * after // before)) for line in match.lines]
    rest = after - gap - sum(line.minor for line in lines)
    lines[-1] = replace(lines[-1], minor=max(1, lines[-1].minor + rest))
    return Match(items, tuple(lines), match.shape)


@dataclass(frozen=True)
class Rates:
    """Per cent of lines (of settlements for the last two) to which each misfortune happens."""

    digits: int = 35
    cut: int = 10
    empty: int = 12
    payer: int = 30
    account: int = 20
    tiny: int = 30
    fee: int = 10
    missing: int = 8
    unpaid: int = 10


def harden(world: World, seed: int, rates: Rates | None = None) -> World:
    """The same world as a bank might tell it."""
    rng, rates = random.Random(seed), rates or Rates()
    matches = []
    for match in world.matches:
        missing = any(rng.randrange(100) < rates.missing for _ in match.items)
        lines = tuple(_worse(rng, rates, world, match, line) for line in match.lines)
        if not missing and rng.randrange(100) < rates.unpaid:
            lines = ()
        matches.append(replace(match, lines=lines, missing=missing))
    return replace(world, matches=tuple(matches))


def _worse(rng: random.Random, rates: Rates, world: World, match: Match, line: Line) -> Line:
    memo, payer, account, minor = line.memo, line.payer, line.account, line.minor
    if rng.randrange(100) < rates.digits:
        memo = _edit(rng, memo, rng.randint(1, 3))
    fate = rng.randrange(100)
    if fate < rates.empty:
        memo = ""
    elif fate < rates.empty + rates.cut:
        memo = memo[: rng.randint(8, 20)]
    if rng.randrange(100) < rates.payer:
        payer = _rename(rng, payer, world.aliases.get(match.items[0].customer_id, payer))
    if rng.randrange(100) < rates.account:
        account = f"NEW{rng.randrange(10**15):015d}"
    if rng.randrange(100) < rates.tiny:
        minor -= rng.randint(1, max(1, minor * 17 // 10**6))
    if rng.randrange(100) < rates.fee:
        minor -= rng.randint(500, 3500) if rng.random() < 0.5 else minor * rng.randint(20, 30) // 1000
    return replace(line, memo=memo, payer=payer, account=account, minor=max(1, minor))


def _edit(rng: random.Random, memo: str, edits: int) -> str:
    for _ in range(edits):
        places = [i for i, char in enumerate(memo) if char.isdigit()]
        if not places:
            return memo
        at = rng.choice(places)
        new = {"drop": "", "add": memo[at] + rng.choice(string.digits), "change": rng.choice(string.digits)}
        memo = memo[:at] + new[rng.choice(["drop", "add", "change"])] + memo[at + 1 :]
    return memo


def _rename(rng: random.Random, payer: str, alias: str) -> str:
    words = payer.split()
    rng.shuffle(words)
    return rng.choice([alias, payer[: rng.randint(5, 12)], " ".join(words)])
