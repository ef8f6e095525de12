"""What an examination found, as JSON: what the file is, its fields with a mapping for each, its problems, a preview."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

import shapely

from geo.core.text import clean_name, normalise
from layers.reading import FieldFacts, Plan, RasterPlan, Rows
from layers.reading.encodings import LIKELY
from layers.reading.schemas import StandardField, suggested_fields

MOST_PROBLEMS: Final = 500
MOST_PREVIEW: Final = 100
MOST_SHOWN: Final = 1_000
_VERTICES_SHOWN: Final = 500
_LONG: Final = 200
_TYPES: Final = frozenset({"text", "integer", "number", "boolean", "date", "datetime"})
_NAMES: Final = tuple(re.sub(r"[\s_]+", "", name) for name in (
    "نام", "name_fa", "namefa", "name", "عنوان", "title", "name_en", "nome",
))  # fmt: skip
Json = dict[str, Any]


def vector_report(plan: Plan, columns: Sequence[FieldFacts], mapping: Sequence[Json]) -> Json:
    """Say what a file of features holds.

    Parameters
    ----------
    plan : Plan
        The file as it was read, with the mapping.
    columns : sequence of FieldFacts
        The columns of its first rows, under the names that the file has.
    mapping : sequence of dict
        What each column becomes.
    """
    by_source = {rule["source"]: rule for rule in mapping}
    by_name = {one.name: one for one in plan.fields}
    fields = []
    for column in columns:
        rule = by_source.get(column.name)
        becomes = by_name.get(rule["name"] or column.name if rule else column.name)
        fields.append(
            column.as_dict()
            | {"filled": becomes.filled if becomes else None, "suggested": rule}
            | {"becomes": becomes.as_dict() if becomes else None}
        )
    return _common(plan) | {
        "encoding": {
            "name": plan.encoding,
            "is_guessed": plan.is_encoding_guessed,
            "candidates": list(plan.encoding_samples) or list(LIKELY),
            "samples": {name: list(texts) for name, texts in plan.encoding_samples.items()},
        },
        "layers": list(plan.layers) or ([plan.layer] if plan.layer else []),
        "layer": plan.layer,
        "kind": plan.kind,
        "n_rows": plan.n_rows,
        "fields": fields,
        "bounds": list(plan.bounds_4326) if plan.bounds_4326 else None,
        "preview": preview(plan.preview),
        "mapping": list(mapping),
    }


def raster_report(plan: RasterPlan) -> Json:
    """Say what a raster holds."""
    return _common(plan) | {
        "kind": "raster",
        "n_rows": plan.valid_pixels,
        "layers": [],
        "fields": [],
        "mapping": [],
        "bounds": list(plan.bounds_4326) if plan.bounds_4326 else None,
        "raster": {
            "width": plan.width,
            "height": plan.height,
            "band": plan.band,
            "bands": plan.bands,
            "type": plan.dtype,
            "minimum": plan.minimum,
            "maximum": plan.maximum,
            "total": plan.total,
            "valid_pixels": plan.valid_pixels,
        },
    }


def _common(plan: Plan | RasterPlan) -> Json:
    return {
        "format": plan.format,
        "crs": _crs(plan),
        "counts": {severity: dict(counts) for severity, counts in plan.counts.items()},
        "problems": [problem.as_dict() for problem in plan.problems[:MOST_PROBLEMS]],
        "is_loadable": plan.is_loadable,
    }


def _crs(plan: Plan | RasterPlan) -> Json:
    found = re.search(r"EPSG:(\d+)", plan.crs)
    told: Json = {"label": plan.crs, "epsg": int(found[1]) if found else None}
    if isinstance(plan, RasterPlan):
        return told | {"is_guessed": False, "is_plausible": None, "candidates": []}
    return told | {
        "is_guessed": plan.is_crs_guessed,
        "is_plausible": plan.is_plausible,
        "candidates": [one.as_dict() for one in plan.candidates],
        "points": [list(point) for point in plan.points],
    }


# ---- fields


def suggested(columns: Sequence[str], schema: Sequence[Json]) -> list[Json]:
    """Suggest what each column of a file becomes: the field of the layer that has its name or title, else itself.

    Examples
    --------
    >>> schema = [{"name": "capacity", "type": "integer", "title_fa": "ظرفيت", "title_en": "Capacity"}]
    >>> suggested(["ظرفیت"], schema)[0]["name"]
    'capacity'
    """
    known: dict[str, Json] = {}
    for field in schema:
        for title in (field.get("name"), field.get("title_fa"), field.get("title_en")):
            if title:
                known.setdefault(_plain(str(title)), field)
    rules: list[Json] = []
    taken = {clean_name(column) for column in columns}
    for column in columns:
        target = known.get(_plain(column))
        own = clean_name(column)
        if target is not None and target["name"] != own and target["name"] in taken:
            target = None
        name = target["name"] if target is not None else own
        taken.add(name)
        kind = (target or {}).get("type")
        rules.append(
            {
                "source": column,
                "name": name,
                "type": kind if kind in _TYPES else None,
                "unit_from": "",
                "unit_to": (target or {}).get("unit") or "",
                "keep": True,
            }
        )
    return rules


def with_standard_fields(fields: Sequence[Json], purpose: str, theme: str) -> list[Json]:
    """Say of each column which standard field of such a layer it could be; null where none has a name like it."""
    found = suggested_fields([field["name"] for field in fields], purpose, theme)
    return [field | {"standard": _standard(found.get(field["name"]))} for field in fields]


def _standard(field: StandardField | None) -> Json | None:
    if field is None:
        return None
    members = ("name", "type", "unit", "title_fa", "title_en", "description")
    return {member: getattr(field, member) for member in members}


def name_field(columns: Sequence[FieldFacts]) -> str | None:
    """Suggest the column with the names of things; None where none is called so.

    Of several that are called so, the likeliest, unless another has more than twice as many values.

    Examples
    --------
    >>> name_field([FieldFacts("id", "text", 2), FieldFacts("نام", "text", 2)]), name_field([FieldFacts("id", "text", 2)])
    ('نام', None)
    >>> name_field([FieldFacts("name_fa", "text", 1), FieldFacts("name", "text", 9)])
    'name'
    """
    plain = {_plain(column.name): column for column in reversed(columns)}
    known = [plain[name] for name in _NAMES if name in plain]
    most = max((column.filled for column in known), default=0)
    return next((column.name for column in known if 2 * column.filled >= most), None)


def _plain(text: str) -> str:
    return re.sub(r"[\s_\-.]+", "", normalise(text))


# ---- what is looked at


def preview(rows: Rows) -> Json:
    """Return the first rows as a table."""
    columns = list(rows.columns)
    table = [
        [int(rows.numbers[i]), rows.names[i], *(_short(rows.columns[name][i]) for name in columns)]
        for i in range(min(MOST_PREVIEW, len(rows)))
    ]
    return {"columns": ["#", "name", *columns], "rows": table}


class Sample:
    """Rows spread evenly over a file that is read in batches, so that its extent shows on the map."""

    def __init__(self) -> None:
        self._kept: list[tuple[shapely.Geometry, Json]] = []
        self._every, self._seen = 1, 0

    def add(self, rows: Rows) -> None:
        """Take some of the next rows."""
        first = -self._seen % self._every
        for i in range(first, len(rows), self._every):
            shape = rows.geometries_4326[i]
            if shape is not None:
                self._kept.append((shape, {"row": int(rows.numbers[i]), "name": rows.names[i]}))
        self._seen += len(rows)
        while len(self._kept) > 2 * MOST_SHOWN:
            self._kept, self._every = self._kept[::2], 2 * self._every

    def features(self) -> Json:
        """Return them, simplified where they have many vertices."""
        every = 1 + (len(self._kept) - 1) // MOST_SHOWN if self._kept else 1
        return collection((_drawn(shape), properties) for shape, properties in self._kept[::every])


def _drawn(shape: shapely.Geometry) -> shapely.Geometry:
    if shapely.get_num_coordinates(shape) <= _VERTICES_SHOWN:
        return shape
    west, south, east, north = shape.bounds
    return shapely.simplify(shape, max(east - west, north - south) / _VERTICES_SHOWN, preserve_topology=False)


def problem_features(plan: Plan | RasterPlan) -> Json:
    """Return the problems that have a place as features, and the geometries that have one."""
    features: list[tuple[shapely.Geometry | None, Json]] = [
        (shapely.Point(one.lon, one.lat), one.as_dict())
        for one in plan.problems
        if one.lon is not None and one.lat is not None
    ]
    if isinstance(plan, Plan):
        features += [
            (one.geometry_4326, {"row": one.row, "severity": one.severity, "code": one.code}) for one in plan.troubles
        ]
    return collection(features)


def collection(features: Iterable[tuple[shapely.Geometry | None, Json]]) -> Json:
    """Return a GeoJSON collection; what has no geometry is left out."""
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": properties}
            for shape, properties in features
            if shape is not None and not shape.is_empty
        ],
    }


def _short(value: Any) -> Any:
    if isinstance(value, str):
        return value[:_LONG]
    return value if isinstance(value, int | float | bool) or value is None else str(value)[:_LONG]
