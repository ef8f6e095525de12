"""Checks of shape: there is a geometry, of the right kind, flat, finite, of a reasonable size, and valid."""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import shapely

from geo.core.measuring import area_m2
from geo.core.validity import repair
from geo.errors import GeometryError
from layers.reading.examination import Examination, Indices
from layers.reading.plan import Kind, Problem
from layers.reading.wording import option

_KINDS: Final[tuple[Kind, ...]] = ("point", "line", "polygon")
# By shapely's type ids: point, line, ring, polygon, and the multi-types; a collection (7) has no kind of its own.
_KIND_OF_TYPE: Final = np.array([0, 1, 1, 2, 0, 1, 2, -1])
_REASON: Final = re.compile(r"^(?P<what>.*?)\s*\[\s*(?P<x>[^\s\]]+)\s+(?P<y>[^\s\]]+)\s*\]?")


def check_missing(rows: Examination) -> None:
    """Find rows without a geometry; a repair leaves them out."""
    empty = shapely.is_missing(rows.geometries) | shapely.is_empty(rows.geometries)
    indices = np.flatnonzero(empty & rows.good)

    def describe(index: int) -> tuple[str, str]:
        geometry = rows.geometries[index]
        what = (
            "no geometry"
            if geometry is None
            else "a point without coordinates (empty, or NaN)"
            if geometry.geom_type == "Point"
            else f"an empty {geometry.geom_type}"
        )
        if rows.rules.repair:
            return f"The row has {what}; it is left out.", ""
        return f"The row has {what}.", f"Draw it, delete the row, or leave such rows out with {option('repair')}."

    if rows.rules.repair:
        rows.report("repaired", "no_geometry", indices, describe)
        rows.kept[indices] = False
        rows.good[indices] = False
    else:
        rows.report("error", "no_geometry", indices, describe)


def check_types(rows: Examination) -> None:
    """Settle what kind of layer it is, and find rows of another kind; a repair takes collections apart."""
    good = rows.good_indices()
    if not len(good):
        return
    kinds = _KIND_OF_TYPE[shapely.get_type_id(rows.geometries[good])]
    plain = kinds[kinds >= 0]
    if rows.rules.expect is not None:
        wanted = _KINDS.index(rows.rules.expect)
    elif rows.seen.kind is not None:
        wanted = _KINDS.index(rows.seen.kind)
    elif len(plain):
        wanted = int(np.bincount(plain, minlength=3).argmax())
    else:
        wanted = int(max(shapely.get_dimensions(rows.geometries[good])))
    rows.kind = _KINDS[wanted]
    _collections(rows, good[kinds < 0], wanted)
    wrong = good[(kinds >= 0) & (kinds != wanted)]

    def describe(index: int) -> tuple[str, str]:
        found = rows.geometries[index].geom_type
        if rows.rules.expect is not None:
            return f"The row is a {found}, but the layer holds {rows.kind}s.", "Correct or delete the row."
        most = f"most rows are {rows.kind}s"
        return f"The row is a {found}, but {most}.", "Split the file: one file for points, lines and polygons each."

    code = "mixed_geometry_types" if rows.rules.expect is None else "wrong_geometry_type"
    if len(wrong) == len(good) and rows.rules.expect is not None:
        found = rows.geometries[good[0]].geom_type
        kind = rows.kind
        rows.report_whole(
            code, wrong, len(good),
            lambda which: (
                f"{which} are of another kind (the first is a {found}); the layer holds {kind}s.",
                "Choose the right file, or another kind of layer.",
            ),
        )  # fmt: skip
    else:
        rows.report("error", code, wrong, describe)


def _collections(rows: Examination, indices: Indices, wanted: int) -> None:
    name = _KINDS[wanted]
    if not rows.rules.repair:
        rows.report(
            "error", "geometry_collection", indices,
            lambda _: ("The row is a collection of geometries.", f"Keep only its {name}s with {option('repair')}."),
        )  # fmt: skip
        return
    multi: Callable[[list[shapely.Geometry]], shapely.Geometry] = (
        shapely.MultiPoint,
        shapely.MultiLineString,
        shapely.MultiPolygon,
    )[wanted]
    hopeless = []
    for index in indices:
        parts = shapely.get_parts(rows.geometries[index])
        while (shapely.get_type_id(parts) > 3).any():
            parts = shapely.get_parts(parts)
        fitting = parts[_KIND_OF_TYPE[shapely.get_type_id(parts)] == wanted]
        if not len(fitting):
            hopeless.append(index)
            continue
        rows.geometries[index] = multi(list(fitting))
        message = f"Of a collection the {len(fitting)} {name}s were kept and {len(parts) - len(fitting)} parts dropped."
        rows.log.add(Problem("repaired", "geometry_collection", message, row=int(rows.numbers[index])))
    rows.report(
        "error", "wrong_geometry_type", np.array(hopeless, dtype=np.intp),
        lambda _: (f"The row is a collection without any {name}.", "Correct or delete the row."),
    )  # fmt: skip


