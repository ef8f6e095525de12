"""Bodies of requests: bounded, finite, storable, and every fault with its place."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
import shapely
from django.http import HttpRequest
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from geo.core.geojson import no_constant, shape_of
from geo.core.validity import MAX_VERTICES
from geo.errors import GeometryError, InvalidInput, LimitExceeded
from maps.errors import UnsupportedMedia
from maps.workbench.effort import MOST_VERTICES

MOST_BYTES: Final = 5_000_000
"""What a body may weigh."""

FORM_BYTES: Final = 20_000
"""What the frame of an uploaded file may weigh besides."""

_UNSTORABLE: Final = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""Escapes that may stand for what no text in the database has: a null, or half of a character."""

M = TypeVar("M", bound=BaseModel)


def size_required(request: HttpRequest, most: int = MOST_BYTES) -> None:
    """Refuse a request whose body is too large, before anything of it is read.

    Raises
    ------
    LimitExceeded
        Where it is.
    """
    said = request.META.get("CONTENT_LENGTH") or "0"
    if not said.isdecimal() or int(said) > most:
        raise LimitExceeded(
            f"The body is larger than {MOST_BYTES // 1_000_000} MB.",
            code="body_too_large",
            where="body",
            remedy="Simplify the geometries, or send fewer of them.",
        )


def body_of(request: HttpRequest, model: type[M]) -> M:
    """Read the body of a request.

    Raises
    ------
    UnsupportedMedia
        Where it is not said to be JSON.
    LimitExceeded
        Where it is too large.
    InvalidInput
        Where it is not JSON, or not what is asked for; ``where`` names the member.
    """
    if request.META.get("CONTENT_LENGTH") not in (None, "", "0") and request.content_type != "application/json":
        raise UnsupportedMedia(
            "The body is not said to be JSON.",
            where="Content-Type",
            remedy="Send application/json.",
        )
    size_required(request)
    content = request.read(MOST_BYTES + 1)
    try:
        found = json.loads(content or b"{}", parse_constant=no_constant, parse_float=_finite)
        if _UNSTORABLE.search(content):
            _storable(found)
    except RecursionError as error:
        raise InvalidInput("The body is nested too deeply.", code="bad_json", where="body") from error
    except ValueError as error:
        line = f"body, line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "body"
        reason = "" if isinstance(error, json.JSONDecodeError | UnicodeError) else f": {error}"
        raise InvalidInput(f"The body is not JSON{reason}.", code="bad_json", where=line, remedy="Mend it.") from error
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise invalid("body", error.errors(include_url=False, include_input=False)) from error


def invalid(root: str, faults: Sequence[Any]) -> InvalidInput:
    """Return the error for what does not fit: the first fault, and how many more there are."""
    path = root
    for step in faults[0]["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    more = f" ({len(faults) - 1} more faults.)" if len(faults) > 1 else ""
    return InvalidInput(
        f"{str(faults[0]['msg'])[:200]}.{more}", code="bad_body", where=path[:200], remedy="Correct this member."
    )


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is no finite number")
    return value


def _storable(tree: Any) -> None:
    """Refuse texts with a null or half a character: PostgreSQL has neither."""
    if isinstance(tree, str):
        if "\x00" in tree or any("\ud800" <= letter <= "\udfff" for letter in tree):
            raise ValueError("a text has a character that no text has")
    elif isinstance(tree, dict):
        for name, value in tree.items():
            _storable(name)
            _storable(value)
    elif isinstance(tree, list):
        for value in tree:
            _storable(value)


def polygon_of(tree: Any, where: str, *, room: int = MAX_VERTICES) -> shapely.Geometry | None:
    """Read a polygon as it was drawn, valid or not; None for null.

    Parameters
    ----------
    tree : Any
        What stands in the body.
    where : str
        Where it stands.
    room : int
        Vertices that the request may still have.

    Raises
    ------
    GeometryError
        Where it is none, with the member in question.
    LimitExceeded
        Where it has too many vertices.
    """
    if tree is None:
        return None
    found = _polygon_at_once(tree, where, min(room, MOST_VERTICES))
    if found is None:  # not as simple as it should be: look closer, and say where
        found = shapely.force_2d(shape_of(tree, where, most_vertices=MAX_VERTICES))
    if found.geom_type not in ("Polygon", "MultiPolygon"):
        raise GeometryError(
            f"A {found.geom_type} is not an area.",
            code="not_polygonal",
            where=f"{where}.type",
            remedy="Send a polygon, or null where the place ends.",
        )
    return found


def _polygon_at_once(tree: Any, where: str, most: int) -> shapely.Geometry | None:
    """Read a polygon ring by ring; None where it is not one of finite numbers and closed rings.

    Raises
    ------
    LimitExceeded
        Where it has too many vertices; nothing else of it is looked at then.
    """
    try:
        polygons = {"Polygon": lambda c: [c], "MultiPolygon": list}[tree["type"]](tree["coordinates"])
        n = sum(len(ring) for polygon in polygons for ring in polygon)
    except (TypeError, KeyError):
        return None
    if n > most:
        raise LimitExceeded(
            f"The geometry has {n:,} vertices, more than {most:,}.",
            code="too_many_vertices",
            where=where,
            remedy="Simplify it, or send fewer shapes at once.",
        )
    try:
        made = []
        for polygon in polygons:
            rings = [np.array(ring) for ring in polygon]
            if not rings or not all(_is_ring(ring) for ring in rings):
                return None
            shell, *holes = (shapely.linearrings(ring[:, :2].astype(np.float64)) for ring in rings)
            made.append(shapely.polygons(shell, holes or None))
    except (TypeError, ValueError, OverflowError, shapely.errors.ShapelyError):
        return None
    if not made:
        return None
    return made[0] if tree["type"] == "Polygon" else shapely.multipolygons(made)


def _is_ring(xy: NDArray[Any]) -> bool:
    return (
        xy.dtype.kind in "fi"
        and xy.ndim == 2
        and len(xy) >= 4
        and 2 <= xy.shape[1] <= 4
        and bool(np.isfinite(xy).all())
        and bool((xy[0, :2] == xy[-1, :2]).all())
    )


def lines_of(tree: Any, where: str) -> shapely.Geometry | None:
    """Read lines; None for null.

    Raises
    ------
    GeometryError, LimitExceeded
        As `polygon_of`.
    """
    if tree is None:
        return None
    found = shape_of(tree, where, most_vertices=MAX_VERTICES)
    if found.geom_type not in ("LineString", "MultiLineString"):
        raise GeometryError(
            f"A {found.geom_type} is not a line.", code="not_lines", where=f"{where}.type", remedy="Send lines."
        )
    return shapely.force_2d(found)
