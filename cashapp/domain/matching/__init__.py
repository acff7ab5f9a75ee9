"""Which open items incoming money pays: proposals with reasons, and which of them are certain.

Pure: the caller hands over lines, open items and what is known about payers, and books what comes back.
"""

from cashapp.domain.matching.engine import propose
from cashapp.domain.matching.reading import Quote
from cashapp.domain.matching.records import Item, Known, Line, Part, Proposal, Reason
from cashapp.domain.matching.text import account_key, key, payer_key, tokens
from cashapp.domain.matching.words import say

__all__ = [
    "Item", "Known", "Line", "Part", "Proposal", "Quote", "Reason",
    "account_key", "key", "payer_key", "propose", "say", "tokens",
]  # fmt: skip
