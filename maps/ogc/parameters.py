"""The query of ``/collections/boundaries/items``: every parameter checked, and nothing accepted that is not defined."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import shapely
from django.db.models import Q
from django.http import QueryDict

from geo.errors import InvalidInput
from maps.ogc.boxes import box_of
from maps.ogc.crs import DEFAULT, Crs, crs_of
from maps.ogc.filtering import LANGUAGES, day_of, equals, filter_of
from maps.ogc.queryables import SCALARS

DEFAULT_LIMIT: Final = 100
MOST_LIMIT: Final = 1000
MOST_OFFSET: Final = 1_000_000
CARRIED: Final = ("status", "datetime", "city")
"""Without effect on documents other than the items, but defined there: GDAL and QGIS add what stands in the address of a
connection to every request, so that a connection can be one to the drafts, or to another day."""

OF_DOCUMENTS: Final = ("f", *CARRIED)
OF_ITEMS: Final = (
    "f", "limit", "offset", "bbox", "bbox-crs", "datetime", "crs", "filter", "filter-lang", "filter-crs", *SCALARS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked of the items.

    Attributes
    ----------
    limit, offset : int
        The page.
    crs : Crs
        Of the answer.
    area_4326 : shapely.Geometry or None
        What features must intersect.
    span : tuple or None
        First and last day (None: open) of which they must be in force in one at least.
    condition : Q
        Of filter and queryables.
    names : frozenset of str
        The queryables it speaks of.
    """

    limit: int = DEFAULT_LIMIT
    offset: int = 0
    crs: Crs = DEFAULT
    area_4326: shapely.Geometry | None = None
    span: tuple[date | None, date | None] | None = None
    condition: Q = field(default_factory=Q)
    names: frozenset[str] = frozenset()


def known_only(given: QueryDict, known: tuple[str, ...]) -> dict[str, str]:
    """Return parameters, each once and none unknown (`/req/core/query-param-unknown`).

    Raises
    ------
    InvalidInput
        Naming the parameter.
    """
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"There is no parameter {name[:60]!r} here.",
                code="unknown_parameter",
                where=f"parameter {name[:60]}",
                remedy=f"The parameters are {', '.join(known)}.",
            )
        if len(given.getlist(name)) > 1:
            raise InvalidInput(
                "The parameter is given more than once.", code="repeated_parameter", where=f"parameter {name}"
            )
    return {name: str(given[name]) for name in given}


def query_of(given: QueryDict) -> Query:
    """Read the query of the items (`/req/core/query-param-invalid`).

    Raises
    ------
    InvalidInput
        Naming the parameter that cannot be used.
    """
    sent = known_only(given, OF_ITEMS)
    box_crs = crs_of(sent["bbox-crs"], "parameter bbox-crs") if "bbox-crs" in sent else DEFAULT
    condition, names = Q(), set[str]()
    for name in SCALARS:
        if name in sent:
            condition &= equals(name, sent[name])
            names.add(name)
    language = sent.get("filter-lang", LANGUAGES[0])
    if language not in LANGUAGES:
        raise InvalidInput(
            "There is no such filter language.",
            code="unknown_language",
            where="parameter filter-lang",
            remedy=f"Give {' or '.join(LANGUAGES)}.",
        )
    filter_crs = crs_of(sent["filter-crs"], "parameter filter-crs") if "filter-crs" in sent else DEFAULT
    if "filter" in sent:
        found = filter_of(sent["filter"], language, filter_crs)
        condition &= found.condition
        names |= found.names
    return Query(
        limit=min(whole_number(sent, "limit", DEFAULT_LIMIT, 1), MOST_LIMIT),
        offset=_offset(sent),
        crs=crs_of(sent["crs"], "parameter crs") if "crs" in sent else DEFAULT,
        area_4326=area_of(sent["bbox"], box_crs) if "bbox" in sent else None,
        span=span_of(sent["datetime"]) if "datetime" in sent else None,
        condition=condition,
        names=frozenset(names),
    )


def _offset(sent: dict[str, str]) -> int:
    offset = whole_number(sent, "offset", 0, 0)
    if offset > MOST_OFFSET:
        raise InvalidInput(
            f"The offset is beyond {MOST_OFFSET:,}.",
            code="bad_number",
            where="parameter offset",
            remedy="Narrow the question by bbox or filter.",
        )
    return offset


def whole_number(sent: dict[str, str], name: str, default: int, least: int) -> int:
    """Return a whole number. One above the maximum is no error: the maximum is taken (`/req/core/fc-limit-response-1`)."""
    if name not in sent:
        return default
    if not re.fullmatch(r"\+?[0-9]{1,400}", sent[name]) or int(sent[name]) < least:
        raise InvalidInput(
            f"This is not a whole number, {least} or more.",
            code="bad_number",
            where=f"parameter {name}",
            remedy="Give digits alone.",
        )
    return int(sent[name])


def span_of(text: str) -> tuple[date | None, date | None]:
    """Return the first and last day of the parameter ``datetime`` (`/req/core/fc-time-definition`); None is an open end.

    Examples
    --------
    >>> span_of("2024-03-20/..")
    (datetime.date(2024, 3, 20), None)
    >>> span_of("2024-03-20T21:00:00Z")  # already the next day in Tehran
    (datetime.date(2024, 3, 21), datetime.date(2024, 3, 21))
    """
    where = "parameter datetime"
    ends = text.split("/")
    if len(ends) == 1:
        day = day_of(text, where)
        return day, day
    if len(ends) != 2:
        raise InvalidInput("An interval has two ends.", code="bad_date", where=where, remedy="Write start/end.")
    low, high = (None if end in ("", "..") else day_of(end, where) for end in ends)
    if low and high and low > high:
        raise InvalidInput(
            "The interval ends before it begins.", code="bad_date", where=where, remedy="Exchange its ends."
        )
    return low, high


def area_of(text: str, crs: Crs) -> shapely.Geometry:
    """Return the area of the parameter ``bbox``, in longitude and latitude."""
    parts = text.split(",")
    numbers: list[Any] = []
    for part in parts[:7]:
        try:
            numbers.append(float(part))
        except ValueError:
            numbers.append(part)
    return box_of(numbers, crs, "parameter bbox")
