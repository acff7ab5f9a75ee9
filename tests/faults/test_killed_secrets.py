"""Rotation of keys, sealing of the audit, telling of webhooks, killed with kill -9 in the middle: each ends, once."""

import json
import os
import signal
from collections import Counter

import pytest
from django.conf import LazySettings
from django.core.management import call_command

from core import clock, seals, vault
from core.books import verify
from core.models import AuditEntry, AuditSeal, DataKey, Effect, Job
from core.reseal import sealed_fields
from core.scope import Scope, work
from integrations.domain.states import State
from integrations.models import Delivery, DeliveryTry, Endpoint
from integrations.services import endpoints
from tests import factories
from tests.db.core.test_vault import key
from tests.db.integrations.conftest import Receiver, receiver, turn  # noqa: F401
from tests.faults.test_worker_faults import Processes, broker, processes  # noqa: F401

pytestmark = pytest.mark.fault

HOOKS = 60
ROWS = 1_200
"""Three seals."""

DYING = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from core import doors, effects, reseal, seals, vault
from core.scope import enter
from core.tasks import system_scope

place, name, nth, moment, act = sys.argv[1:6]
*inner, name = name.split(".")
place = import_module(place)
for each in inner:
    place = getattr(place, each)
real, calls = getattr(place, name), []

def die(*args, **kwargs):
    calls.append(name)
    if len(calls) == int(nth) and moment == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = real(*args, **kwargs)
    if len(calls) == int(nth):
        os.kill(os.getpid(), signal.SIGKILL)
    return answer

setattr(place, name, die)
reseal.BATCH = 13
if act.startswith("--"):
    from django.core.management import call_command
    call_command("rotate_keys", act, "--organization", "acorn")
else:
    with enter(system_scope(doors.org_of_slug("acorn"))):
        seals.seal_due([]) if act == "seal" else effects.work_off([])
