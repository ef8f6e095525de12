"""Where may be built: points where people live, or features of a layer, without those on forbidden ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from numpy.typing import NDArray

from analysis.siting.asking import MOST_CANDIDATES, SitingQuestion, ground_drawn
from analysis.siting.demand import Demand
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Feature, Layer, Release

MOST_FORBIDDEN: Final = 50_000
"""Polygons of forbidden ground."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Where a facility may stand.

    Attributes
    ----------
    points_m
        Shape ``(m,)``: in the system of the analysis grid.
    numbers, names
        Of each: the row of its feature in the layer, 0 for none; what the layer calls it.
    forbidden
        How many more there were, on forbidden ground.
    releases
        By code, the releases of layers that were used, as a run keeps them.
    """

    points_m: NDArray[np.object_]
    numbers: tuple[int, ...]
    names: tuple[str, ...]
    forbidden: int
    releases: Mapping[str, Mapping[str, Any]]


def candidates_of(asked: SitingQuestion, demand: Demand, city: Place, user: User, epsg: int) -> Candidates:
    """Return where facilities may stand.

    Raises
    ------
    NotFound
        Where the city has no such layer that the user may see, or it has no release.
    InvalidInput
        Where the layer is of another kind or lacks a field, there are too many candidates, or none is left.
    """
    releases: dict[str, dict[str, Any]] = {}
    if asked.candidates:
        layer, release = layer_with_release(city, asked.candidates, user, ("point", "polygon"), "candidates")
        releases[layer.code] = _release_row(release)
        points_m, numbers, names = _of_layer(layer, release, asked.candidates_where, epsg)
    else:
        points_m = _stands(demand, asked.spacing_m)
        numbers, names = (0,) * points_m.size, ("",) * points_m.size
    barred = np.zeros(points_m.size, dtype=bool)
    for ground_m in _forbidden_ground(asked, city, user, epsg, releases):
        barred[np.unique(shapely.STRtree(ground_m).query(points_m, predicate="intersects")[0])] = True
    kept = np.flatnonzero(~barred)
    if not kept.size:
        raise InvalidInput(
            f"All {points_m.size:,} candidates lie on forbidden ground.",
            code="no_candidates",
            where="forbidden",
            remedy="Forbid less, or choose other candidates.",
            details={"n": int(points_m.size)},
        )
    return Candidates(
        points_m[kept],
        tuple(numbers[i] for i in kept.tolist()),
        tuple(names[i] for i in kept.tolist()),
        int(barred.sum()),
        releases,
    )


def layer_with_release(city: Place, code: str, user: User, kinds: tuple[str, ...], where: str) -> tuple[Layer, Release]:
    """Return a layer of a city with its newest release.

    Raises
    ------
    NotFound
        Where there is none that the user may see.
    InvalidInput
        Where it is of another kind.
    """
    layer = Layer.objects.visible_to(user).current().filter(city=city, code=code).first()
    release = Release.objects.filter(layer=layer).order_by("-number").first() if layer is not None else None
    if layer is None or release is None:
        raise NotFound(
            f"{city.name_en} has no layer {code[:60]!r} with data.",
            code="unknown_layer",
            where=where,
            remedy="Choose one of the city's layers.",
            details={"city": city.name, "code": code[:60]},
        )
    if layer.kind not in kinds:
        raise InvalidInput(
            f"The layer “{layer.code}” cannot be used for this.",
            code="wrong_kind",
            where=where,
            remedy="Choose a layer of polygons." if kinds == ("polygon",) else "Choose a layer of points or polygons.",
            details={"code": layer.code},
        )
    return layer, release


def _release_row(release: Release) -> dict[str, Any]:
    return {"release": release.number, "content_hash": release.content_hash}


def _features(
    layer: Layer, release: Release, where: Mapping[str, Any], member: str, most: int
) -> list[tuple[Any, ...]]:
    """Read the features of a release that have these values, as far as there are not too many."""
    known = {str(field["name"]) for field in release.fields}
    unknown = next((name for name in where if name not in known), None)
    if unknown is not None:
        raise InvalidInput(
            f"The layer “{layer.code}” has no field {unknown[:60]!r}.",
            code="unknown_field",
            where=member,
            remedy="Choose one of its fields.",
            details={"code": layer.code, "field": unknown[:60]},
        )
    found = Feature.objects.of(release).supplying(where)
    n = found.count()
    if n > most:
        raise InvalidInput(
            f"{n} candidates are more than {most}.",
            code="too_many_candidates",
            where=member,
            remedy="Choose fewer by the value of a field.",
            details={"candidates": n, "most": most},
        )
    if not n:
        raise InvalidInput(
            f"No feature of the layer “{layer.code}” is as asked.",
            code="no_features",
            where=member,
            remedy="Ask for another value, or for none.",
            details={"code": layer.code},
        )
    return list(found.order_by("number").values_list("number", "name", AsWKB("geometry")))


def _of_layer(
    layer: Layer, release: Release, where: Mapping[str, Any], epsg: int
) -> tuple[NDArray[np.object_], tuple[int, ...], tuple[str, ...]]:
    rows = _features(layer, release, where, "candidates", MOST_CANDIDATES)
    shapes_m = project(shapely.from_wkb([bytes(wkb) for *_, wkb in rows]), STORAGE_EPSG, epsg)
    points_m = np.asarray(shapely.point_on_surface(shapes_m), dtype=object)
    return points_m, tuple(number for number, *_ in rows), tuple(name for _, name, _ in rows)


def _forbidden_ground(
    asked: SitingQuestion, city: Place, user: User, epsg: int, releases: dict[str, dict[str, Any]]
) -> list[NDArray[np.object_]]:
    grounds = []
    if asked.forbidden:
        layer, release = layer_with_release(city, asked.forbidden, user, ("polygon",), "forbidden")
        releases[layer.code] = _release_row(release)
        rows = _features(layer, release, asked.forbidden_where, "forbidden", MOST_FORBIDDEN)
        grounds.append(project(shapely.from_wkb([bytes(wkb) for *_, wkb in rows]), STORAGE_EPSG, epsg))
    if asked.forbidden_drawn is not None:
        parts = shapely.get_parts(ground_drawn(asked.forbidden_drawn))
        grounds.append(project(np.asarray(parts, dtype=object), STORAGE_EPSG, epsg))
    return grounds


def _stands(demand: Demand, spacing_m: float) -> NDArray[np.object_]:
    """Return a point in each square of the spacing in which people live: the block with most of them."""
    squares = np.stack([np.floor(demand.x_m / spacing_m), np.floor(demand.y_m / spacing_m)], axis=1).astype(np.int64)
    _, square = np.unique(squares, axis=0, return_inverse=True)
    order = np.lexsort((np.arange(demand.people.size), -demand.people, square.ravel()))
    first = order[np.unique(square.ravel()[order], return_index=True)[1]]
    if first.size > MOST_CANDIDATES:
        raise InvalidInput(
            f"{first.size} candidates are more than {MOST_CANDIDATES}.",
            code="too_many_candidates",
            where="spacing_m",
            remedy="Let them stand further from each other.",
            details={"candidates": int(first.size), "most": MOST_CANDIDATES},
        )
    return np.asarray(shapely.points(demand.x_m[first], demand.y_m[first]), dtype=object)


__all__ = ["MOST_FORBIDDEN", "Candidates", "candidates_of", "layer_with_release"]
