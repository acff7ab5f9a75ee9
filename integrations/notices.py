"""What members are told of webhooks."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.events import WebhookDisabled
from integrations.permissions import WEBHOOKS_EDIT
from messaging.domain.ways import Way
from messaging.notices import NEEDED, Kind, Said, declare

declare(
    Kind(
        name="webhook.disabled",
        label=gettext_lazy("A webhook takes nothing any more and is switched off"),
        group=NEEDED,
        permission=WEBHOOKS_EDIT,
        say=lambda told: Said(
            _("A webhook was switched off: %(address)s") % {"address": told.facts["url"]},
            told.facts["why"],
            ("webhooks",),
        ),
        icon="webhook",
        tone="bad",
        way=Way.MAIL,
        fixed=True,
        letter=True,
    ),
    WebhookDisabled,
)
