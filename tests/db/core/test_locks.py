"""Locks: in order, freshly read, and a wait that ends with an answer."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from core import clock
from core.errors import AppError, Busy, Conflict, Forbidden, Invalid, NotFound
from core.locks import claim, lock, lock_one
from core.middleware import ErrorMiddleware
from core.models import HandledEvent, Job, OutboxEvent
from core.scope import Scope, enter, work


def made(count: int) -> list[int]:
    with work():
        return [Job.objects.create(kind=f"{n}").pk for n in range(count)]


def elsewhere(scope: Scope, hold: Callable[[], object]) -> tuple[threading.Event, threading.Thread]:
    """Run `hold` in a transaction of another thread that stays open until the event is set."""
    locked, release = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with enter(scope), work():
                hold()
                locked.set()
                release.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert locked.wait(10)
    return release, thread


def test_rows_are_locked_by_id_whatever_was_asked(acorn: Scope) -> None:
    ids = made(3)
    with work(), CaptureQueriesContext(connection) as queries:
        rows = lock(Job.objects.filter(pk__in=reversed(ids)).order_by("-kind"))
    assert [row.pk for row in rows] == ids
    statement = queries[0]["sql"]
    assert statement.index('ORDER BY "core_job"."id" ASC') < statement.index("FOR NO KEY UPDATE")


def test_one_row_or_not_found(acorn: Scope, birch: Scope) -> None:
    ids = made(2)
    with enter(birch):
        (theirs,) = made(1)
    with work():
        assert lock_one(Job.objects.filter(pk=ids[0])).pk == ids[0]
        for wrong in ([], ids, [theirs]):
            with pytest.raises(NotFound):
                lock_one(Job.objects.filter(pk__in=wrong))


def test_a_lock_shows_what_was_committed_meanwhile(committed_acorn: Scope) -> None:
    (pk,) = made(1)
    release, thread = elsewhere(committed_acorn, lambda: Job.objects.filter(pk=pk).update(message="theirs"))
    threading.Timer(0.3, release.set).start()
    with work():
        assert lock_one(Job.objects.filter(pk=pk)).message == "theirs"
    thread.join()


def test_a_claim_passes_over_what_others_hold(committed_acorn: Scope) -> None:
    ids = made(4)
    release, thread = elsewhere(committed_acorn, lambda: claim(Job.objects.order_by("id"), 2))
    with work():
        assert [job.pk for job in claim(Job.objects.order_by("id"), 5)] == ids[2:]
    release.set()
    thread.join()


def test_a_lock_does_not_block_foreign_key_checks(committed_acorn: Scope) -> None:
    with work():
        event = OutboxEvent.objects.create(
            name="n", object_public_id="x", payload={}, occurred_at=clock.wall(), next_attempt_at=clock.wall()
        )
    release, thread = elsewhere(committed_acorn, lambda: lock(OutboxEvent.objects.all()))
    with work():
        HandledEvent.objects.create(event=event, handler="refers", handled_at=clock.wall())
    release.set()
    thread.join()


def page_of(error: Exception) -> HttpResponse:
    request: Any = RequestFactory().get("/")
    request.request_id, request.csp_nonce = "req_test", ""
    answer = ErrorMiddleware(lambda _: HttpResponse()).process_exception(request, error)
    assert answer is not None
    return answer


def test_a_lock_not_had_in_time_is_a_page_that_says_try_again(committed_acorn: Scope) -> None:
    (pk,) = made(1)
    release, thread = elsewhere(committed_acorn, lambda: lock(Job.objects.filter(pk=pk)))
    with pytest.raises(OperationalError) as caught, work():
        lock(Job.objects.filter(pk=pk))
    release.set()
    thread.join()
    answer = page_of(caught.value)
    assert answer.status_code == 409
    assert "try again" in answer.content.decode()


def test_two_that_wait_for_each_other_end_as_try_again(committed_acorn: Scope) -> None:
    """Ordered locks should make it impossible; where it happens all the same, it is no server error."""
    one, two = made(2)
    barrier = threading.Barrier(2)
    failed: list[Exception] = []

    def cross(first: int, second: int) -> None:
        try:
            with enter(committed_acorn), work():
                lock(Job.objects.filter(pk=first))
                barrier.wait()
                lock(Job.objects.filter(pk=second))
        except OperationalError as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=cross, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failed) == 1
    assert page_of(failed[0]).status_code == 409


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Busy("later"), 409),
        (Conflict("no"), 409),
        (Forbidden("no"), 403),
        (Invalid("no"), 422),
        (AppError("no"), 400),
    ],
)
def test_a_refusal_is_a_page_with_its_sentence(error: AppError, status: int) -> None:
    answer = page_of(error)
    assert answer.status_code == status


def test_any_other_error_stays_one() -> None:
    for error in (ValueError("x"), OperationalError("the server went away")):
        request: HttpRequest = RequestFactory().get("/")
        assert ErrorMiddleware(lambda _: HttpResponse()).process_exception(request, error) is None
