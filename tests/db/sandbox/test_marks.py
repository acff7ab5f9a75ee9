"""What leaves a sandbox on paper says that it is a test; what leaves a live organization says nothing of the kind."""

import pytest
from django.test import Client

from core.scope import Scope, enter, work
from invoicing.services import pdf
from tests import factories
from tests.db.tenants.test_sandbox import client_of

MARK = "Sandbox: a test, not a document. Nothing is to be paid."


@pytest.mark.parametrize("where", ["sandbox", "committed_acorn"])
def test_a_document_of_a_sandbox_says_so_on_its_face(
    where: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope: Scope = request.getfixturevalue(where)
    drawn: list[str] = []

    def draw(html: str) -> bytes:
        drawn.append(html)
        raise pdf.pdf.PdfUnavailable("not here")

    monkeypatch.setattr(pdf.pdf, "render", draw)
    with enter(scope):
        with work():
            made = factories.invoice(factories.customer())
        pdf.make_pdf(made.public_id)
    assert [MARK in html for html in drawn] == [where == "sandbox"]


def test_members_are_not_asked_in_from_a_sandbox(sandbox: Scope) -> None:
    ana: Client = client_of("Ana")
    live = ana.get("/o/acorn/settings/members/").content.decode()
    here = ana.get("/o/acorn-sandbox/settings/members/").content.decode()
    assert "/settings/members/invite/" in live
    assert "/settings/members/invite/" not in here
    assert "Members are those of the live organization" in here
    assert "/o/acorn-sandbox/switch/" in here
    assert 'data-open-dialog="member-' not in here
    assert ana.post("/o/acorn-sandbox/settings/members/invite/", {}).status_code in {409, 422}
