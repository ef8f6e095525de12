"""The slow exact method that the grid is tested against: polygons, buffers and unions in PostGIS."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from analysis import selectors
from analysis.ground import grid_for
from analysis.results import Question
from geo.db import sql
from geo.errors import InvalidInput
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Layer

SAGITTA_M = 0.05
"""How far the straight pieces of a buffer may lie inside the true circle. PostGIS's default of 8 pieces per quarter circle lies
4 m inside it at 800 m, which is four per cent of a place that is 100 m wide."""


def area_shares_exact(
    *, city: Place, user: User, question: Question | None = None, sagitta_m: float = SAGITTA_M
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
        "epsg": grid_for(places).epsg,
        "sagitta_m": sagitta_m,
    }
    shares = np.zeros((len(places.rows), len(services)))
    for edition, n, share in sql.rows(
        "analysis", "coverage_exact", parameters, {"boundaries": Boundary, "features": Feature}
    ):
        shares[row_of[edition], n] = share
    return shares


def people_exact(*, city: Place, user: User) -> NDArray[np.float64]:
    """Count the people of each place from the polygons of a city's population layer.

    Returns
    -------
    ndarray
        Shape ``(places,)``, in the order of `analysis.services.coverage_compute`.

    Raises
    ------
    InvalidInput
        Where the city's people are not counted by polygons.
    """
    population = selectors.population_read(city)
    if population is None or population[1].layer.kind != Layer.Kind.POLYGON:
        raise InvalidInput(
            f"The people of {city.name_en} are not counted by polygons.",
            code="no_areas",
            where=city.code,
            remedy="Set a population layer of polygons.",
            details={"city": city.name},
        )
    release, source = population
    places = selectors.places_read(city, user)
    row_of = {place.edition_id: row for row, place in enumerate(places.rows)}
    parameters = {
        "editions": list(row_of),
        "release": release.pk,
        "field": source.field,
        "epsg": grid_for(places).epsg,
    }
    people = np.zeros(len(places.rows))
    for edition, number in sql.rows(
        "analysis", "people_exact", parameters, {"boundaries": Boundary, "features": Feature}
    ):
        people[row_of[edition]] = number
    return people
