"""The table of kept figures. See core.tallies."""

from django.db import models

from core.base import TenantRow


class Tally(TenantRow):
    """How many rows of a table there are and what they come to, moved by the database with every write of them.

    See core.tallies. Writers that are under way at once each move a `slot` of their own and never wait for each
    other; the sum over the slots is the figure.
    """

    AUDITED = False  # derived from tables that are audited

    topic = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=40)
    mark = models.CharField(max_length=20)
    day = models.DateField()
    slot = models.PositiveSmallIntegerField()
    count = models.BigIntegerField()
    minor = models.BigIntegerField()
    total = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "topic", "kind", "mark", "day", "currency", "slot"], name="tally_once"
            )
        ]
