"""The table of rights that roles and API keys are ticked together in."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from core import registry
from core.registry import Action, Permission
from core.scope import current

HEADS = [
    {
        Action.VIEW: _("See"),
        Action.CREATE: _("Create"),
        Action.EDIT: _("Change"),
        Action.APPROVE: _("Approve"),
        Action.EXPORT: _("Download"),
        Action.DELETE: _("Take away"),
    }[action]
    for action in Action
]


@dataclass(frozen=True, slots=True)
class Box:
    """One tick of the table."""

    permission: Permission
    ticked: bool
    disabled: bool


def rights_table(rights: frozenset[str], *, fixed: bool) -> list[dict[str, Any]]:
    """Rows of modules with a cell of boxes for each kind of action; what the actor may not is not theirs to tick."""
    scope = current()
    return [
        {
            "label": label,
            "cells": [
                [
                    Box(each, each.name in rights, fixed or not scope.may(each.name))
                    for each in registry.permissions.values()
                    if each.module == name and each.action is action
                ]
                for action in Action
            ],
        }
        for name, label in registry.modules.items()
    ]
