"""Reads for analyses: what a user may see of a city's places, services and population."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import attrgetter, or_
from typing import Any

import numpy as np
import shapely
from django.contrib.gis.db.models.functions import AsWKB
from django.contrib.gis.geos import Polygon
from django.db.models import Aggregate, Count, F, Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from numpy.typing import NDArray

from analysis.caching import arrays, content_key
from analysis.models import Index, Indicator
from analysis.results import PlaceRow, Question, ServiceRow
from geo.core.crs import STORAGE_EPSG
from geo.db.shapes import GeometryDigest, JoinedWkb, collected
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from geo.selectors import drawn_editions
from layers.models import Feature, Layer, PopulationSource, Release, Standard, Supply, Timetable, TravelData
from layers.querysets import supplying_q
from layers.standards import programme_required, standard_for, standards_read


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
_PLACE = attrgetter(*(field.name for field in fields(PlaceRow)))


def _in_force(city: Place, user: User) -> QuerySet[Boundary]:
    return drawn_editions(city, user).current().order_by("place__path")


def places_read(city: Place, user: User) -> CityPlaces:
    """Return the neighbourhoods and settlements of a city that a user may see, with their editions in force, ordered by path."""
    found = list(_in_force(city, user).values_list(*_ROW, GeometryDigest("geometry"), AsWKB("geometry")))
    rows = _place_rows(row[:-1] for row in found)
    geometries = shapely.from_wkb([bytes(row[-1]) for row in found]) if found else np.empty(0, dtype=object)
    return CityPlaces(rows, geometries, content_key([(row.path, row.edition_hash) for row in rows]))


def _place_rows(found: Iterable[tuple[Any, ...]]) -> tuple[PlaceRow, ...]:
    return tuple(
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
        for id_, code, kind, name_fa, name_en, zone, parent_kind, parent_code, path, edition, digest in found
    )


def place_number(city: Place, places: CityPlaces, code: str) -> int:
    """Return where a place stands among a city's places.

    Raises
    ------
    NotFound
        Where the city has no such place with a boundary in force that the user may see.
    """
    row = next((i for i, place in enumerate(places.rows) if place.code == code), None)
    if row is None:
        raise NotFound(
            f"{city.name_en} has no place {code!r}.",
            code="unknown_place",
            remedy="Choose one from the city's page.",
            details={"city": city.name, "place": code},
        )
    return row


def vector_release(city: Place, user: User, code: str, where: str, others: Sequence[str] = ()) -> Release:
    """Return the newest release of a vector layer of a city, with its layer.

    Parameters
    ----------
    where
        What the layer is asked for by, which the refusal tells.
    others
        What could be said instead of a layer's code.

    Raises
    ------
    NotFound
        Where there is no such layer, it holds nothing yet, or the user may not know of it.
    """
    layers = Layer.objects.visible_to(user).filter(city=city).exclude(kind=Layer.Kind.RASTER)
    layer = layers.filter(code=code).first()
    release: Release | None = layer.releases.select_related("layer").order_by("-number").first() if layer else None
    if release is None:
        raise NotFound(
            f"{city.name_en} has no vector layer {code!r}.",
            code="unknown_layer",
            where=where,
            remedy=f"Choose one of: {', '.join([*others, *layers.values_list('code', flat=True)])}.",
            details={"city": city.name},
        )
    return release


# ---- services


@dataclass(frozen=True, slots=True, eq=False)
class Supplied:
    """A service of a city with the release and the weight in force for it, and the standards that may hold."""

    supply: Supply
    release: Release | None
    standards: tuple[Standard, ...]
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
    counts: dict[int, int] = {}
    for pk, newest_release in releases.items():
        by_it = [supply for supply in supplies if supply.newest == pk]
        numbers = _facilities_counts(newest_release, [supply.where for supply in by_it])
        counts |= {supply.pk: number for supply, number in zip(by_it, numbers, strict=True)}
    standards = standards_read(city, [s.service_id for s in supplies])
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
                standards.get(service_id, ()),
                indicators.get(service_id, ""),
                weights.get(service_id, 1.0),
                counts.get(supply.pk, 0),
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
    city: Place,
    supplied: tuple[Supplied, ...],
    question: Question,
    people: Callable[[], float | None] | None = None,
) -> tuple[tuple[ServiceRow, ...], tuple[str, ...]]:
    """Return the services a question is about, with its thresholds and weights, and warnings.

    Parameters
    ----------
    people
        Gives the number of people of the city, for standards that depend on it; without it, these do not hold.

    Raises
    ------
    NotFound
        Where the question names a service the city has not, or a programme that no standard is of.
    """
    programme_required(question.programme)
    codes = [found.supply.service.code for found in supplied]
    if unknown := question.unknown(codes):
        name, code = unknown
        raise NotFound(
            f"{city.name_en} has no service {code!r}.",
            code="unknown_service",
            where=name,
            remedy=f"Choose one of: {', '.join(codes) or 'none'}.",
            details={"service": code, "choices": codes},
        )
    rows, warnings = [], []
    for found in supplied:
        supply, release = found.supply, found.release
        service, layer = supply.service, supply.layer
        if question.services and service.code not in question.services:
            continue
        if release is None:
            warnings.append(f"{service.name_en}: the layer {layer.code} has no release yet.")
            continue
        standard = standard_for(found.standards, programme=question.programme, people=people)
        threshold_m = question.thresholds_m.get(service.code, standard.value if standard else None)
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
                standard_m=standard.value if standard else threshold_m,
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
                standard_programme=standard.programme if standard else "",
                need_per_1000=question.needs_per_1000.get(service.code),
            )
        )
    return tuple(rows), tuple(warnings)


def index_of(city: Place) -> Index | None:
    """Return the priority index of a city."""
    return Index.objects.filter(city=city, code="priority").first()


def _facilities_counts(release: Release, wheres: Sequence[Mapping[str, Any]]) -> list[int]:
    """Count the features of a release that provide each of some services, by looking at them once."""
    asked = [where for where in wheres if where]

    def count() -> list[int]:
        counts = {f"of_{k}": Count("number", filter=supplying_q(where)) for k, where in enumerate(asked)}
        found = Feature.objects.of(release).aggregate(**counts)
        return [found[name] for name in counts]

    counted = iter(arrays.get(content_key("counts", release.content_hash, asked), count) if asked else ())
    return [next(counted) if where else release.row_count for where in wheres]


def facilities_read(release_id: int, where: Mapping[str, Any]) -> NDArray[np.object_]:
    """Return the geometries of the features that provide a service, in 4326, in the order of the file."""
    (together,) = facilities_of(release_id, [where])
    geometries: NDArray[np.object_] = shapely.get_parts(together)
    return geometries


def facilities_of(release_id: int, wheres: Sequence[Mapping[str, Any]]) -> list[shapely.GeometryCollection]:
    """Return what `facilities_read` does of each of some services of one release, by looking at its features once.

    Each is one collection, joined by the database: rows of one geometry each, and an object of each, would take longer to send and
    to make than all that is computed from them. A value can hold no more than a gigabyte, so ten thousand are joined at a time.
    """
    conditions = [supplying_q(where) for where in wheres]
    features = Feature.objects.filter(release_id=release_id, shelf__in=(0, release_id))
    if all(conditions):  # where one is empty, it is all features
        features = features.filter(reduce(or_, conditions))
    if len(conditions) == 1:
        conditions = [Q()]  # asked already
    columns: dict[str, Aggregate] = {}
    for k, condition in enumerate(conditions):
        columns[f"n_{k}"] = Count("number", filter=condition or None)
        columns[f"joined_{k}"] = JoinedWkb("geometry", order_by="number", filter=condition or None)
    rows = list(features.annotate(part=F("number") / 10_000).order_by("part").values("part").annotate(**columns))
    return [
        collected(sum(row[f"n_{k}"] for row in rows), (row[f"joined_{k}"] or b"" for row in rows))
        for k in range(len(conditions))
    ]


# ---- people


def population_read(city: Place) -> tuple[Release, PopulationSource] | None:
    """Return the newest release of the layer that a city counts its people by, with what it is."""
    source = PopulationSource.objects.filter(city=city, is_main=True).select_related("layer").first()
    release = source.layer.releases.order_by("-number").first() if source else None
    return (release, source) if source and release else None


def populations_read(city: Place, user: User) -> tuple[tuple[Release, PopulationSource], ...]:
    """Return the sources of a city's people, the main one first, each with the newest release of its layer.

    The main one answers everybody; of the others, those whose layer a user may see.
    """
    sources = list(PopulationSource.objects.filter(city=city).select_related("layer").order_by("-is_main", "code"))
    if not sources or not sources[0].is_main:
        return ()
    releases = _newest([source.layer_id for source in sources])
    if len(sources) > 1:
        seen = set(Layer.objects.visible_to(user).filter(city=city).values_list("pk", flat=True))
        sources = [source for source in sources if source.is_main or source.layer_id in seen]
    found = tuple((releases[s.layer_id], s) for s in sources if s.layer_id in releases)
    return found if found and found[0][1].is_main else ()


def _newest(layers: list[int]) -> dict[int, Release]:
    """Return the newest release of each layer that has one."""
    return {release.layer_id: release for release in Release.objects.filter(layer__in=layers).latest()}


def population_asked(reading: CityReading, question: Question) -> tuple[Release, PopulationSource] | None:
    """Return the source of people that a question asks for, or else the city's main one; None where nobody counted them.

    Raises
    ------
    NotFound
        Where the city has no such source (``unknown_population``).
    """
    if not question.population:
        return reading.population
    for release, source in reading.populations:
        if source.code == question.population:
            return release, source
    known = [source.code for _, source in reading.populations]
    raise NotFound(
        f"{reading.city.name_en} has no source of population {question.population!r}.",
        code="unknown_population",
        where="population",
        remedy=f"Choose one of: {', '.join(known) or 'none'}.",
        details={"city": reading.city.name, "population": question.population, "choices": known},
    )


def no_population(city: Place) -> NotFound:
    """Return the error that nobody counted a city's people."""
    return NotFound(
        f"{city.name_en} has no source of population.",
        code="no_population",
        where=city.code,
        remedy="Load a layer of people, and say that people are counted by it.",
        details={"city": city.name},
    )