def drop_heights(rows: Examination) -> None:
    """Keep x and y only, saying so."""
    good = rows.good_indices()
    raised = good[shapely.has_z(rows.geometries[good]) | shapely.has_m(rows.geometries[good])]
    if not len(raised):
        return
    rows.geometries[raised] = shapely.force_2d(rows.geometries[raised])
    first = int(rows.numbers[raised[0]])

    def problem(n: int, _: int) -> Problem:
        message = f"{n:,} rows have heights (Z) or measures (M); only x and y are kept."
        return Problem("warning", "heights_dropped", message, "Nothing to do.", first)

    rows.log.add_whole("warning", "heights_dropped", len(raised), len(good), problem)


def check_vertices(rows: Examination) -> None:
    """Find geometries with too many vertices; from here on the coordinates are at hand."""
    good = rows.good_indices()
    rows.xy, owner = shapely.get_coordinates(rows.geometries[good], return_index=True)
    rows.owner = good[owner]
    counts = np.bincount(rows.owner, minlength=len(rows.geometries))
    limit = rows.rules.limits.vertices_per_row
    rows.report(
        "error", "too_many_vertices", np.flatnonzero(counts > limit),
        lambda index: (
            f"The geometry has {counts[index]:,} vertices, more than {limit:,}.",
            "Simplify it, or split it into several rows.",
        ),
    )  # fmt: skip


def check_finite(rows: Examination) -> None:
    """Find coordinates that are NaN or infinite."""
    finite = np.isfinite(rows.xy)
    broken = ~(finite[:, 0] & finite[:, 1])  # a tenth of the time that `all` takes along so short an axis
    places = np.flatnonzero(broken)
    indices, first = np.unique(rows.owner[places], return_index=True)
    vertex = dict(zip(indices.tolist(), places[first].tolist(), strict=True))
    start = np.searchsorted(rows.owner, indices)
    starts = dict(zip(indices.tolist(), start.tolist(), strict=True))

    def describe(index: int) -> tuple[str, str]:
        x, y = rows.xy[vertex[index]]
        number = vertex[index] - starts[index] + 1
        return f"Vertex {number} is ({x:g}, {y:g}), not two finite numbers.", "Correct or delete the vertex."

    rows.report("error", "not_finite", indices, describe, placed=False)


def check_valid(rows: Examination) -> None:
    """Find lines and areas that are not valid, with the place of the fault; a repair mends them."""
    if rows.kind == "point":
        return
    good = rows.good_indices()
    invalid = good[~shapely.is_valid(rows.geometries[good])]
    if rows.rules.repair:
        for index in invalid:
            _mend(rows, int(index))
        return

    def problem(index: int) -> Problem:
        what, x, y = _reason(rows.geometries[index])
        return Problem(
            "error", "invalid_geometry", f"The geometry is not valid: {what}.",
            f"Redraw it there, or accept the repair offered with {option('repair')}.",
            int(rows.numbers[index]), lon=x, lat=y,
        )  # fmt: skip

    rows.log.add_rows("error", "invalid_geometry", invalid, problem)
    rows.drop(invalid)


def _mend(rows: Examination, index: int) -> None:
    broken = rows.geometries[index]
    what, x, y = _reason(broken)
    row = int(rows.numbers[index])
    try:
        mended, _ = repair(broken)
    except GeometryError as error:
        message = f"The geometry is not valid and cannot be mended: {what}. {error.message}"
        rows.log.add(Problem("error", "invalid_geometry", message, error.remedy, row, lon=x, lat=y))
        rows.drop(np.array([index]))
        return
    rows.geometries[index] = mended
    message = f"The geometry was not valid ({what}) and was mended."
    if rows.kind == "polygon":
        before, after = (float(area) for area in area_m2([broken, mended]))
        change = f"{100 * (after / before - 1):+.3f} %" if before > 0 else "it had none"
        message += f" Its area was {before:,.1f} m² and is {after:,.1f} m² ({change})."
    rows.log.add(Problem("repaired", "invalid_geometry", message, "Look at it there.", row, lon=x, lat=y))


def _reason(geometry: shapely.Geometry) -> tuple[str, float | None, float | None]:
    """Give what makes a geometry invalid, in words, and where."""
    text = shapely.is_valid_reason(geometry)
    match = _REASON.match(text)
    if match is None:
        return text, None, None
    return match["what"].lower().replace("self-intersection", "it crosses itself"), float(match["x"]), float(match["y"])
