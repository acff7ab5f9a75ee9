"""Nothing joins, leaves or changes in a document that was issued, whatever the code above believes."""

import pytest
from django.db import DatabaseError, transaction

from core.scope import Scope, work
from invoicing.models import Line, Party, TaxLine
from invoicing.services.issue import issue
from tests import factories
from tests.factories import DAY

CHILDREN = [Line, TaxLine, Party]
refused = pytest.raises(DatabaseError, match="never change")


@pytest.fixture
def issued(acorn: Scope) -> int:
    with work():
        (document,) = issue([factories.draft_invoice(factories.customer())], issued_on=DAY)
        return int(document.pk)


@pytest.mark.parametrize("model", CHILDREN)
def test_a_part_of_an_issued_document_stays(issued: int, model: type) -> None:
    with work():
        parts = model.objects.filter(document_id=issued)  # type: ignore[attr-defined]
        before = list(parts.values_list())
        assert before
        with refused, transaction.atomic():
            parts.update(organization_id=parts[0].organization_id)
        with refused, transaction.atomic():
            parts.delete()
        assert list(parts.values_list()) == before


@pytest.mark.parametrize("model", CHILDREN)
def test_nothing_is_added_to_an_issued_document(issued: int, model: type) -> None:
    with work():
        part = model.objects.filter(document_id=issued)[0]  # type: ignore[attr-defined]
        part.pk = None
        for field, value in (("position", 99), ("category", "E")):
            if hasattr(part, field):
                setattr(part, field, value)
        # A second party is refused by its key before the trigger speaks.
        with pytest.raises(DatabaseError, match=r"never change|party_once"), transaction.atomic():
            part.save(force_insert=True)


@pytest.mark.parametrize("model", [Line, TaxLine])
def test_nothing_moves_into_or_out_of_an_issued_document(issued: int, model: type) -> None:
    with work():
        draft = factories.draft_invoice(factories.customer())
        parts = model.objects.filter(document_id=draft)  # type: ignore[attr-defined]
        column = {"position": 98} if model is Line else {"category": "E"}
        if not parts:
            copy = model.objects.filter(document_id=issued)[0]  # type: ignore[attr-defined]
            copy.pk, copy.document_id = None, draft
            copy.save(force_insert=True)
        with refused, transaction.atomic():
            parts.update(document_id=issued, **column)
        with refused, transaction.atomic():
            model.objects.filter(document_id=issued).update(document_id=draft, **column)  # type: ignore[attr-defined]


def test_the_party_does_not_leave_an_issued_document(issued: int) -> None:
    with work():
        draft = factories.draft_invoice(factories.customer())
        Party.objects.filter(document_id=draft).delete()
        with refused, transaction.atomic():
            Party.objects.filter(document_id=issued).update(document_id=draft)
