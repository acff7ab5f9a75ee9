"""Which gateways an organization can charge through. The sandbox is offered only where settings allow it."""

from django.conf import settings

from cashapp.gateways.port import Gateway
from cashapp.gateways.sandbox import Sandbox
from core.errors import AppError


class NoGateway(AppError):
    """No gateway is set up, so nothing can be charged."""

    status = 409
    code = "no_gateway"


def gateway(name: str = "") -> Gateway:
    """The gateway of this name, or the default one; raises NoGateway."""
    if "sandbox" in settings.PAYMENT_GATEWAYS and name in ("", "sandbox"):
        return Sandbox()
    raise NoGateway("Paying by card is not set up here.")