# ---- travel


@dataclass(frozen=True, slots=True, eq=False)
class TravelReading:
    """What ways in a city are measured on, as far as a user may see it: newest releases, None where there is none."""

    data: TravelData
    roads: Release | None
    elevation: Release | None
    land_cover: Release | None


def travel_read(city: Place, user: User) -> TravelReading | None:
    """Return what ways in a city are measured on; None where nothing is set."""
    data = TravelData.objects.filter(city=city).first()
    if data is None:
        return None
    named = [pk for pk in (data.roads_id, data.elevation_id, data.land_cover_id) if pk is not None]
    found = Release.objects.visible_to(user).filter(layer__in=named).latest().select_related("layer") if named else ()
    newest = {release.layer_id: release for release in found}

    def of(layer: int | None) -> Release | None:
        return newest.get(layer) if layer is not None else None

    return TravelReading(data, of(data.roads_id), of(data.elevation_id), of(data.land_cover_id))


def roads_read(
    release: Release, names: Sequence[str], bounds_4326: tuple[float, float, float, float]
) -> tuple[NDArray[np.object_], list[list[str | None]]]:
    """Return the streets of a release within bounds, in 4326 and in the order of the file, and the texts of some of their fields."""
    box = Polygon.from_bbox(bounds_4326)
    box.srid = STORAGE_EPSG
    values = [KeyTextTransform(name, "attributes") for name in names]
    found = (
        Feature.objects.of(release)
        .filter(geometry__bboverlaps=box)
        .order_by("number")
        .values_list(AsWKB("geometry"), *values)
    )
    rows = list(found)
    lines: NDArray[np.object_] = shapely.from_wkb([bytes(row[0]) for row in rows])
    return lines, [[row[k] for row in rows] for k in range(1, len(names) + 1)]


