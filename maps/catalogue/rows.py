"""The rows of a release, a page at a time: sorted by any field, filtered by words, never counted or skipped through.

A page begins after a row (keyset), so that the hundredth costs as much as the first.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import shapely
from django.contrib.gis.db.models.functions import AsWKB, Envelope, PointOnSurface
from django.db.models import BooleanField, F, Func, JSONField, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, StrIndex
from django.db.models.lookups import GreaterThan

from analysis.disclosure import suppressed
from geo.core.text import normalise
from geo.errors import NotFound
from layers.models import Feature, Layer, Release
from maps.catalogue.asked import FIELD_ORDER, NAME_ORDER, ROW_ORDER, Table, bad_cursor, cursor_of, position_of

PAGE: Final = 50
MOST_COUNTED: Final = 10_000
SAMPLE: Final = 500
"""Rows that are looked at for the fields of a release that does not say them."""

_SAME_LETTERS: Final = ("يىكۀةؤئ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "ییکههوی01234567890123456789")
_MARKS: Final = "[\u0300-\u036f\u064b-\u065f\u0640\u00ad\u200b-\u200f\u2060]"


class _Bare(Func):
    """A text as a reader compares it: without marks and capitals, in the letters and digits of one keyboard."""

    template = (
        "translate(lower(regexp_replace(normalize(%(expressions)s, NFD), '" + _MARKS + "', '', 'g')), '"
        + _SAME_LETTERS[0] + "', '" + _SAME_LETTERS[1] + "')"
    )  # fmt: skip
    output_field = TextField()


class _Values(Func):
    """The values of an object, without the names of its members, as one text."""

    template = "jsonb_path_query_array(%(expressions)s, '$.*')::text"
    output_field = TextField()


class _Without(Func):
    """An object without some members."""

    template = "(%(expressions)s)"
    arg_joiner = " - "
    output_field = JSONField()


class _Text(Func):
    template = "(%(expressions)s)"
    arg_joiner = " || ' ' || "
    output_field = TextField()


class _Pair(Func):
    """Two values compared as one, the first before the second."""

    template = "(%(expressions)s)"
    output_field = TextField()


class _Beyond(Func):
    template = "%(expressions)s"
    output_field = BooleanField()


@dataclass(frozen=True, slots=True)
class Column:
    """A field of a release.

    Attributes
    ----------
    filled : float or None
        Share of rows with a value, 0 to 1; None where it is not known.
    examples : tuple
        Some values.
    is_guarded : bool
        Whether it counts people, so that small numbers are not told to the public.
    """

    name: str
    type: str = ""
    filled: float | None = None
    examples: tuple[Any, ...] = ()
    is_guarded: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One row, as far as the reader may see it.

    Attributes
    ----------
    hidden : frozenset of str
        Fields with a number too small to be told.
    lon, lat, box
        A point on it and its west, south, east, north, in EPSG:4326.
    """

    number: int
    name: str
    attributes: dict[str, Any]
    hidden: frozenset[str]
    lon: float
    lat: float
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of rows.

    Attributes
    ----------
    earlier, later : str
        Places in the order before the first row and after the last, for the pages next to it; empty where there is none.
    count : int or None
        Rows that fit the words, up to `MOST_COUNTED`; None where there are more.
    """

    rows: tuple[Row, ...]
    earlier: str = ""
    later: str = ""
    count: int | None = 0


def columns_of(layer: Layer, release: Release, guarded: frozenset[str] = frozenset()) -> tuple[Column, ...]:
    """Return the fields of a release, in the order of its file; of one that does not say them, those of its first rows."""
    said = [row for row in release.fields if isinstance(row, dict) and row.get("name")]
    if not said and layer.kind != Layer.Kind.RASTER:
        said = _fields_seen(release)
    shares = release.quality.get("filled", {}) if isinstance(release.quality, dict) else {}
    found = []
    for row in said:
        name, filled = str(row["name"]), row.get("filled")
        share = shares.get(name)
        if share is None and isinstance(filled, int) and release.row_count:
            share = min(filled / release.row_count, 1.0)
        is_guarded = name in guarded
        examples = () if is_guarded else tuple(row.get("examples") or ())[:3]
        found.append(Column(name, str(row.get("type") or ""), share, examples, is_guarded))
    return tuple(found)


def _fields_seen(release: Release) -> list[dict[str, Any]]:
    values: dict[str, list[Any]] = {}
    for attributes in Feature.objects.of(release).order_by("number").values_list("attributes", flat=True)[:SAMPLE]:
        for name, value in attributes.items():
            values.setdefault(name, []).append(value)
    whole = release.row_count <= SAMPLE
    return [
        {"name": name, "type": _type_of(found), "filled": len(found) if whole else None, "examples": _different(found)}
        for name, found in values.items()
    ]


def _type_of(values: Sequence[Any]) -> str:
    if all(isinstance(value, bool) for value in values):
        return "boolean"
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in values):
        return "text"
    return "integer" if all(isinstance(value, int) for value in values) else "number"


def _different(values: Sequence[Any], most: int = 3) -> list[Any]:
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
        if len(found) == most:
            break
    return found


def page_of(release: Release, table: Table, columns: Sequence[Column]) -> Page:
    """Return a page of the rows of a release.

    Raises
    ------
    NotFound
        Where the release has no such row, or the table no such column.
    InvalidInput
        Where the place in the order is none.
    """
    guarded = frozenset(column.name for column in columns if column.is_guarded)
    order = _order(table, columns)
    rows = Feature.objects.of(release).alias(_key=order)
    if table.row is not None and not rows.filter(number=table.row).exists():
        raise no_row(release.layer, table.row)
    found = _matching(rows, table.text, guarded)
    count = _count(release, found, table)
    if table.row is not None:
        found = found.filter(number__gte=table.row)
    start = table.after or table.before
    is_backwards = bool(table.before) != table.is_reversed
    if start:
        found = found.filter(_beyond(table.sort, start, is_backwards))
    sign = "-" if is_backwards else ""
    read: list[Any] = list(_read(found.order_by(f"{sign}_key", f"{sign}number").annotate(key=F("_key")))[: PAGE + 1])
    is_more = len(read) > PAGE
    read = read[:PAGE]
    if table.before:
        read.reverse()
        has_earlier, has_later = is_more, True
    else:
        has_earlier, has_later = bool(table.after) or (table.row is not None and table.row > 1), is_more
    if not read:
        return Page((), count=count)
    first, last = (cursor_of(one.key, one.number) for one in (read[0], read[-1]))
    return Page(
        tuple(_row(one, guarded) for one in read),
        first if has_earlier else "",
        last if has_later else "",
        count,
    )


def row_of(release: Release, number: int, columns: Sequence[Column]) -> Row:
    """Return one row of a release.

    Raises
    ------
    NotFound
        Where there is none.
    """
    found = _read(Feature.objects.of(release).filter(number=number)).first()
    if found is None:
        raise no_row(release.layer, number)
    return _row(found, frozenset(column.name for column in columns if column.is_guarded))


def key_of(layer: Layer, row: Row) -> str:
    """Return what names a row's thing in every release: the value of the layer's key field, else the row's number."""
    value = row.attributes.get(layer.key_field) if layer.key_field else None
    return str(row.number if value in (None, "") else value)[:200]


