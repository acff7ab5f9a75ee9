"""The PDF of an issued document: made once, stored with its hash, never made again."""

from django.template.loader import render_to_string

from core import files, pdf
from core.errors import Conflict
from core.scope import work
from invoicing.domain.states import State
from invoicing.models import Document
from invoicing.selectors import view
from invoicing.services.addresses import pay_url
from invoicing.sheets import sheet


def make_pdf(public_id: str) -> None:
    """Render and store the PDF of an issued document unless it is there. Opens its own transactions.

    Reads in one transaction, renders and writes the file in none, names it in another; of two workers the first
    to name its file wins and the other's stays unnamed. A machine that cannot make PDF is written on the
    document for a person to see; a document that fails raises PdfFailed to be tried again.
    """
    with work():
        shown = view(public_id)
        if shown.document.state == State.DRAFT:
            raise Conflict("A draft has no PDF yet.")
        if shown.document.pdf_id is not None:
            return
        page = sheet(shown, pay_url=pay_url(shown.document))
    try:
        data = pdf.render(render_to_string("invoicing/document_pdf.html", {"doc": page}))
    except (pdf.PdfUnavailable, pdf.PdfFailed) as problem:
        with work():
            Document.objects.filter(public_id=public_id).update(pdf_problem=problem.message[:300])
        if isinstance(problem, pdf.PdfFailed):
            raise
        return
    name = f"{shown.document.number}.pdf"
    stored = files.store(data, kind="document", name=name, content_type="application/pdf")
    with work():
        Document.objects.filter(public_id=public_id, pdf=None).update(pdf=stored, pdf_problem="")
