"""Who has water, sewer, power or gas: near a main, in a served zone, or by a survey. One way at a time, and always named."""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from numpy.typing import NDArray
from scipy import sparse

from analysis.core.coverage import covered_share
from analysis.core.utilities import (
    UtilityCoverage,
    covered_by_main,
    covered_by_survey,
    covered_by_zones,
)
from analysis.measures.asking import Asked, asked, sum_or_none
from analysis.measures.results import CityUtility
from analysis.results import Question, ServiceRow
from analysis.selectors import CityReading
from geo.core.cell_shares import cell_fractions
from geo.core.crs import STORAGE_EPSG, project
from geo.errors import InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User
from layers.models import Feature, Layer, Release, Service

Floats = NDArray[np.float64]
Way = Literal["main", "zone", "survey"]

_LEAST_ASKED: Final = 0.5
"""A place is known by a survey where at least half of its people live in areas that were surveyed."""


def utility_compute(
    *,
    city: Place,
    user: User,
    service: str,
    way: str = "main",
    layer: str = "",
    field: str = "",
    question: Question | None = None,
    cell_m: float | None = None,
    reading: CityReading | None = None,
) -> CityUtility:
    """Compute who is served by a utility, in one of three ways, which the result names.

    Parameters
    ----------
    city, user, question, cell_m, reading
        As for `analysis.services.coverage_compute`.
    service
        Code of the utility.
    way
        ``main``: who lives within the threshold of a main; ``zone``: who lives in a polygon of ``layer``; ``survey``: the
        share of served homes that ``field`` of the polygons of ``layer`` holds, from 0 to 1.
    layer, field
        As the way needs them.

    Raises
    ------
    NotFound
        Where there is no such service or layer.
    InvalidInput
        Where the service is no utility, or the layer has no polygons or no such field.

    Notes
    -----
    Near a main is not connected, and in a zone is not supplied: the ways answer different questions and are never mixed.
    """
    if way not in get_args(Way):
        raise InvalidInput(
            f"{way!r} is not a way in which a utility is known.",
            code="bad_way",
            where="way",
            remedy=f"Choose one of: {', '.join(get_args(Way))}.",
            details={"value": way, "choices": list(get_args(Way))},
        )
    what = asked(
        city=city, user=user, question=question or Question(services=(service,)), cell_m=cell_m, reading=reading
    )
    k = next((k for k, row in enumerate(what.inputs.services) if row.code == service), None)
    if k is None or what.inputs.services[k].kind != Service.Kind.UTILITY:
        known = ", ".join(row.code for row in what.inputs.services if row.kind == Service.Kind.UTILITY)
        raise NotFound(
            f"{city.name_en} has no utility {service!r}.",
            code="unknown_service",
            where="service",
            remedy=f"Choose one of: {known or 'none'}.",
            details={"service": service},
        )
    row = what.inputs.services[k]
    if way == "main":
        found = covered_by_main(what.inputs.arrays, k, row.threshold_m)
        share = covered_share(what.inputs.arrays.cost_m[k], row.threshold_m, what.inputs.grid.cell_m)
        return _result(what, row, found, share)
    areas = _layer(what, user, layer)
    polygons_m, values = _areas(areas, field if way == "survey" else "", what.inputs.grid.epsg)
    fractions = cell_fractions(polygons_m, what.inputs.grid)[:, what.inputs.ground.cells]
    if way == "zone":
        found = covered_by_zones(what.inputs.arrays.place_fractions, what.inputs.arrays.people, fractions)
        served = np.minimum(np.asarray(fractions.sum(axis=0)).ravel(), 1.0)
        return _result(what, row, found, served, layer_code=areas.layer.code)
    share, is_known = _surveyed(fractions, values)
    return _result(
        what, row, _by_survey(what, share, is_known), np.where(is_known, share, np.nan), areas.layer.code, field
    )


def _layer(what: Asked, user: User, code: str) -> Release:
    layers = Layer.objects.visible_to(user).filter(city=what.city, kind=Layer.Kind.POLYGON)
    layer = layers.filter(code=code).first()
    release = layer.releases.order_by("-number").first() if layer else None
    if release is None:
        known = ", ".join(layers.values_list("code", flat=True))
        raise NotFound(
            f"{what.city.name_en} has no layer of polygons {code!r}.",
            code="unknown_layer",
            where="layer",
            remedy=f"Choose one of: {known or 'none'}.",
            details={"city": what.city.name, "layer": code},
        )
    return release


def _areas(release: Release, field: str, epsg: int) -> tuple[NDArray[np.object_], Floats]:
    found = list(Feature.objects.of(release).order_by("number").values_list(AsWKB("geometry"), "attributes"))
    polygons_m = project(shapely.from_wkb([bytes(wkb) for wkb, _ in found]), STORAGE_EPSG, epsg)
    values = np.array([_share(attributes.get(field)) for _, attributes in found], dtype=np.float64)
    if field and not np.isfinite(values).any():
        raise InvalidInput(
            f"The layer {release.layer.code} has no field {field!r} with shares.",
            code="no_field",
            where="field",
            remedy="Name the field as the file does.",
            details={"layer": release.layer.code, "field": field},
        )
    return polygons_m, values


def _share(value: object) -> float:
    return float("nan") if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)


def _surveyed(fractions: sparse.csr_matrix, values: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Give the surveyed share of each part, and whether anybody asked there."""
    if (values > 1).any() or (values < 0).any():
        raise InvalidInput(
            "A surveyed share is outside 0 to 1.", code="bad_share", remedy="Give shares, not percentages."
        )
    known = np.isfinite(values)
    weight = np.asarray(fractions[known].sum(axis=0)).ravel()
    total = np.asarray(fractions[known].T @ values[known]).ravel()
    return np.divide(total, weight, out=np.zeros_like(total), where=weight > 0), weight > 0


def _by_survey(what: Asked, share: Floats, is_known: NDArray[np.bool_]) -> UtilityCoverage:
    people = what.inputs.arrays.people
    asked_people = what.of_places(np.where(is_known, people, 0.0))
    served = what.of_places(np.where(is_known, share * people, 0.0))
    population = what.inputs.arrays.ground.population
    enough = asked_people >= _LEAST_ASKED * population * (1 - 1e-6)
    of_places = np.divide(
        served, asked_people, out=np.full(population.shape, np.nan), where=enough & (asked_people > 0)
    )
    return covered_by_survey(np.clip(of_places, 0.0, 1.0), population)


def _result(
    what: Asked, service: ServiceRow, found: UtilityCoverage, share: Floats, layer_code: str = "", field: str = ""
) -> CityUtility:
    """Put the answer together; the city's share is that of all people whose share is known, each counted once."""
    counted = what.residents.counted
    known = np.isfinite(share)
    people = float(counted[known].sum())
    way = next((way for way in found.ways if way), "survey")
    return CityUtility(
        basis=what.basis(),
        service=service,
        way=way,
        layer_code=layer_code,
        field=field,
        threshold_m=found.threshold_m,
        population=found.people,
        population_share=found.population_share,
        covered_people=found.covered_people,
        uncovered_people=found.uncovered_people,
        city_share=sum_or_none(float(counted[known] @ share[known]), people),
        city_people=people,
        city_unknown_people=float(counted[~known].sum()),
    )