def rows_by_key(layer: Layer, release: Release, keys: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Return the number and name of the rows that keys stand for, in a release."""
    rows = Feature.objects.of(release)
    found: dict[str, tuple[int, str]] = {}
    if layer.key_field:
        keyed = rows.annotate(k=KeyTextTransform(layer.key_field, "attributes")).filter(k__in=list(keys))
        found = {k: (number, name) for k, number, name in keyed.values_list("k", "number", "name")}
    numbers = [int(key) for key in keys if key not in found and key.isascii() and key.isdigit() and len(key) < 10]
    for number, name in rows.filter(number__in=numbers).values_list("number", "name"):
        found[str(number)] = (number, name)
    return found


def no_row(layer: Layer, number: int) -> NotFound:
    """Return the error for a row that a layer has not."""
    return NotFound(
        f"The layer has no row {number}.",
        code="unknown_row",
        where=layer.code,
        remedy="Choose one from its table.",
        details={"row": number},
    )


def _order(table: Table, columns: Sequence[Column]) -> Any:
    """Return what rows are sorted by; a field that is guarded sorts nothing, since the order would tell the numbers."""
    if table.sort == ROW_ORDER:
        return F("number")
    if table.sort == NAME_ORDER:
        return F("name")
    name = table.sort.removeprefix(FIELD_ORDER)
    if table.sort.startswith(FIELD_ORDER) and any(c.name == name and not c.is_guarded for c in columns):
        return Coalesce(KeyTransform(name, "attributes"), _json("null"), output_field=JSONField())
    choices = [ROW_ORDER, NAME_ORDER, *(f"{FIELD_ORDER}{column.name}" for column in columns if not column.is_guarded)]
    raise NotFound(
        f"The table cannot be sorted by {table.sort[:80]!r}.",
        code="bad_sort",
        where="sort",
        remedy="Choose one of its columns.",
        details={"value": table.sort[:80], "choices": choices[:20]},
    )


def _json(text: str) -> Any:
    return Cast(Value(text, output_field=TextField()), JSONField())


def _beyond(sort: str, cursor: str, is_backwards: bool) -> Any:
    """Return the condition "comes later in the order than a place in it"."""
    value, number = position_of(cursor)
    wanted = {ROW_ORDER: int, NAME_ORDER: str}.get(sort)
    if wanted is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
        raise bad_cursor()
    if sort == ROW_ORDER and value != number:
        raise bad_cursor()
    place = Value(value) if wanted is not None else _json(json.dumps(value, ensure_ascii=False))
    sides = _Pair(F("_key"), F("number")), _Pair(place, Value(number))
    return _Beyond(*sides, arg_joiner=" < " if is_backwards else " > ")


def _matching(rows: QuerySet[Feature], text: str, guarded: frozenset[str]) -> QuerySet[Feature]:
    """Keep the rows that hold every word in their name or in a value; guarded fields are not looked into."""
    words = normalise(text).split()
    if text and not words:
        return rows.none()
    attributes: Any = F("attributes")
    for name in sorted(guarded):
        attributes = _Without(attributes, Cast(Value(name), TextField()))
    for word in words:
        rows = rows.filter(GreaterThan(StrIndex(_Bare(_Text(F("name"), _Values(attributes))), Value(word)), 0))
    return rows


def _count(release: Release, found: QuerySet[Feature], table: Table) -> int | None:
    if not table.text:
        return release.row_count
    counted = found.order_by().values("number")[: MOST_COUNTED + 1].count()
    return counted if counted <= MOST_COUNTED else None


def _read(rows: QuerySet[Feature]) -> QuerySet[Feature]:
    """Add a point on each row and its box; the shape itself, which may be large, stays in the database."""
    return rows.annotate(point=AsWKB(PointOnSurface("geometry")), envelope=AsWKB(Envelope("geometry"))).defer(
        "geometry", "geometry_3857"
    )


def _row(one: Any, guarded: frozenset[str]) -> Row:
    point = shapely.from_wkb(bytes(one.point))
    west, south, east, north = (round(float(value), 6) for value in shapely.from_wkb(bytes(one.envelope)).bounds)
    attributes = dict(one.attributes)
    hidden = frozenset(name for name in guarded if _is_small(attributes.get(name)))
    for name in hidden:
        attributes[name] = None
    return Row(
        one.number, one.name, attributes, hidden, round(point.x, 6), round(point.y, 6), (west, south, east, north)
    )


def _is_small(value: Any) -> bool:
    """Tell whether a value is a number of people too small to be told, also where it came as text."""
    if isinstance(value, bool) or value is None:
        return False
    try:
        return suppressed(float(value.replace("٫", ".").replace("٬", "") if isinstance(value, str) else value))
    except (TypeError, ValueError):
        return False
