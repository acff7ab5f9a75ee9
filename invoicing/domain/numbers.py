"""How document numbers look. The counter is the database's; this only writes it down."""

PREFIXES = {"invoice": "INV", "credit_note": "CN"}


def document_number(kind: str, entity_code: str, year: int, counter: int) -> str:
    """`INV-2026-00042`; a second legal entity's code stands before the year: `INV-2-2026-00042`."""
    entity = "" if entity_code == "1" else f"{entity_code}-"
    return f"{PREFIXES[kind]}-{entity}{year}-{counter:05d}"
