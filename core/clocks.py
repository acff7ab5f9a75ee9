"""Moving the clock of a sandbox: the row that says how far it is to go."""

from django.db import models

from core.base import TenantForeignKey, TenantRow


class ClockAdvance(TenantRow):
    """A sandbox's clock is on its way to `target`, in business time, and `reached` so far; one at a time.

    Whoever moves it has the lease; `turn` is theirs alone, so that one who lost it moves nothing any more.
    """

    AUDITED = False  # each step is audited where the clock stands, the wish as its job

    job = TenantForeignKey("core.Job")
    began = models.DateTimeField()
    target = models.DateTimeField()
    reached = models.DateTimeField()
    turn = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    failures = models.PositiveSmallIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(ended_at=None), name="clockadvance_one"
            ),
            models.CheckConstraint(
                condition=models.Q(target__gt=models.F("began")), name="clockadvance_forward"
            ),
        ]
