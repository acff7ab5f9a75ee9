"""The word of a row and the filter of a list say the same of every subscription."""

from datetime import timedelta

import pytest

from billing.domain.anchors import Rhythm
from billing.listing import subscriptions
from billing.models import Subscription
from billing.services.lifecycle import pause
from billing.services.run import run_billing
from billing.services.subscriptions import end
from billing.standing import STATES, state_of
from core import clock
from core.scope import Scope, work
from tests.db.billing.test_lifecycle import bought


@pytest.fixture
def one_of_each(acorn: Scope) -> dict[str, Subscription]:
    """A subscription in each state today, and some a day away from another one."""
    today = clock.today("Europe/Berlin")
    day = timedelta(days=1)
    with work():
        made = {
            "past_due": bought(30, today - 40 * day),
            "active": bought(30, today),
            "scheduled": bought(30, today + day),
            "trialing": bought(30, today - day, rhythm=Rhythm(trial_days=2)),
            "trial is over": bought(30, today - day, rhythm=Rhythm(trial_days=1)),
            "paused": bought(30, today),
            "pauses tomorrow": bought(30, today),
            "held": bought(30, today),
            "ended": bought(30, today - day),
            "ends tomorrow": bought(30, today),
        }
    run_billing(today - 39 * day)
    with work():
        pause(made["paused"].public_id, on=today, resumes_on=today + day, today=today)
        pause(made["pauses tomorrow"].public_id, on=today + day, today=today)
        end(made["ended"].public_id, on=today, today=today)
        end(made["ends tomorrow"].public_id, on=today + day, today=today)
        Subscription.objects.filter(pk=made["held"].pk).update(held_at=clock.now())
    return made


def test_each_is_found_by_the_word_that_it_has(one_of_each: dict[str, Subscription]) -> None:
    today = clock.today("Europe/Berlin")
    with work():
        said = {row.pk: state_of(row) for row in subscriptions()}
        for name, row in one_of_each.items():
            assert said[row.pk] == (name if name in STATES else "active"), name
        for state in STATES:
            found = set(subscriptions(state=state, today=today).values_list("pk", flat=True))
            same = {pk for pk, word in said.items() if word == state}
            assert same <= found if state == "active" else same == found, state
