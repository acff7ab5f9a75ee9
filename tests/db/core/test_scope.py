"""The tenant is set in work(), nowhere else; without it nothing can be read or written."""

import threading
from dataclasses import replace

import pytest
from django.db import OperationalError, ProgrammingError, connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from core.middleware import ErrorMiddleware
from core.models import Job
from core.scope import InsideWork, NoTenant, OtherTenant, Scope, enter, inside_work, refuse_inside_work, work


def test_reading_outside_a_scope_raises_even_on_an_empty_table(db: None) -> None:
    with pytest.raises(NoTenant):
        Job.objects.count()


def test_a_new_thread_starts_without_a_scope(acorn: Scope) -> None:
    seen: list[type] = []

    def read() -> None:
        try:
            with work():
                pass
        except NoTenant as error:
            seen.append(type(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert seen == [NoTenant]


def test_raw_sql_without_work_is_refused_by_the_database(acorn: Scope) -> None:
    with pytest.raises(Exception, match=r"app.organization_id|bigint"), transaction.atomic():
        # a table with rows: of an empty one the policy need never be asked
        connection.cursor().execute("SELECT * FROM tenants_membership")


def test_a_row_written_for_another_organization_is_refused(acorn: Scope, birch: Scope) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), work():
        Job.objects.create(kind="x", organization_id=birch.organization_id)


def test_each_organization_sees_its_own_rows_only(acorn: Scope, birch: Scope) -> None:
    with work():
        Job.objects.create(kind="mine")
    with enter(birch), work():
        assert Job.objects.count() == 0
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM core_job")
            assert cursor.fetchone()[0] == 0


def test_nested_work_joins_and_another_organization_inside_it_is_refused(acorn: Scope, birch: Scope) -> None:
    with work(), work():
        assert inside_work()
        with pytest.raises(OtherTenant), enter(birch):
            pass


def test_vendor_calls_are_refused_while_a_transaction_is_open(acorn: Scope) -> None:
    refuse_inside_work("Mail")
    with work(), pytest.raises(InsideWork):
        refuse_inside_work("Mail")


def test_the_setting_is_gone_after_commit(committed_acorn: Scope) -> None:
    with work():
        Job.objects.create(kind="kept")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.organization_id', true)")
        assert cursor.fetchone()[0] in ("", None)


@pytest.mark.parametrize(
    ("origin", "limit"), [("page", "15s"), ("api", "15s"), ("worker", "5min"), ("command", "5min")]
)
def test_a_statement_may_take_as_long_as_its_origin_allows(
    committed_acorn: Scope, origin: str, limit: str
) -> None:
    with enter(replace(committed_acorn, origin=origin)), work(), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == (limit,)
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("15s",), "what was set is over with the transaction"


def test_a_page_that_takes_too_long_says_so(acorn: Scope, rf: RequestFactory) -> None:
    with pytest.raises(OperationalError) as stopped, work(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20ms'; SELECT pg_sleep(5)")
    answer = ErrorMiddleware(lambda request: HttpResponse()).process_exception(rf.get("/"), stopped.value)
    assert answer is not None
    assert (answer.status_code, b"took too long" in answer.content) == (503, True)