# ---- timetables


def timetables_read(city: Place, user: User) -> dict[str, tuple[Timetable, Release | None]]:
    """Return the timetables of a city by the code of their service, with the newest release of their lines.

    Those are left out whose lines the user may not see, or have no release; the release is None where stops tell their own
    departures.
    """
    found = list(Timetable.objects.filter(city=city).select_related("service"))
    layers = [timetable.lines_id for timetable in found if timetable.lines_id is not None]
    releases = Release.objects.visible_to(user).filter(layer__in=layers).latest().select_related("layer")
    newest = {release.layer_id: release for release in releases} if layers else {}
    return {
        one.service.code: (one, None if one.lines_id is None else newest[one.lines_id])
        for one in found
        if one.lines_id is None or one.lines_id in newest
    }


# ---- everything together


@dataclass(frozen=True, slots=True, eq=False)
class CityReading:
    """What an analysis of a city reads from the database before any question; one reading can answer several questions."""

    city: Place
    places: CityPlaces
    supplied: tuple[Supplied, ...]
    index: Index | None
    populations: tuple[tuple[Release, PopulationSource], ...]
    travel: TravelReading | None = None

    @property
    def population(self) -> tuple[Release, PopulationSource] | None:
        """The city's main source of people, with the newest release of its layer; None where nobody counted them."""
        return self.populations[0] if self.populations else None

    @property
    def key(self) -> str:
        """Hash of all this: what `city_key` returned at the same moment."""
        return _key(self.city, self.places.rows, self.supplied, self.index, self.populations, self.travel)


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
    supplied, populations = _supplied_read(city, user, index), populations_read(city, user)
    return CityReading(city, places, supplied, index, populations, travel_read(city, user))


