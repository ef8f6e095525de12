"""What a way of travel leaves in doubt, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.core.coverage import CoverageInputs
from analysis.results import ServiceRow
from analysis.selectors import CityPlaces
from analysis.travel.measuring import Measuring
from geo.models import Place

_FEW: Final = 10
"""Fewer people than this are not told: anybody may read a warning."""


def travel_notices(
    travel: Measuring,
    services: Sequence[tuple[ServiceRow, Measuring, NDArray[np.object_]]],
    places: CityPlaces,
    assembled: CoverageInputs,
) -> tuple[str, ...]:
    """Say how the streets hang together, who lives far from them, and which facilities nobody reaches.

    Parameters
    ----------
    travel
        The way of travel.
    services
        Each service with what measures it and its facilities.
    places, assembled
        The city's places, and the people on its ground.
    """
    travel.prepare()
    warnings = [*travel.warnings()]
    over_surface = travel.row.code == "surface"
    stranded = travel.stranded()
    if stranded is not None and stranded.any():
        people = _people_on(stranded, places, assembled)
        if people >= _FEW and over_surface:
            warnings.append(f"{people:,.0f} people live on a barrier, such as water, and reach nothing.")
        elif people >= _FEW:
            warnings.append(f"{people:,.0f} people live more than 500 m from every street and reach nothing.")
        elif people > 0 and over_surface:
            warnings.append("A few people live on a barrier, such as water, and reach nothing.")
        elif people > 0:
            warnings.append("A few people live more than 500 m from every street and reach nothing.")
    for service, way, facilities_m in services:
        n = way.left_out(facilities_m)
        if n and over_surface:
            warnings.append(
                f"{service.name_en}: {n:,} of {len(facilities_m):,} facilities stand on a barrier or far outside, and nobody "
                "reaches them."
            )
        elif n:
            warnings.append(
                f"{service.name_en}: {n:,} of {len(facilities_m):,} facilities stand on no street, and nobody reaches them."
            )
    return tuple(warnings)


def _people_on(stranded: NDArray[np.bool_], places: CityPlaces, assembled: CoverageInputs) -> float:
    """Count people once: settlements lie in neighbourhoods."""
    rows = [i for i, place in enumerate(places.rows) if place.kind != Place.Kind.SETTLEMENT]
    fractions = assembled.place_fractions[rows] if rows else assembled.place_fractions
    return float((fractions @ (assembled.people * stranded)).sum())
