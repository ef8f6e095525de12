"""Reads for analyses: what a user may see of a city's places, services and population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models import F, Model, OuterRef, Q, QuerySet, Subquery
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.models import Index, Indicator
from analysis.results import PlaceRow, Question, ServiceRow
from geo.db.shapes import GeometryDigest
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from geo.selectors import drawn_editions
from layers.models import Feature, Layer, PopulationSource, Release, Standard, Supply


def city_get(code: str, user: User) -> Place:
    """Return a city a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it; the two are not told apart.
    """
    city = Place.objects.visible_to(user).filter(kind=Place.Kind.CITY, code=code).first()
    if city is None:
        known = list(Place.objects.visible_to(user).cities().values_list("code", flat=True)[:20])
        raise NotFound(
            f"There is no city {code!r}.",
            code="unknown_city",
            remedy=f"Choose one of: {', '.join(known) or 'none is loaded yet'}.",
            details={"city": code, "choices": known},
        )
    return city


# ---- places


@dataclass(frozen=True, slots=True, eq=False)
class CityPlaces:
    """The places of a city as arrays: rows and geometries in the same order."""

    rows: tuple[PlaceRow, ...]
    geometries_4326: NDArray[np.object_]
    key: str


_ROW = (
    "place_id", "place__code", "place__kind", "place__name_fa", "place__name_en", "place__zone", "place__parent__kind",
    "place__parent__code", "place__path", "id",
)  # fmt: skip


def _in_force(city: Place, user: User) -> QuerySet[Boundary]:
    return drawn_editions(city, user).current().order_by("place__path")


def places_read(city: Place, user: User) -> CityPlaces:
    """Return the neighbourhoods and settlements of a city that a user may see, with their editions in force, ordered by path."""
    found = list(_in_force(city, user).values_list(*_ROW, GeometryDigest("geometry"), AsWKB("geometry")))
    rows = tuple(
        PlaceRow(
            id_,
            code,
            kind,
            name_fa,
            name_en,
            zone,
            parent_code if parent_kind == "district" else "",
            path,
            edition,
            digest,
        )
        for id_, code, kind, name_fa, name_en, zone, parent_kind, parent_code, path, edition, digest, _ in found
    )
    geometries = shapely.from_wkb([bytes(row[-1]) for row in found]) if found else np.empty(0, dtype=object)
    return CityPlaces(rows, geometries, content_key([(row.path, row.edition_hash) for row in rows]))


# ---- services


@dataclass(frozen=True, slots=True, eq=False)
class Supplied:
    """A service of a city with the release, the standard and the weight in force for it."""

    supply: Supply
    release: Release | None
    standard: Standard | None
    indicator_code: str
    weight: float
    facilities: int


def _supplied_read(city: Place, user: User, index: Index | None) -> tuple[Supplied, ...]:
    visible = Layer.objects.visible_to(user).filter(city=city)
    newest = Release.objects.filter(layer=OuterRef("layer")).order_by("-number").values("pk")[:1]
    supplies = list(
        Supply.objects.filter(city=city, layer__in=visible)
        .annotate(newest=Subquery(newest))
        .select_related("service", "service__theme", "layer")
        .order_by("service__position")
    )
    releases = {release.pk: release for release in Release.objects.filter(pk__in=[s.newest for s in supplies])}
    # The general standard of a service first, so that a city's own takes its place.
    found = Standard.objects.filter(Q(city__isnull=True) | Q(city=city), service__in=[s.service for s in supplies])
    standards = {s.service_id: s for s in found.order_by(F("city").asc(nulls_first=True))}
    weights = dict(index.weights.values_list("indicator__service_id", "value")) if index else {}
    indicators = dict(
        Indicator.objects.filter(measure=Indicator.Measure.UNCOVERED_SHARE).values_list("service_id", "code")
    )
    rows = []
    for supply in supplies:
        release, service_id = releases.get(supply.newest), supply.service_id
        rows.append(
            Supplied(
                supply,
                release,
                standards.get(service_id),
                indicators.get(service_id, ""),
                weights.get(service_id, 1.0),
                _facilities_count(release, supply.where) if release else 0,
            )
        )
    return tuple(rows)


def services_read(city: Place, user: User, question: Question) -> tuple[tuple[ServiceRow, ...], tuple[str, ...]]:
    """Return the services of a city whose layers a user may see, with thresholds and weights of the question, and warnings.

    Raises
    ------
    NotFound
        Where the question names a service the city has not.
    """
    return services_asked(city, _supplied_read(city, user, index_of(city)), question)


def services_asked(
    city: Place, supplied: tuple[Supplied, ...], question: Question
) -> tuple[tuple[ServiceRow, ...], tuple[str, ...]]:
    """Return the services a question is about, with its thresholds and weights, and warnings.

    Raises
    ------
    NotFound
        Where the question names a service the city has not.
    """
    codes = [found.supply.service.code for found in supplied]
    for name, asked in (
        ("service", question.services),
        ("threshold", question.thresholds_m),
        ("weight", question.weights),
    ):
        for code in asked:
            if code not in codes:
                raise NotFound(
                    f"{city.name_en} has no service {code!r}.",
                    code="unknown_service",
                    where=name,
                    remedy=f"Choose one of: {', '.join(codes) or 'none'}.",
                    details={"service": code, "choices": codes},
                )
    rows, warnings = [], []
    for found in supplied:
        supply, release, standard = found.supply, found.release, found.standard
        service, layer = supply.service, supply.layer
        if question.services and service.code not in question.services:
            continue
        if release is None:
            warnings.append(f"{service.name_en}: the layer {layer.code} has no release yet.")
            continue
        threshold_m = question.thresholds_m.get(service.code, standard.threshold_m if standard else None)
        if threshold_m is None:
            warnings.append(f"{service.name_en}: no standard is set, so it is left out; give a threshold.")
            continue
        rows.append(
            ServiceRow(
                code=service.code,
                name_fa=service.name_fa,
                name_en=service.name_en,
                kind=service.kind,
                theme=service.theme.code,
                threshold_m=threshold_m,
                standard_m=standard.threshold_m if standard else threshold_m,
                standard_source=standard.source if standard else "",
                is_verified=bool(standard and standard.is_verified),
                layer_code=layer.code,
                layer_name_fa=layer.name_fa,
                layer_name_en=layer.name_en,
                source=layer.source,
                release_id=release.pk,
                release_number=release.number,
                release_hash=release.content_hash,
                reference_date=release.reference_date,
                facilities=found.facilities,
                where=supply.where,
                indicator_code=found.indicator_code,
                weight=question.weights.get(service.code, found.weight),
                source_fa=layer.source_fa,
                standard_source_fa=standard.source_fa if standard else "",
            )
        )
    return tuple(rows), tuple(warnings)


def index_of(city: Place) -> Index | None:
    """Return the priority index of a city."""
    return Index.objects.filter(city=city, code="priority").first()


def _facilities_count(release: Release, where: Mapping[str, Any]) -> int:
    if not where:
        return release.row_count

    def count() -> int:
        return Feature.objects.of(release).supplying(where).count()

    return int(arrays.get(content_key("count", release.content_hash, where), count))


def facilities_read(release_id: int, where: Mapping[str, Any]) -> NDArray[np.object_]:
    """Return the geometries of the features that provide a service, in 4326, in the order of the file."""
    wkb = (
        Feature.objects.filter(release_id=release_id, shelf__in=(0, release_id))
        .supplying(where)
        .order_by("number")
        .values_list(AsWKB("geometry"), flat=True)
    )
    geometries: NDArray[np.object_] = shapely.from_wkb([bytes(value) for value in wkb])
    return geometries


# ---- people


def population_read(city: Place) -> tuple[Release, PopulationSource] | None:
    """Return the newest release of a city's population layer, with what it is."""
    source = PopulationSource.objects.filter(city=city).select_related("layer").first()
    release = source.layer.releases.order_by("-number").first() if source else None
    return (release, source) if source and release else None


