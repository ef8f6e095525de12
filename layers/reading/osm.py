"""OpenStreetMap data into the rows of one layer, by one rule.

GDAL assembles the geometries: places of nodes, lines of ways, and areas of closed ways and multipolygon relations. It
is given a configuration of our own that passes on all tags, so that the rule alone decides what is taken and what it
becomes. Each kind of element that the rule can take is read once, from the beginning of the file to its end.
"""

import json
import warnings
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyogrio
import shapely
from numpy.typing import NDArray

from layers.reading.limits import Limits
from layers.reading.osm_file import MAX_TEMPORARY_MB
from layers.reading.osm_rules import KEY_FIELD, Condition, Rule, Tags
from layers.reading.plan import Problem, RefusedError

GEOMETRY: Final = "wkb_geometry"

_UNREADABLE: Final = (RuntimeError, OSError, ValueError, LookupError, MemoryError, pa.ArrowException)
# Closed ways with one of these are given as areas; a rule that wants their line takes the outline again.
_AREA_TAGS: Final = (
    "aeroway", "amenity", "area:highway", "boundary", "building", "building:part", "craft", "emergency", "geological",
    "healthcare", "historic", "landuse", "leisure", "man_made=works,wastewater_plant,water_works,reservoir_covered",
    "military", "natural", "office", "place", "power=plant,substation,generator", "public_transport", "shop",
    "social_facility", "sport", "tourism", "water", "waterway=riverbank,dock,dam",
)  # fmt: skip
_ELEMENTS: Final = {"points": "node", "lines": "way", "multipolygons": "relation", "multilinestrings": "relation"}
_LAYERS: Final = {
    "point": ("points", "lines", "multipolygons"),
    "line": ("lines", "multipolygons"),
    "polygon": ("multipolygons", "lines"),
    "any": ("points", "lines", "multipolygons"),
}
_ARROW_TYPES: Final = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
}  # fmt: skip
_TYPES: Final = {"text": "object", "integer": "int64", "number": "float64", "boolean": "bool"}


@dataclass(slots=True)
class Left:
    """Things that a rule takes but that cannot become what it wants, by reason."""

    open_ways: int = 0
    unread_values: dict[str, int] = field(default_factory=dict)

    def problems(self, rule: Rule) -> list[Problem]:
        """Put them into words."""
        found = []
        if self.open_ways:
            found.append(
                Problem(
                    "warning",
                    "left_out",
                    f"{self.open_ways:,} open ways have the tags of '{rule.code}', but enclose no area, and were "
                    "left out.",
                    "Draw them closed in OpenStreetMap, or read them with a rule for lines.",
                )
            )
        for name, count in self.unread_values.items():
            message = f"{count:,} values are not of the type that the rule gives '{name}', and were left out."
            found.append(Problem("warning", "unread_value", message, "Correct them in OpenStreetMap.", field=name))
        return found


def fields_of(rule: Rule) -> dict[str, str]:
    """Give the attributes of a rule's rows, with their types as pyogrio names them."""
    return {KEY_FIELD: "object"} | {attribute.name: _TYPES[attribute.type] for attribute in rule.attributes}


def osm_batches(
    path: Path, rule: Rule, columns: Collection[str] | None, limits: Limits, batch_rows: int, left: Left
) -> Iterator[pa.RecordBatch]:
    """Give the rows of one rule in batches, the geometry last and called ``wkb_geometry``.

    Parameters
    ----------
    path
        The .pbf or .osm file, in a folder that may be written to.
    rule
        What is taken.
    columns
        Attributes to give; all of the rule's if None.
    limits
        Rows accepted.
    batch_rows
        Things looked at together.
    left
        Is told what was left out.

    Raises
    ------
    RefusedError
        If the file breaks off, or there are too many rows.
    """
    wanted = [name for name in fields_of(rule) if columns is None or name in columns]
    done = 0
    for layer in _LAYERS[rule.geometry]:
        for batch in _read(path, layer, [rule], batch_rows):
            tags = [_tags(text) for text in batch.column("all_tags").to_pylist()]
            taken = np.flatnonzero([rule.takes(one) for one in tags])
            if not len(taken):
                continue
            shapes, kept = _shaped(batch, taken, layer, rule, left)
            chosen = taken[kept].tolist()
            if not chosen:
                continue
            done += len(chosen)
            if done > limits.rows:
                message = f"The layer has more than {limits.rows:,} rows."
                raise RefusedError("too_many_rows", message, "Cut it to the city, or narrow the rule.")
            keys = _keys(batch, layer, chosen)
            yield _batch(keys, [tags[index] for index in chosen], shapes[kept], rule, wanted, left)


