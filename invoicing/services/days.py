"""Which days an act may be dated: not in the future, and not before what it is about."""

from datetime import date

from core.errors import Invalid
from invoicing.domain.days import issue_problem
from invoicing.models import Document


def issue_day(wished: date | None, *, today: date) -> date:
    """The day of an issue, today unless another one is wished; raises Invalid for one that cannot be."""
    if wished is None:
        return today
    if problem := issue_problem(wished, today):
        raise Invalid(problem, fields={"issued_on": problem})
    return wished


def act_day(wished: date | None, row: Document, *, today: date) -> date:
    """The day of what is done to an issued document, today unless another one is wished; raises Invalid."""
    if wished is None:
        return today
    if wished > today or (row.issued_on is not None and wished < row.issued_on):
        problem = "It is dated from the day of the invoice up to today."
        raise Invalid(problem, fields={"on": problem})
    return wished
