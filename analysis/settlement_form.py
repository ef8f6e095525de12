"""The form of a settlement: blocks between its streets, homes without access, narrow passages, small plots, and paths that would help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.core.blocks import StreetBlocks, street_blocks
from analysis.core.complexity import Complexity, block_complexity
from analysis.core.parcels import Parcels, cells_of_buildings
from analysis.core.passages import Share, narrow_passages, small_plots
from analysis.core.path_counts import block_ground
from analysis.core.reblocking import Goal, Reblocking, reblock
from analysis.indicators import require_insider
from analysis.results import PlaceRow
from analysis.selectors import places_read, roads_read
from geo.core.crs import STORAGE_EPSG, project, utm_epsg_of
from geo.errors import InvalidInput, LimitExceeded, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Layer, Release

Geometries = NDArray[np.object_]

MOST_BUILDINGS: Final = 20_000
"""Of one place: a settlement of 100,000 people has fewer."""

AROUND_DEGREES: Final = 0.002
"""About 200 m around the place in which streets are read: they show whether one can leave it."""


@dataclass(frozen=True, slots=True)
class FormQuestion:
    """What is asked of a place.

    Attributes
    ----------
    streets, buildings
        Codes of layers of the city: lines and polygons.
    width_field
        Of the streets, with their width in metres; where it tells nothing, the width is not known.
    narrowest_m
        Streets that are narrower give no access, such as 3 m where an ambulance must pass; of unknown width all do.
    goal
        Of new paths; empty for none.
    path_width_m, cost_per_m
        Of new paths.
    """

    streets: str = "roads"
    buildings: str = "buildings"
    width_field: str = "width_m"
    narrowest_m: float = 0.0
    goal: Goal | None = None
    path_width_m: float = 4.0
    cost_per_m: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SettlementForm:
    """The form of a place.

    Attributes
    ----------
    epsg
        Of all geometries here.
    passages
        Share of the length of its streets that is under 6 m wide.
    plots
        Share of plots under 200 m²; plots are the land nearer to a building than to any other, as no plots are known.
    paths
        By block, where they were asked for and homes have no access.
    """

    place: PlaceRow
    asked: FormQuestion
    epsg: int
    buildings: int
    blocks: StreetBlocks
    parcels: Parcels
    complexity: Complexity
    passages: Share
    plots: Share
    paths: dict[int, Reblocking]
    releases: dict[str, Any]

    @property
    def homes_without_access(self) -> float:
        """Homes on land that touches no street from which one can leave the place."""
        return float(self.complexity.homes_without_access.sum())

    @property
    def k(self) -> int:
        """The largest number of layers of any block."""
        return int(self.complexity.k.max(initial=0))


def settlement_form(*, city: Place, user: User, place_code: str, asked: FormQuestion | None = None) -> SettlementForm:
    """Measure the form of a place of a city, and find paths that would give access.

    Raises
    ------
    Forbidden
        Where the user has no role in the city: single homes are told.
    NotFound
        Where there is no such place, or no such layer.
    InvalidInput
        Where a number is out of range, or the layers hold no streets or buildings there.
    LimitExceeded
        For more than `MOST_BUILDINGS`.
    """
    require_insider(city, user)
    asked = asked or FormQuestion()
    _check(asked)
    places = places_read(city, user)
    row = next((i for i, place in enumerate(places.rows) if place.code == place_code), None)
    if row is None:
        raise NotFound(
            f"{city.name_en} has no place {place_code!r}.",
            code="unknown_place",
            remedy="Choose one from the city's page.",
            details={"city": city.name, "place": place_code},
        )
    outline_4326 = places.geometries_4326[row]
    epsg = utm_epsg_of([outline_4326])
    outline = project(np.array([outline_4326], dtype=object), STORAGE_EPSG, epsg)[0]
    west, south, east, north = (float(v) for v in shapely.bounds(outline_4326))
    bounds = (west - AROUND_DEGREES, south - AROUND_DEGREES, east + AROUND_DEGREES, north + AROUND_DEGREES)
    streets_release = _release(city, user, asked.streets, "streets")
    buildings_release = _release(city, user, asked.buildings, "buildings")
    lines_4326, texts = roads_read(streets_release, [asked.width_field], bounds)
    houses_4326, _ = roads_read(buildings_release, [], bounds)
    lines, houses = (project(found, STORAGE_EPSG, epsg) for found in (lines_4326, houses_4326))
    width_m = np.array([_width(text) for text in texts[0]], dtype=np.float64)
    inside = shapely.covers(outline, shapely.point_on_surface(houses)) if houses.size else np.empty(0, dtype=bool)
    houses = shapely.make_valid(houses[inside])
    if not houses.size:
        raise InvalidInput(
            f"The layer {asked.buildings!r} has no building there.",
            code="no_buildings",
            where="buildings",
            remedy="Name a layer of polygons of buildings.",
            details={"code": asked.buildings},
        )
    if houses.size > MOST_BUILDINGS:
        raise LimitExceeded(
            f"The place has {houses.size} buildings, more than {MOST_BUILDINGS}.",
            code="too_many_buildings",
            where=place_code,
            remedy="Choose a smaller place.",
            details={"buildings": int(houses.size), "most": MOST_BUILDINGS},
        )
    gives_access = ~(width_m < asked.narrowest_m)
    blocks = street_blocks(lines[gives_access], outline)
    parcels = cells_of_buildings(blocks.polygons, houses)
    found = block_complexity(parcels, blocks.streets)
    within = shapely.intersection(lines, outline)
    passages = narrow_passages(within, width_m)
    built = ~parcels.is_open_land
    paths: dict[int, Reblocking] = {}
    if asked.goal is not None:
        for block in np.flatnonzero(found.homes_without_access > 0).tolist():
            ground = block_ground(parcels, block, blocks.streets, houses)
            paths[block] = reblock(ground, asked.goal, width_m=asked.path_width_m, cost_per_m=asked.cost_per_m)
    return SettlementForm(
        places.rows[row],
        asked,
        epsg,
        int(houses.size),
        blocks,
        parcels,
        found,
        passages,
        small_plots(shapely.area(parcels.polygons[built])),
        paths,
        {
            name: {"layer": release.layer.code, "release": release.number, "content_hash": release.content_hash}
            for name, release in (("streets", streets_release), ("buildings", buildings_release))
        },
    )


def _check(asked: FormQuestion) -> None:
    numbers = (
        ("narrowest_m", asked.narrowest_m, 0.0, 100.0),
        ("path_width_m", asked.path_width_m, 0.5, 40.0),
        ("cost_per_m", asked.cost_per_m, 0.0, 1e12),
    )
    for name, number, low, high in numbers:
        if not low <= number <= high:
            raise InvalidInput(
                f"{str(number)[:40]!r} cannot be used here.",
                code="bad_number",
                where=name,
                remedy=f"Give a number from {low:g} to {high:g}.",
                details={"value": str(number)[:40], "low": low, "high": high},
            )


def _release(city: Place, user: User, code: str, where: str) -> Release:
    layers = Layer.objects.visible_to(user).filter(city=city).exclude(kind=Layer.Kind.RASTER)
    layer = layers.filter(code=code).first()
    release: Release | None = layer.releases.select_related("layer").order_by("-number").first() if layer else None
    if release is None:
        raise NotFound(
            f"{city.name_en} has no vector layer {code!r}.",
            code="unknown_layer",
            where=where,
            remedy=f"Choose one of: {', '.join(layers.values_list('code', flat=True))}.",
            details={"city": city.name},
        )
    return release


def _width(text: str | None) -> float:
    try:
        width = float(text or "nan")
    except ValueError:
        return float("nan")
    return width if 0 < width < 1000 else float("nan")


# ---- records


def form_record(found: SettlementForm) -> dict[str, Any]:
    """Return the form of a place as JSON; paths as GeoJSON in EPSG:4326."""
    complexity, has_homes = found.complexity, found.complexity.homes > 0
    k = complexity.k[has_homes]
    weighted = float((complexity.k * complexity.homes)[has_homes].sum() / complexity.homes.sum())
    record: dict[str, Any] = {
        "place": found.place.code,
        "buildings": found.buildings,
        "blocks": int(has_homes.sum()),
        "k": found.k,
        "k_of_homes_mean": round(weighted, 4),
        "blocks_by_k": {str(value): int((k == value).sum()) for value in np.unique(k).tolist()},
        "homes_without_access": int(found.homes_without_access),
        "streets_not_connected_m": round(found.blocks.unconnected_length_m, 1),
        "passages_under_6_m": _share(found.passages),
        "plots_under_200_m2": _share(found.plots),
        "narrowest_m": found.asked.narrowest_m,
        "inputs": found.releases,
    }
    if found.asked.goal is not None:
        record["paths"] = _paths(found)
    return record


def _share(share: Share) -> dict[str, float | None]:
    return {
        "share": None if share.share is None else round(share.share, 6),
        "known": round(share.known, 1),
        "unknown": round(share.unknown, 1),
    }


def _paths(found: SettlementForm) -> dict[str, Any]:
    features = []
    for block, plan in found.paths.items():
        lines: Any = project(np.asarray(plan.paths, dtype=object), found.epsg, STORAGE_EPSG) if len(plan.paths) else ()
        features += [
            {
                "type": "Feature",
                "geometry": shapely.geometry.mapping(shapely.set_precision(line, 1e-7)),
                "properties": {"block": block, "length_m": round(float(length), 2)},
            }
            for line, length in zip(lines, plan.path_length_m, strict=True)
        ]
    plans = found.paths.values()
    return {
        "goal": found.asked.goal,
        "length_m": round(sum(plan.recount.length_m for plan in plans), 2),
        "cost": round(sum(plan.recount.cost for plan in plans), 2),
        "homes_touched": sum(len(plan.recount.homes_touched) for plan in plans),
        "homes_without_access_after": int(sum(plan.recount.homes_without_access_after for plan in plans)),
        "k_after": max((plan.recount.k_after for plan in plans), default=found.k),
        "features": {"type": "FeatureCollection", "features": features},
    }


__all__ = ["MOST_BUILDINGS", "FormQuestion", "SettlementForm", "form_record", "settlement_form"]
