"""The slow exact method that the grid is tested against: polygons, buffers and unions in PostGIS."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from analysis import selectors
from analysis.results import Question
from geo.db import sql
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature

QUARTER_CIRCLE_SEGMENTS = 32
"""A buffer's area is then 0.04 % short of the circle's."""


def area_shares_exact(
    *, city: Place, user: User, question: Question | None = None, segments: int = QUARTER_CIRCLE_SEGMENTS
) -> NDArray[np.float64]:
    """Compute the share of each place's land within reach of each service, from polygons.

    Returns
    -------
    ndarray
        Shape ``(places, services)``, in the order of `analysis.services.coverage_compute`.
    """
    question = question or Question()
    places = selectors.places_read(city, user)
    services, _ = selectors.services_read(city, user, question)
    row_of = {place.edition_id: row for row, place in enumerate(places.rows)}
    described = [
        {"n": n, "release": s.release_id, "where": dict(s.where), "threshold_m": s.threshold_m}
        for n, s in enumerate(services)
    ]
    parameters = {
        "editions": list(row_of),
        "services": json.dumps(described),
        "epsg": selectors.grid_for(places).epsg,
        "segments": segments,
    }
    shares = np.zeros((len(places.rows), len(services)))
    for edition, n, share in sql.rows(
        "analysis", "coverage_exact", parameters, {"boundaries": Boundary, "features": Feature}
    ):
        shares[row_of[edition], n] = share
    return shares
