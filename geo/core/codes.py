"""Codes of places: which one is free for a new place."""

import re
from collections.abc import Collection
from typing import Final

MAX_LENGTH: Final = 80

_NUMBERED: Final = re.compile(r"([a-z-]*?)([0-9]{1,9})")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def free_code(like: str, taken: Collection[str]) -> str:
    """Propose a code that no place has or had, like a given one.

    The browser has the same; `tests/cases/codes.json` holds both to it.

    Parameters
    ----------
    like
        A code such as that of the place a new one is split off.
    taken
        The codes of all places, also of ended ones and of those that exist in drafts alone.

    Returns
    -------
    str
        After letters and a number, the number after the highest of those letters; else the code, a dash and the first
        free number from 2.

    Examples
    --------
    >>> free_code("n001", {"n001", "n017", "s03"}), free_code("old-town", {"old-town", "old-town-2"})
    ('n018', 'old-town-3')
    """
    numbered = _NUMBERED.fullmatch(like)
    if numbered:
        stem, digits = numbered.groups()
        rests = [code[len(stem) :] for code in {*taken, like} if code.startswith(stem)]
        highest = max(int(rest) for rest in rests if _NUMBER.fullmatch(rest))
        return f"{stem}{highest + 1:0{len(digits)}}"
    stem = like[: MAX_LENGTH - 5].rstrip("-")
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"
