"""The form of a place as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from analysis.core.passages import Share
from analysis.core.reblocking import Goal
from analysis.settlement_form.measuring import SettlementForm
from analysis.settlement_form.pieces import PlaceGround, alternative_record, ground_of, lines_record
from analysis.settlement_form.questions import FormQuestion
from geo.core.crs import STORAGE_EPSG, project


def form_record(found: SettlementForm, asked: FormQuestion | None = None) -> dict[str, Any]:
    """Return the form of a place as JSON; new paths, where they are asked for, as GeoJSON in EPSG:4326.

    Parameters
    ----------
    asked
        What is asked of paths, which a form that was measured before knows nothing of; none where it is left out.
    """
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
        "homes_by_layer": [int(n) for n in complexity.homes_by_layer.sum(axis=0).tolist()],
        "homes_not_reached": int(complexity.homes_unreached.sum()),
        "streets_not_connected_m": round(found.blocks.unconnected_length_m, 1),
        "passages_under_6_m": _share(found.passages),
        "plots_under_200_m2": _share(found.plots),
        "narrowest_m": found.asked.narrowest_m,
        "inputs": found.releases,
        "by_block": block_records(found),
    }
    if asked is not None and asked.goal is not None:
        record["paths"] = _paths(ground_of(found), asked, asked.goal)
    return record


def block_records(found: SettlementForm) -> list[dict[str, Any]]:
    """Return the blocks with homes, those with the most homes without access first."""
    complexity, blocks = found.complexity, found.blocks
    if not len(blocks.polygons):
        return []
    middle = shapely.get_coordinates(
        project(shapely.point_on_surface(blocks.polygons), found.epsg, STORAGE_EPSG)
    ).round(6)
    areas_m2 = shapely.area(blocks.polygons)
    order: Sequence[int] = np.lexsort(
        (np.arange(len(areas_m2)), -complexity.k, -complexity.homes_without_access)
    ).tolist()
    return [
        {
            "block": i,
            "lon": float(middle[i, 0]),
            "lat": float(middle[i, 1]),
            "area_m2": round(float(areas_m2[i])),
            "homes": int(complexity.homes[i]),
            "homes_without_access": int(complexity.homes_without_access[i]),
            "homes_not_reached": int(complexity.homes_unreached[i]),
            "k": int(complexity.k[i]),
            "passages_under_6_m": _known(found.block_passages[i]),
            "plots_under_200_m2": _known(found.block_plots[i]),
        }
        for i in order
        if complexity.homes[i] > 0
    ]


def _known(share: float) -> float | None:
    return None if np.isnan(share) else round(float(share), 4)


def _share(share: Share) -> dict[str, float | None]:
    return {
        "share": None if share.share is None else round(share.share, 6),
        "known": round(share.known, 1),
        "unknown": round(share.unknown, 1),
    }


def _paths(ground: PlaceGround, asked: FormQuestion, goal: Goal) -> dict[str, Any]:
    chosen = ground.alternative(goal, width_m=asked.path_width_m, cost_per_m=asked.cost_per_m)
    record = alternative_record(chosen)
    pieces = ground.read(record.pop("pieces"))
    return record | {"isolated_blocks": list(ground.isolated), "features": lines_record(ground, pieces)}


__all__ = ["block_records", "form_record"]
