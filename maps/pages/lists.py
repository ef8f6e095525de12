"""What a list is asked for in its address, read once and checked; and the address of the list asked for something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlencode

from geo.errors import InvalidInput

MOST_PAGES: Final = 100_000


def query_text(values: Mapping[str, str]) -> str:
    """Return a query string; a key whose value is empty is left out.

    Examples
    --------
    >>> query_text({"area": "s01", "page": ""})
    '?area=s01'
    >>> query_text({})
    '?'
    """
    return f"?{urlencode({key: value for key, value in values.items() if value})}"


def choice_from(parameters: Mapping[str, str], name: str, choices: Sequence[str], first: str = "") -> str:
    """Return which of its choices a list is asked for; ``first`` where nothing is said.

    Raises
    ------
    InvalidInput
        Where it is none of them.
    """
    value = parameters.get(name) or first
    if value != first and value not in choices:
        raise InvalidInput(
            f"{value[:40]!r} is none of the choices of this page.",
            code="bad_choice",
            where=name,
            remedy="Choose one of those offered.",
            details={"value": value[:40]},
        )
    return value


def number_from(parameters: Mapping[str, str], name: str, low: int, high: int) -> int | None:
    """Return a whole number that a list is asked for; None where nothing is said.

    Raises
    ------
    InvalidInput
        Where it is none, or none from ``low`` to ``high``.

    Examples
    --------
    >>> number_from({"severity": " 4"}, "severity", 1, 5)
    4
    """
    text = parameters.get(name, "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) <= 10 and low <= int(text) <= high:
        return int(text)
    raise InvalidInput(
        f"This is not a number from {low} to {high}.",
        code="bad_number",
        where=name,
        remedy="Choose one of those offered.",
        details={"low": low, "high": high},
    )


def page_from(parameters: Mapping[str, str]) -> int:
    """Return the page of a list that is asked for; the first where nothing is said.

    Raises
    ------
    InvalidInput
        Where it is no number of a page.
    """
    return number_from(parameters, "page", 1, MOST_PAGES) or 1


def page_text(page: int) -> str:
    """Return a page as an address says it: the first one goes without saying."""
    return "" if page == 1 else str(page)


__all__ = ["MOST_PAGES", "choice_from", "number_from", "page_from", "page_text", "query_text"]
