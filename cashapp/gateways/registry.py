"""Which gateways an organization can charge through.

A sandbox has the sandbox gateway and no other, whatever the settings say; a live organization has it only where they
allow it.
"""

from django.conf import settings

from cashapp.gateways.port import Gateway
from cashapp.gateways.sandbox import Sandbox
from core.errors import AppError
from core.sandbox import is_sandbox


class NoGateway(AppError):
    """No gateway is set up, so nothing can be charged."""

    status = 409
    code = "no_gateway"


def plays() -> bool:
    """Whether the scope's organization charges through the sandbox gateway, so that no money moves."""
    return is_sandbox() or Sandbox.name in settings.PAYMENT_GATEWAYS


def gateway(name: str = "") -> Gateway:
    """The gateway of this name, or the default one; raises NoGateway."""
    if plays():
        if name in ("", Sandbox.name):
            return Sandbox()
        raise NoGateway("A sandbox charges through its own gateway alone.")
    raise NoGateway("Paying by card is not set up here.")
