"""The seal of an issued document: a hash over everything that may never change."""

import hashlib
import json
from typing import Any


def seal(content: dict[str, Any]) -> str:
    """SHA-256 of the content as canonical JSON (sorted keys, no spaces, text for dates and decimals)."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