def people_reading(city: Place, user: User) -> CityReading | None:
    """Read a city's boundaries and where its people are counted, and no services; None while it has no boundaries.

    Whoever changes boundaries asks about people alone.
    """
    places = places_read(city, user)
    if not places.rows:
        return None
    return CityReading(city, places, (), index_of(city), populations_read(city, user))


def city_key(city: Place, user: User) -> str:
    """Return the hash of all that `city_read` would give: while it is the same, so is every answer about the city.

    No geometry is read, only its hash, so asking costs a few milliseconds.
    """
    rows = _place_rows(_in_force(city, user).values_list(*_ROW, GeometryDigest("geometry")))
    index = index_of(city)
    supplied, populations = _supplied_read(city, user, index), populations_read(city, user)
    return _key(city, rows, supplied, index, populations, travel_read(city, user))


def _key(
    city: Place,
    rows: tuple[PlaceRow, ...],
    supplied: tuple[Supplied, ...],
    index: Index | None,
    populations: tuple[tuple[Release, PopulationSource], ...],
    travel: TravelReading | None,
) -> str:
    return content_key(
        [city.path, city.name_fa, city.name_en],
        [_PLACE(row) for row in rows],
        [_supplied_content(found) for found in supplied],
        _values_of(index),
        [[_values_of(row) for row in (release, source, source.layer)] for release, source in populations],
        _travel_content(travel),
    )


def _supplied_content(found: Supplied) -> list[Any]:
    supply, rest = found.supply, [found.indicator_code, found.weight, found.facilities]
    parts = (supply, supply.service, supply.service.theme, supply.layer, found.release, *found.standards)
    return [*(_values_of(part) for part in parts), *rest]


def _travel_content(travel: TravelReading | None) -> list[Any]:
    if travel is None:
        return []
    releases = (travel.roads, travel.elevation, travel.land_cover)
    return [_values_of(travel.data), *([_values_of(r), _values_of(r.layer)] if r else [] for r in releases)]


def _values_of(row: Model | None) -> list[Any]:
    """Return the columns of a row, in their order."""
    return [getattr(row, field.attname) for field in row._meta.concrete_fields] if row is not None else []
