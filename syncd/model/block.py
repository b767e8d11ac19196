"""Our text in the body of an entry: a block between two lines of its own, so that what a person writes around it stays.

What stands outside the block is hers: it is read to be written back with the same change, and never kept or logged.
"""

from __future__ import annotations

BEGIN = "[syncd]"
END = "[/syncd]"


def block(text: str) -> str:
    """*text* as a block; nothing at all for an empty text."""
    return f"{BEGIN}\n{text}\n{END}" if text else ""


def span(body: str) -> tuple[int, int] | None:
    """Where the block begins and ends in *body*; None when a person took it, or one of its lines, away."""
    begin = body.find(BEGIN)
    end = body.find(END, begin)
    return (begin, end + len(END)) if 0 <= begin < end else None


def renewed(body: str, text: str) -> str:
    """*body* with *text* in the place of our block, or above everything when it has none; all else stays as it is."""
    found = span(body)
    if found is None:
        return above(block(text), body)
    if same(body[found[0] : found[1]], block(text)):
        return body
    return body[: found[0]] + block(text) + body[found[1] :]


def above(ours: str, theirs: str) -> str:
    """Both texts, with an empty line between them when there are two."""
    return "\n\n".join(one for one in (ours, theirs) if one.strip())


def same(one: str, other: str) -> bool:
    """Whether two texts say the same; servers and clients rewrite line ends and blanks."""
    return one.split() == other.split()
