"""Fields of a release: which there are, of what type, and what people call them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import pyarrow as pa
from django.db import connection

from layers.models import Feature, Release
from layers.writing.formats import Format
from layers.writing.names import field_names

Type = Literal["text", "integer", "number", "boolean", "date", "datetime", "instant", "object", "empty"]

ARROW: Final[Mapping[str, pa.DataType]] = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "datetime": pa.timestamp("ms"),
    "instant": pa.timestamp("ms", "UTC"),
}
"""What types are to Arrow; those that are not here are text."""

NAME: Final = ""
"""Stands for the name that a row has beside its attributes."""


@dataclass(frozen=True, slots=True)
class Column:
    """One field as it goes out.

    Attributes
    ----------
    key
        Of the attribute; `NAME` for the rows' names.
    name
        In the file.
    type
        ``datetime`` has no zone of time, ``instant`` has one; ``object`` is JSON as text.
    below
        Numbers above zero and below this are not told; 0 where all are.
    """

    key: str
    type: Type
    name: str = ""
    title_fa: str = ""
    title_en: str = ""
    unit: str = ""
    description: str = ""
    below: float = 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What has to be known of a release's rows before the first of them is written.

    Attributes
    ----------
    columns
        In the order of the file they came from, named for the format.
    has_multi, has_single
        Whether there are collections of points, lines or polygons, and single ones.
    bounds_4326
        Of all rows; None where there are none.
    """

    columns: tuple[Column, ...]
    has_multi: bool
    has_single: bool
    bounds_4326: tuple[float, float, float, float] | None


def survey(release: Release, form: Format, below: Mapping[str, float], *, is_trusting: bool = True) -> Survey:
    """Look at the rows of a release.

    Parameters
    ----------
    below
        Fields that count people, and the number under which they are not told.
    is_trusting
        Whether types that were found at the import are believed; they are seen again where they prove wrong.
    """
    declared = {str(one["name"]): str(one.get("type", "")) for one in release.fields if one.get("name")}
    told = {str(one["name"]): one for one in release.layer.schema if isinstance(one, dict) and one.get("name")}
    has_names, has_others, has_multi, has_single, *box = _about(release, list(declared))
    if declared and not has_others and is_trusting:
        types = _with_zones(release, declared)
    else:
        found = _inferred(release)
        order = [*declared, *(key for key in told if key not in declared)]
        types = {key: found[key] for key in order if key in found} | found
        types |= {key: "empty" for key in declared if key not in found}
    columns = [Column(NAME, "text", title_fa="نام", title_en="Name")] if has_names else []
    for key, type_ in types.items():
        about = told.get(key, {})
        words = {word: str(about.get(word) or "") for word in ("title_fa", "title_en", "unit", "description")}
        columns.append(Column(key, type_, **words, below=below.get(key, 0.0)))
    keys = [column.key or "name" for column in columns]
    named = [replace(one, name=name) for one, name in zip(columns, field_names(keys, form), strict=True)]
    west, south, east, north = box
    bounds = release.bounds_4326 or (None if west is None else (west, south, east, north))
    return Survey(tuple(named), bool(has_multi), bool(has_single), bounds)


_TYPES: Final = frozenset(get_args(Type))
_TABLE: Final = Feature._meta.db_table

_ABOUT: Final = f"""
SELECT coalesce(bool_or(name <> ''), false),
       coalesce(bool_or(attributes - %(keys)s::text[] <> '{{}}'::jsonb), false),
       coalesce(bool_or(GeometryType(geometry) LIKE 'MULTI%%'), false),
       coalesce(bool_or(GeometryType(geometry) NOT LIKE 'MULTI%%'), false),
       min(ST_XMin(geometry)), min(ST_YMin(geometry)), max(ST_XMax(geometry)), max(ST_YMax(geometry))
FROM {_TABLE} WHERE release_id = %(release)s AND shelf = %(shelf)s
"""  # noqa: S608 - the table's own name

_INFERRED: Final = rf"""
SELECT key, bool_and(kind = 'boolean'), bool_and(kind = 'number'),
       bool_and(kind = 'number' AND text ~ '^-?\d{{1,18}}$'),
       coalesce(bool_or(kind = 'number' AND (text ~ '^-?\d{{16,}}$' OR abs(text::numeric) > 1e308)), false),
       bool_and(kind = 'string'), bool_and(kind = 'string' AND text ~ '^(1[7-9]|2\d)\d\d-\d\d-\d\d$'),
       bool_and(kind = 'string' AND text ~ '^(1[7-9]|2\d)\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{{1,6}})?)?$'),
       bool_and(kind = 'string' AND text ~ '^(1[7-9]|2\d)\d\d-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{{1,6}})?)?(Z|[+-]\d\d:?\d\d)$')
FROM (
    SELECT each.key, jsonb_typeof(each.value) AS kind, each.value #>> '{{}}' AS text
    FROM {_TABLE}, LATERAL jsonb_each(attributes) AS each
    WHERE release_id = %(release)s AND shelf = %(shelf)s
) AS all_values WHERE kind <> 'null' GROUP BY key ORDER BY key
"""  # noqa: S608 - the table's own name


def _about(release: Release, keys: Sequence[str]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_ABOUT, {"release": release.pk, "shelf": release.shelf, "keys": list(keys)})
        row: tuple[Any, ...] = cursor.fetchone()
    return row


def _inferred(release: Release) -> dict[str, Type]:
    """Return the type of every attribute by all of its values; years of the Persian calendar make no date."""
    with connection.cursor() as cursor:
        cursor.execute(_INFERRED, {"release": release.pk, "shelf": release.shelf})
        rows = cursor.fetchall()
    found: dict[str, Type] = {}
    for key, is_truth, is_number, is_whole, is_wide, is_text, is_date, is_time, is_instant in rows:
        kind: Type = "object"
        if is_truth:
            kind = "boolean"
        elif is_number:  # of more digits than a float keeps, all stay only as text
            kind = "integer" if is_whole else "text" if is_wide else "number"
        elif is_text:
            kind = "date" if is_date else "datetime" if is_time else "instant" if is_instant else "text"
        found[key] = kind
    return found


def _with_zones(release: Release, declared: Mapping[str, str]) -> dict[str, Type]:
    """Tell times with a zone from those without: the import calls both ``datetime``."""
    found: dict[str, Type] = {}
    for key, kind in declared.items():
        known: Any = kind if kind in _TYPES else "text"
        if kind == "datetime":
            first = (
                Feature.objects.of(release)
                .filter(attributes__has_key=key)
                .exclude(attributes__contains={key: None})
                .values_list("attributes", flat=True)
                .first()
            )
            text = str(first[key]) if first else ""
            known = "instant" if text.endswith("Z") or "+" in text or text[16:].count("-") else "datetime"
        found[key] = known
    return found
