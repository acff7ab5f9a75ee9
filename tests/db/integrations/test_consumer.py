"""A receiver that loses, doubles and confuses what it is told is whole again after reading the events."""

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from core.relay import relay
from core.scope import Scope, work
from integrations.models import Delivery
from integrations.services import endpoints
from integrations.services.deliver import body_of
from invoicing.services.correct import void
from tests import factories
from tests.db.api.conftest import Program, key_of
from tests.factories import DAY

SHARE = 0.3


class Copy:
    """What a program knows of our things: the newest version of each, and which events it has seen."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.things: dict[str, tuple[int, str]] = {}

    def hear(self, event_id: str, kind: str, thing: str, version: int) -> None:
        """Apply an event once; an older version never replaces a newer one."""
        if event_id in self.seen:
            return
        self.seen.add(event_id)
        known = self.things.get(thing)
        if known is None or (version, kind) > known:
            self.things[thing] = (version, kind)


@pytest.fixture
def told(acorn: Scope) -> Iterator[list[dict[str, Any]]]:
    """What an address is told of a busy day."""
    with work():
        endpoints.add(url="https://erp.example/hook")
        owner = factories.customer()
        for n in range(40):
            document = factories.invoice(owner)
            if n % 3 == 0:
                void(document.public_id, on=DAY, reason="wrong")
            if n % 4 == 0:
                factories.payment(owner, 1_000)
    relay([])
    with work():
        rows = Delivery.objects.select_related("event").order_by("event_id")
        yield [json.loads(body_of(row.event, thin=False)) for row in rows]


def hear(copy: Copy, message: dict[str, Any]) -> None:
    copy.hear(message["id"], message["type"], message["about"], message["about_version"])


@pytest.mark.parametrize("seed", range(5))
def test_after_catching_up_its_copy_is_ours(acorn: Scope, told: list[dict[str, Any]], seed: int) -> None:
    chance = random.Random(seed)
    truth = Copy()
    for message in told:
        hear(truth, message)
    assert len(truth.things) > 50

    poor = Copy()
    arrived = [message for message in told if chance.random() > SHARE]
    arrived += [message for message in arrived if chance.random() < SHARE]
    for place in range(len(arrived)):
        if chance.random() < SHARE:
            other = chance.randrange(len(arrived))
            arrived[place], arrived[other] = arrived[other], arrived[place]
    for message in arrived:
        hear(poor, message)
    assert poor.things != truth.things, "nothing was lost, so nothing is proved"

    program = Program(key_of(acorn))
    address = "/events?limit=100"
    while address:
        page = program.get(address)
        for event in page["data"]:
            poor.hear(event["id"], event["name"], event["about"], event["about_version"])
        address = page["next"]
    assert {thing: poor.things[thing] for thing in truth.things} == truth.things
    assert poor.seen >= truth.seen
