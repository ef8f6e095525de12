"""What a reader asks of the catalogue's pages: read from the query string once, and checked."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from geo.errors import InvalidInput
from layers.models import Layer

FRESHNESS: Final = ("fresh", "old", "unknown", "empty")
"""Within its time of renewal, past it, without one (or without a date), and without a release."""

SHOWN: Final = ("current", "warnings", "archived")
MOST_PAGES: Final = 10_000
LONGEST_SEARCH: Final = 100

ROW_ORDER: Final = "number"
NAME_ORDER: Final = "name"
FIELD_ORDER: Final = "field:"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which layers a list shows; empty texts mean any.

    Attributes
    ----------
    show : str
        ``current``, ``warnings`` (the last import had some) or ``archived`` (for those who may change layers).
    page : int
        From 1.
    """

    text: str = ""
    theme: str = ""
    kind: str = ""
    city: str = ""
    freshness: str = ""
    show: str = "current"
    page: int = 1

    def query(self, **changes: str | int) -> str:
        """Return the query string of this list with some keys changed; what is not said is left out."""
        state = replace(self, **{"page": 1, **changes})  # type: ignore[arg-type]
        values = {
            "q": state.text, "theme": state.theme, "kind": state.kind, "city": state.city, "freshness": state.freshness,
            "show": "" if state.show == "current" else state.show, "page": "" if state.page == 1 else str(state.page),
        }  # fmt: skip
        text = urlencode({key: value for key, value in values.items() if value})
        return f"?{text}" if text else "?"

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.text or self.theme or self.kind or self.city or self.freshness or self.show != "current")


def wanted_from(parameters: Mapping[str, str]) -> Wanted:
    """Read which layers are asked for.

    Raises
    ------
    InvalidInput
        Where a choice is none of the page's.
    """
    return Wanted(
        text=_text(parameters, "q"),
        theme=parameters.get("theme", "")[:60],
        kind=_choice(parameters, "kind", Layer.Kind.values),
        city=parameters.get("city", "")[:80],
        freshness=_choice(parameters, "freshness", FRESHNESS),
        show=_choice(parameters, "show", SHOWN) or "current",
        page=_page(parameters.get("page", "")),
    )


@dataclass(frozen=True, slots=True)
class Table:
    """Which rows of a layer a table shows.

    Attributes
    ----------
    text : str
        Words that a row must hold in its name or in a value.
    sort : str
        ``number``, ``name``, or ``field:`` and a field's name.
    is_reversed : bool
        Whether the greatest comes first.
    after, before : str
        A place between two rows, as `cursor_of` writes it; at most one of the two.
    row : int or None
        A row at which the page begins; then the order is that of the rows.
    release : int or None
        An older release; None for the newest.
    """

    text: str = ""
    sort: str = ROW_ORDER
    is_reversed: bool = False
    after: str = ""
    before: str = ""
    row: int | None = None
    release: int | None = None

    def query(self, **changes: Any) -> str:
        """Return the query string of this table with some keys changed; where it begins is left out unless said."""
        state = replace(self, **{"after": "", "before": "", "row": None, **changes})
        order = (
            "" if state.sort == ROW_ORDER and not state.is_reversed else ("-" if state.is_reversed else "") + state.sort
        )
        values = {
            "q": state.text, "sort": order, "after": state.after, "before": state.before,
            "row": "" if state.row is None else str(state.row),
            "release": "" if state.release is None else str(state.release),
        }  # fmt: skip
        text = urlencode({key: value for key, value in values.items() if value})
        return f"?{text}" if text else "?"

    def sorted_by(self, column: str) -> str:
        """Return the query string that sorts by a column, the other way round where it already is."""
        return self.query(sort=column, is_reversed=self.sort == column and not self.is_reversed)


def table_from(parameters: Mapping[str, str]) -> Table:
    """Read which rows are asked for; whether the layer has such a field is seen later.

    Raises
    ------
    InvalidInput
        Where a number is none.
    """
    sort = parameters.get("sort", "")[:300] or ROW_ORDER
    row = _number(parameters, "row")
    return Table(
        text="" if row is not None else _text(parameters, "q"),
        sort=ROW_ORDER if row is not None else sort.removeprefix("-"),
        is_reversed=row is None and sort.startswith("-"),
        after="" if row is not None else parameters.get("after", "")[:2_000],
        before="" if row is not None or parameters.get("after") else parameters.get("before", "")[:2_000],
        row=row,
        release=_number(parameters, "release"),
    )


def cursor_of(value: Any, number: int) -> str:
    """Write a place in an order: the value that is sorted by, and the row's number.

    Examples
    --------
    >>> position_of(cursor_of("پارک", 7))
    ('پارک', 7)
    """
    said = json.dumps([value, number], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def position_of(cursor: str) -> tuple[Any, int]:
    """Read a place in an order.

    Raises
    ------
    InvalidInput
        Where it is none.
    """
    try:
        value, number = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**31:
            raise ValueError(number)
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()  # lone surrogates cannot be asked for
        if "\\u0000" in text or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(value)
    except (ValueError, TypeError, binascii.Error, RecursionError, UnicodeError) as error:
        raise bad_cursor() from error
    return value, number


def bad_cursor() -> InvalidInput:
    """Return the error for a place in an order that is none."""
    return InvalidInput(
        "The place in the table cannot be used.",
        code="bad_cursor",
        where="after",
        remedy="Begin with the first page, and go on from there.",
    )


def _text(parameters: Mapping[str, str], key: str) -> str:
    return parameters.get(key, "").replace("\x00", "").strip()[:LONGEST_SEARCH]


def _choice(parameters: Mapping[str, str], key: str, choices: Any) -> str:
    value = parameters.get(key, "")
    if value and value not in choices:
        raise InvalidInput(
            f"The list cannot be filtered by {value[:40]!r}.",
            code="bad_filter",
            where=key,
            remedy=f"Choose one of {', '.join(choices)}.",
            details={"value": value[:40], "choices": list(choices)},
        )
    return value


def _page(text: str) -> int:
    return min(max(int(text), 1), MOST_PAGES) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _number(parameters: Mapping[str, str], key: str) -> int | None:
    text = parameters.get(key, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(
            f"{text[:20]!r} is no number of a {key}.",
            code="bad_row",
            where=key,
            remedy="Give a whole number.",
            details={"value": text[:20]},
        )
    return int(text)
