"""Short ways to write lines, items and what is known; one customer, Nordwind (1), and another, Südwind (2)."""

from datetime import date

from cashapp.domain.matching import Item, Known, Line, Proposal, account_key, payer_key, propose

PAID_ON = date(2026, 3, 20)
KNOWN = Known(
    names={payer_key("Nordwind GmbH"): frozenset({1}), payer_key("Südwind GmbH"): frozenset({2})},
    aliases={payer_key("NW Treasury"): frozenset({1}), payer_key("Wind Holding"): frozenset({1, 2})},
    accounts={account_key("DE11 2222 3333"): frozenset({1})},
)


def line(
    line_id: int, minor: int, memo: str = "", *, payer: str = "Nordwind GmbH", account: str = "",
    on: date = PAID_ON, currency: str = "EUR",
) -> Line:  # fmt: skip
    return Line(line_id, payer, account, memo, currency, minor, on)


def item(
    item_id: int, minor: int, *references: str, customer: int = 1, entity: int = 1, on: date = date(2026, 2, 1),
    currency: str = "EUR",
) -> Item:  # fmt: skip
    names = references or (f"RE-2026-{item_id:04d}",)
    return Item(item_id, customer, entity, currency, minor, on, date(2026, 3, item_id % 28 + 1), names)


def matched(lines: list[Line], items: list[Item], known: Known = KNOWN) -> dict[int, list[Proposal]]:
    return propose(lines, items, known)


def certain(lines: list[Line], items: list[Item], known: Known = KNOWN) -> dict[int, dict[int, int]]:
    """Of each line that is decided: minor units by item id."""
    return {
        line_id: {
            part.item_id: part.minor for own, parts in found[0].parts if own == line_id for part in parts
        }
        for line_id, found in matched(lines, items, known).items()
        if found and found[0].certain
    }


def doubts(lines: list[Line], items: list[Item], known: Known = KNOWN) -> set[str]:
    """Why the best proposal of the first line is not certain; fails when there is none or it is."""
    best = matched(lines, items, known)[lines[0].line_id][0]
    assert not best.certain
    return {reason.code for reason in best.doubts}
