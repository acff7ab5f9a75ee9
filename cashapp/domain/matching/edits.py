"""How many edits away a reference is from the nearest place in a memo.

Bit-parallel dynamic programming over one column per character: G. Myers, A fast bit-vector algorithm for
approximate string matching based on dynamic programming, Journal of the ACM 46 (1999).
"""


def may_occur(pattern: str, text: str, limit: int) -> bool:
    """False when `pattern` is surely more than `limit` edits from every substring of `text`.

    Of limit + 1 slices of the pattern at least one survives `limit` edits unharmed.
    """
    size = len(pattern) // (limit + 1)
    for start in range(0, size * (limit + 1), size or 1):
        if pattern[start : start + size] in text:
            return True
    return size == 0


def substring_edits(pattern: str, text: str) -> int:
    """The fewest insertions, deletions and replacements that turn `pattern` into some substring of `text`."""
    size = len(pattern)
    if pattern in text:
        return 0
    masks: dict[str, int] = {}
    for position, char in enumerate(pattern):
        masks[char] = masks.get(char, 0) | 1 << position
    everything, last = (1 << size) - 1, 1 << (size - 1)
    rises, falls = everything, 0  # the column's vertical steps of +1 and of -1
    here = best = size
    for char in text:
        hits = masks.get(char, 0)
        diagonal = (((hits & rises) + rises) ^ rises) | hits | falls
        up = falls | ~(diagonal | rises)
        down = rises & diagonal
        here += ((up & last) != 0) - ((down & last) != 0)
        if here < best:  # noqa: PLR1730 - a call for each character is what costs most here
            best = here
        up, down = up << 1, down << 1  # a match may begin anywhere, so nothing is carried into the first row
        rises = (down | ~(diagonal | up)) & everything
        falls = up & diagonal & everything
    return best
