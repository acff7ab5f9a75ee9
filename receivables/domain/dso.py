"""Days sales outstanding by the simple formula: how many days of sales are still to be paid."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from core.money import round_half_up

DAYS = 90


@dataclass(frozen=True, slots=True)
class Dso:
    """Closing receivables / credit sales of the period x days of the period, of one currency; minor units.

    Closing receivables are what is open at the end of the last day, unused credit and payments taken off. Credit
    sales are invoices issued in the period with their tax, as receivables have it too, less credit notes and
    invoices voided in it. The countback method, which uses up sales month by month, is not what this is.
    """

    closing_minor: int = 0
    invoiced_minor: int = 0
    credited_minor: int = 0
    voided_minor: int = 0
    days: int = DAYS

    @property
    def sales_minor(self) -> int:
        return self.invoiced_minor - self.credited_minor - self.voided_minor

    @property
    def value(self) -> Decimal | None:
        """Days to a tenth, halves up; None without sales, 0 where customers are ahead of what they owe."""
        if self.sales_minor <= 0:
            return None
        tenths = Fraction(10 * max(0, self.closing_minor) * self.days, self.sales_minor)
        return Decimal(round_half_up(tenths)) / 10


def first_day(last: date, days: int = DAYS) -> date:
    """The first day of the period that ends with `last`."""
    return last - timedelta(days=days - 1)
