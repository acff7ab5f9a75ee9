"""What the gate found, as it is stored, shown and given."""

from collections.abc import Mapping, Sequence

from billing.domain.gate import Finding

REASON = 500
"""Longest reason why a subscription is held, in characters."""

Held = tuple[int, str, tuple[Finding, ...]]
"""A subscription that is put aside, the reason in words, and what the gate found of it."""


def held(findings: Mapping[int, tuple[Finding, ...]]) -> list[Held]:
    """What the gate holds, each with its reason."""
    return [(pk, reason_of(found), found) for pk, found in findings.items()]


def reason_of(found: Sequence[Finding]) -> str:
    """What was found in one text: all of it while it fits, the first of it at least."""
    return " ".join(each.sentence for each in found)[:REASON]


def told(found: Sequence[Finding]) -> list[dict[str, str]]:
    """Findings as they are stored and given."""
    return [
        {
            "kind": each.kind,
            "severity": str(each.severity),
            "item": str(each.item),
            "start": each.start.isoformat(),
            "sentence": each.sentence,
            "now": each.now,
            "usual": each.usual,
            "key": each.key,
        }
        for each in found
    ]