def osm_counts(path: Path, rules: Sequence[Rule], batch_rows: int) -> dict[str, int]:
    """Count the rows that each of several rules would give, reading the file once; before any check of what they are.

    Parameters
    ----------
    path
        The .pbf or .osm file, in a folder that may be written to.
    rules
        What is counted.
    batch_rows
        Things looked at together.

    Returns
    -------
    dict
        Code of the rule to the number of rows.

    Raises
    ------
    RefusedError
        If the file breaks off.
    """
    counts = dict.fromkeys((rule.code for rule in rules), 0)
    for layer in ("points", "lines", "multipolygons"):
        wanted = [rule for rule in rules if layer in _LAYERS[rule.geometry]]
        # By a tag without which a condition cannot hold: of each thing, few conditions are looked at.
        by_tag: dict[str, list[tuple[Rule, Condition]]] = {}
        for rule in wanted:
            for condition in rule.where:
                by_tag.setdefault(condition.tags[0][0], []).append((rule, condition))
        for batch in _read(path, layer, wanted, batch_rows) if wanted else ():
            taken: dict[str, list[int]] = {}
            for index, text in enumerate(batch.column("all_tags").to_pylist()):
                tags = _tags(text)
                may = {rule.code: rule for tag in tags for rule, one in by_tag.get(tag, ()) if one.holds(tags)}
                for code, rule in may.items():
                    if not any(condition.holds(tags) for condition in rule.unless):
                        taken.setdefault(code, []).append(index)
            for rule in wanted:
                if indices := taken.get(rule.code):
                    counts[rule.code] += int(_shaped(batch, np.array(indices), layer, rule, Left())[1].sum())
    return counts


def _read(path: Path, layer: str, rules: Sequence[Rule], batch_rows: int) -> Iterator[pa.RecordBatch]:
    alternatives = sorted({needed for rule in rules for needed in rule.needed_tags})
    tags = sorted({tag for needed in alternatives for tag in needed})
    configuration = path.with_name("tags.ini")
    configuration.write_text(_configuration(tags), encoding="ascii")
    # GDAL passes over what cannot be taken before it is made a row of.
    where = " OR ".join("(" + " AND ".join(f'"{tag}" IS NOT NULL' for tag in needed) + ")" for needed in alternatives)
    try:
        with (
            warnings.catch_warnings(action="ignore"),
            pyogrio.raw.open_arrow(
                str(path),
                layer=layer,
                where=where,
                use_pyarrow=True,
                batch_size=batch_rows,
                CONFIG_FILE=str(configuration),
                MAX_TMPFILE_SIZE=str(MAX_TEMPORARY_MB),
                # An index whose size follows the number of nodes, not how their numbers are spread.
                USE_CUSTOM_INDEXING="NO",
            ) as (_, reader),
        ):
            yield from reader
    except _UNREADABLE as error:
        detail = " ".join(str(error).replace(str(path), "the file").split(";")[0].split())[:160]
        raise RefusedError(
            "broken_file",
            f"The OpenStreetMap file cannot be read: {detail.rstrip('. ')}.",
            "Download or copy it again; it may be cut off.",
        ) from error


def _configuration(tags: list[str]) -> str:
    """Write what GDAL is to give: every thing with tags, the tags of the rule as columns, and all of them as JSON."""
    head = [
        f"closed_ways_are_polygons={','.join(_AREA_TAGS)}",
        "attribute_name_laundering=no",
        "report_all_tagged_ways=yes",
        "tags_format=json",
    ]
    for layer in ("points", "lines", "multipolygons", "multilinestrings", "other_relations"):
        head += [f"[{layer}]", "osm_id=yes", f"attributes={','.join(tags)}", "other_tags=no", "all_tags=yes"]
    return "\n".join(head) + "\n"