"""


def dies(processes: Processes, place: str, name: str, nth: int, moment: str, act: str) -> None:  # noqa: F811
    """A process is killed before or after the nth call of a function; audit and books hold then too."""
    died = processes.start("-c", DYING, place, name, str(nth), moment, act)
    assert died.wait(120) == -signal.SIGKILL
    all_holds()


def all_holds() -> None:
    call_command("verify_audit")
    with work():
        assert verify() == []


def hooks(count: int = HOOKS) -> dict[str, str]:
    """So many endpoints with a secret each, by public id. Inside work()."""
    texts = {}
    for n in range(count):
        row = Endpoint(url=f"https://shop{n}.example/hook")
        texts[row.public_id] = f"whsec_{n}"
        row.secret = vault.seal(Endpoint, "secret", row.public_id, texts[row.public_id])
        row.save()
    return texts


def secrets_are(texts: dict[str, str]) -> None:
    with work():
        assert {row.public_id: vault.reveal(row, "secret") for row in Endpoint.objects.all()} == texts


def test_a_rotation_of_data_keys_killed_again_and_again_loses_no_secret(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    with work():
        texts = hooks()
        first = vault.newest()
    for place, name, nth, moment, act in (
        ("core.vault", "_make", 1, "after", "--data"),  # the key is made, nothing sealed, nothing committed
        ("core.management.commands.rotate_keys", "reseal", 1, "before", "--data"),  # the key is committed
        ("core.vault", "seal_all", 2, "before", "--resume"),  # in the middle of the second batch
        ("core.reseal", "lock", 3, "after", "--resume"),
        ("core.vault", "seal_all", 1, "after", "--resume"),
    ):
        dies(processes, place, name, nth, moment, act)
        secrets_are(texts)
    with work():
        held = [vault.number_of(row.secret) for row in Endpoint.objects.all()]
        assert first in held
        assert first + 1 in held
    call_command("rotate_keys", "--resume", "--organization", "acorn")
    secrets_are(texts)
    with work():
        assert {vault.number_of(row.secret) for row in Endpoint.objects.all()} == {first + 1}
        assert [each.number for each in DataKey.objects.order_by("number")] == [first, first + 1]
        for model, field in sealed_fields():
            old = model.objects.exclude(**{field: ""}).exclude(
                **{f"{field}__startswith": f"{vault.FORM}.{first + 1}."}
            )
            assert not old.exists()
    all_holds()


def test_a_rotation_of_the_master_key_killed_wraps_all_or_none(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    settings: LazySettings,
) -> None:
    with work():
        texts = hooks(3)
        for _ in range(3):
            vault.next_key()
        before = dict(DataKey.objects.values_list("number", "wrapped"))
    old = settings.MASTER_KEYS
    processes.env["MASTER_KEYS"] = settings.MASTER_KEYS = f"{old} {key('second')}"
    for nth, moment in ((1, "after"), (3, "before"), (4, "after")):
        dies(processes, "core.vault", "MasterKeys.wrap", nth, moment, "--master")
        with work():
            assert dict(DataKey.objects.values_list("number", "wrapped")) == before
        secrets_are(texts)
    call_command("rotate_keys", "--master")
    settings.MASTER_KEYS = settings.MASTER_KEYS.split()[-1]
    secrets_are(texts)


def test_a_sealer_killed_at_any_link_seals_each_row_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
) -> None:
    seals.seal_due([])
    with work():
        for n in range(ROWS):
            Job.objects.create(kind=f"k{n}")
    with work():
        links = AuditSeal.objects.count()
    for nth, moment, made in ((1, "before", 0), (1, "after", 0), (2, "after", 1), (1, "before", 1)):
        dies(processes, "core.doors", "seal_audit", nth, moment, "seal")
        with work():
            assert AuditSeal.objects.count() == links + made
    seals.seal_due([])
    with work():
        sealed = Counter(pk for ids in AuditSeal.objects.values_list("ids", flat=True) for pk in ids)
        assert set(sealed.values()) == {1}
        assert set(sealed) == set(AuditEntry.objects.values_list("pk", flat=True))
        assert seals.prove().waiting == 0
    all_holds()


def test_a_teller_killed_at_any_moment_tells_everything_and_records_it_once(
    committed_acorn: Scope,
    processes: Processes,  # noqa: F811
    receiver: Receiver,  # noqa: F811
) -> None:
    """Who dies before the address took it tells it later; who dies after it did, once more under the same id."""
    processes.env["MASTER_KEYS"] = os.environ.get("MASTER_KEYS", "") or _masters()
    with work():
        endpoints.add(url=receiver.url, events=["invoice.issued"])
        owner = factories.customer()
        told = {factories.invoice(owner).public_id for _ in range(6)}
    turn_to_deliveries(committed_acorn)
    deliver = "integrations.services.deliver"
    for name, nth, moment in (("_prepare", 1, "after"), ("_sent", 1, "before"), ("_record", 1, "before"),
                              ("_record", 2, "after"), ("_sent", 2, "after")):  # fmt: skip
        dies(processes, deliver, name, nth, moment, "work")
        let_go()
    mid_request(processes, receiver)
    let_go()
    receiver.answer = lambda _n, _headers, _body: 200
    for _ in range(3):
        turn(committed_acorn)
        let_go()
    times = Counter(headers["webhook-id"] for headers, _body in receiver.got)
    assert {json.loads(body)["about"] for _headers, body in receiver.got} == told
    assert len(times) == len(told)
    assert (
        sum(times.values()) - len(told) <= 4
    )  # once more for each that died between the answer and its record
    with work():
        assert list(Delivery.objects.values_list("state", flat=True)) == [State.DELIVERED] * len(told)
        assert DeliveryTry.objects.filter(status=200).count() == len(told)
    bodies = {headers["webhook-id"]: body for headers, body in receiver.got}
    assert all(bodies[headers["webhook-id"]] == body for headers, body in receiver.got)
    all_holds()


def mid_request(processes: Processes, receiver: Receiver) -> None:  # noqa: F811
    """The address kills whoever tells it, while it waits for the answer."""
    died = processes.start("-c", DYING, "core.doors", "seal_audit", "99", "before", "work")

    def answer(_n: int, _headers: dict[str, str], _body: bytes) -> int:
        os.killpg(died.pid, signal.SIGKILL)
        return 200

    receiver.answer = answer
    assert died.wait(120) == -signal.SIGKILL


def turn_to_deliveries(scope: Scope) -> None:
    """Events become deliveries that are due; none is told yet."""
    from core.relay import relay
    from core.scope import enter
    from core.tasks import system_scope

    with enter(system_scope(scope.organization_id)):
        relay([])


def let_go() -> None:
    """What a dead worker held runs out; here at once instead of in minutes."""
    with work():
        Effect.objects.filter(done_at=None).update(lease_until=None, due_at=clock.wall())


def _masters() -> str:
    from django.conf import settings

    return str(settings.MASTER_KEYS)