# ---- everything together


@dataclass(frozen=True, slots=True, eq=False)
class CityReading:
    """What an analysis of a city reads from the database before any question; one reading can answer several questions."""

    city: Place
    places: CityPlaces
    supplied: tuple[Supplied, ...]
    index: Index | None
    population: tuple[Release, PopulationSource] | None


def city_read(city: Place, user: User) -> CityReading:
    """Read what a user may see of a city for an analysis.

    Raises
    ------
    NotFound
        Where the city has no place with a boundary in force.
    """
    places = places_read(city, user)
    if not places.rows:
        raise NotFound(
            f"{city.name_en} has no neighbourhood or settlement with an approved boundary.",
            code="no_places",
            remedy="Load or approve boundaries first.",
            details={"city": city.name},
        )
    index = index_of(city)
    return CityReading(city, places, _supplied_read(city, user, index), index, population_read(city))


def people_reading(city: Place, user: User) -> CityReading | None:
    """Read a city's boundaries and where its people are counted, and no services; None while it has no boundaries.

    Whoever changes boundaries asks about people alone.
    """
    places = places_read(city, user)
    if not places.rows:
        return None
    return CityReading(city, places, (), index_of(city), population_read(city))


def city_key(city: Place, user: User) -> str:
    """Return the hash of all that `city_read` would give: while it is the same, so is every answer about the city.

    No geometry is read, only its hash, so asking costs a few milliseconds.
    """
    index, population = index_of(city), population_read(city)
    return content_key(
        [city.path, city.name_fa, city.name_en],
        list(_in_force(city, user).values_list(*_ROW, GeometryDigest("geometry"))),
        [_supplied_content(found) for found in _supplied_read(city, user, index)],
        _values_of(index),
        [_values_of(row) for row in (population[0], population[1], population[1].layer)] if population else [],
    )


def _supplied_content(found: Supplied) -> list[Any]:
    supply, rest = found.supply, [found.indicator_code, found.weight, found.facilities]
    parts = (supply, supply.service, supply.service.theme, supply.layer, found.release, found.standard)
    return [*(_values_of(part) for part in parts), *rest]


def _values_of(row: Model | None) -> list[Any]:
    """Return the columns of a row, in their order."""
    return [getattr(row, field.attname) for field in row._meta.concrete_fields] if row is not None else []