def _tags(text: str | None) -> dict[str, str]:
    try:
        tags = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return {str(tag): value if isinstance(value, str) else json.dumps(value) for tag, value in tags.items()}


def _keys(batch: pa.RecordBatch, layer: str, chosen: list[int]) -> list[str]:
    """Name the things by their kind and number; an area is a relation or a closed way."""
    ids = batch.column("osm_id").to_pylist()
    ways = batch.column("osm_way_id").to_pylist() if "osm_way_id" in batch.schema.names else None
    if ways is None:
        return [f"{_ELEMENTS[layer]}/{ids[index]}" for index in chosen]
    return [f"way/{ways[i]}" if ways[i] is not None else f"relation/{ids[i]}" for i in chosen]


def _shaped(
    batch: pa.RecordBatch, taken: NDArray[np.intp], layer: str, rule: Rule, left: Left
) -> tuple[NDArray[np.object_], NDArray[np.bool_]]:
    """Make of geometries what the rule wants; says which can be that."""
    wkb = batch.column(batch.num_columns - 1).take(pa.array(taken)).to_numpy(zero_copy_only=False)
    shapes = np.asarray(shapely.from_wkb(wkb, on_invalid="ignore"), dtype=object)
    if rule.geometry == "any" or (layer, rule.geometry) == ("points", "point"):
        return shapes, np.ones(len(shapes), dtype=bool)
    if layer == "lines":
        if rule.geometry == "line":
            return shapes, np.ones(len(shapes), dtype=bool)
        closed = shapely.is_closed(shapes) & (shapely.get_num_coordinates(shapes) >= 4)
        left.open_ways += int((~closed).sum())
        areas = shapes.copy()
        coordinates, line_of = shapely.get_coordinates(shapes[closed], return_index=True)
        areas[closed] = shapely.polygons(shapely.linearrings(coordinates, indices=line_of))
        return (areas if rule.geometry == "polygon" else _inside(areas, closed)), closed
    known = ~shapely.is_missing(shapes)
    if rule.geometry == "polygon":
        return shapes, known
    if rule.geometry == "point":
        return _inside(shapes, known), known
    # A closed way is the line round its area; a relation has no line of its own.
    is_way = known & np.asarray(batch.column("osm_way_id").is_valid())[taken]
    rings = shapely.get_exterior_ring(shapely.get_geometry(shapes[is_way], 0))
    lines = shapes.copy()
    lines[is_way] = [shapely.LineString(shapely.get_coordinates(ring)) for ring in rings]
    return lines, is_way


def _inside(areas: NDArray[np.object_], known: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Give a point on the surface of each area: inside it, even where it is curved round its centre."""
    points = areas.copy()
    points[known] = shapely.point_on_surface(areas[known])
    empty = known & shapely.is_empty(points)
    # An area without an inside, such as a line drawn to and fro, still has a place.
    points[empty] = shapely.centroid(areas[empty])
    return points


def _batch(
    keys: list[str], tags: list[Tags], shapes: NDArray[np.object_], rule: Rule, wanted: list[str], left: Left
) -> pa.RecordBatch:
    arrays: dict[str, pa.Array] = {KEY_FIELD: pa.array(keys, pa.string())}
    for attribute in rule.attributes:
        if attribute.name not in wanted:
            continue
        values: list[Any] = [attribute.of(one) for one in tags]
        if attribute.type != "text":
            unread = sum(
                value is None and any(tag in one for tag in attribute.tags)
                for value, one in zip(values, tags, strict=True)
            )
            if unread:
                left.unread_values[attribute.name] = left.unread_values.get(attribute.name, 0) + unread
        arrays[attribute.name] = pa.array(values, _ARROW_TYPES[attribute.type])
    names = [name for name in wanted if name in arrays]
    columns = [arrays[name] for name in names]
    return pa.RecordBatch.from_arrays(
        [*columns, pa.array(shapely.to_wkb(shapes), pa.binary())], names=[*names, GEOMETRY]
    )
