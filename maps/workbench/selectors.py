"""What the workbench reads: who may draw where, a city as a partition, shapes of layers, who else is there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import shapely
from django.contrib.gis.geos import Point
from django.utils import timezone
from django.utils.translation import get_language

from analysis.caching import arrays, content_key
from analysis.disclosure import is_insider, public_count
from analysis.ground import people_within
from analysis.selectors import CityReading, city_get, city_read, people_reading, places_read, population_read
from geo.core.crs import STORAGE_EPSG
from geo.core.measuring import area_m2
from geo.core.partition import SNAP_TOLERANCE_M, to_json
from geo.db.shapes import to_shapely
from geo.errors import Forbidden, InvalidInput, NotFound
from geo.models import Boundary, ChangeSet, Place, Presence, WorkingCopy
from geo.querysets import User
from geo.selectors import change_set_read, codes_taken, partition_read, partition_state
from layers.models import Feature, Layer, Release, Service, Supply
from maps.workbench.effort import Ground, ground_of
from maps.workbench.schemas import Drawn

SEEN_S: Final = 60
"""For how long somebody who was heard of counts as being here."""


def editable_codes(city: Place, user: User) -> frozenset[str]:
    """Return the codes of the places in a city whose boundaries a user may edit."""
    return frozenset(Place.objects.within(city).editable_by(user).values_list("code", flat=True))


def drawing_required(city: Place, user: User) -> None:
    """Refuse a person who may edit no boundary in a city.

    Raises
    ------
    Forbidden
        With what to ask for.
    """
    if not Place.objects.within(city).editable_by(user).exists():
        raise Forbidden(
            f"You may not draw boundaries of {city.name_en}.",
            code="may_not_draw",
            where=city.code,
            remedy="Ask the administrator for the role of planner there.",
            details={"city": city.name},
        )


def drawn_city(code: str, user: User) -> Place:
    """Return a city that a user may draw in.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    Forbidden
        Where the user may not draw there.
    """
    city = city_get(code, user)
    drawing_required(city, user)
    return city


def reading_of(city: Place, user: User) -> CityReading | None:
    """Read what analyses know of a city; None while it has no place with a boundary."""
    try:
        return city_read(city, user)
    except NotFound:
        return None


def ground_in_force(reading: CityReading | None) -> Ground:
    """Return the boundaries in force, made ready once for the same editions."""
    if reading is None:
        return ground_of(())
    key = content_key("edges in force", reading.places.key)
    ground: Ground = arrays.get(key, lambda: ground_of(reading.places.geometries_4326))
    return ground


# ---- the partition


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A city as it is drawn, whoever asks that sees the same editions.

    Attributes
    ----------
    partition
        The neighbourhoods as arcs, as JSON.
    settlements
        By code, their geometries as JSON.
    facts
        By code, what is known of each place but who may edit it and how many live there.
    people
        By code, exactly; empty where nobody counted them.
    version
        Tells one state from another.
    """

    partition: str
    settlements: Mapping[str, str]
    facts: Mapping[str, dict[str, Any]]
    people: Mapping[str, float]
    version: str


def partition_text(city: Place, user: User, *, as_of: date | None = None, change_set: ChangeSet | None = None) -> bytes:
    """Return a city as the workbench draws it, as JSON: arcs, faces, settlements, and what is known of each place.

    Those who may draw there are told every code that is taken too: of ended places and of others' drafts nothing else.
    What is in force is put together once for all who see the same editions.

    Parameters
    ----------
    city : Place
        The city.
    user : user
        Who asks; drafts are seen only where the user has a role, small counts of people only by insiders.
    as_of : date, optional
        The day whose editions are asked for; today if None.
    change_set : ChangeSet, optional
        Whose editions take the place of those in force, as `geo.selectors.change_set_read` gives it.

    Raises
    ------
    Conflict
        Where boundaries cannot be told apart.
    """
    if change_set is None:
        population = population_read(city)
        key = content_key(
            "partition",
            [city.path, get_language()],
            partition_state(city, user, as_of),
            [population[0].content_hash, population[1].field] if population else [],
        )
        drawn: _Drawn = arrays.get(key, lambda: _drawn(city, user, as_of, None))
    else:
        drawn = _drawn(city, user, as_of, change_set)
    editable = editable_codes(city, user) if user.is_authenticated else frozenset()
    is_exact = is_insider(user, city)

    def people(code: str) -> float | None:
        number = drawn.people.get(code)
        return number if number is None or is_exact or code in editable else public_count(number)

    facts = {
        code: {**said, "is_editable": code in editable, "population": people(code)}
        for code, said in drawn.facts.items()
    }
    settlements = ",".join(
        f'{{"code":{_json(code)},"geometry":{geometry},{_json(facts[code])[1:]}'
        for code, geometry in drawn.settlements.items()
    )
    return (
        f'{{"partition":{drawn.partition},"places":{_json(facts)},"settlements":[{settlements}],'
        f'"tolerance_m":{SNAP_TOLERANCE_M},"version":{_json(drawn.version)}'
        f"{_taken(city) if editable else ''}}}"
    ).encode()


def _taken(city: Place) -> str:
    return f',"codes_taken":{_json(codes_taken(city))}'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _drawn(city: Place, user: User, as_of: date | None, change_set: ChangeSet | None) -> _Drawn:
    partition, settlements, editions = partition_read(city, user, as_of=as_of, change_set=change_set)
    in_set = _in_set(change_set) if change_set is not None else {}
    state = [(code, one.pk, one.version) for code, one in editions.items()]
    return _Drawn(
        _json(to_json(partition)),
        {code: _json(geojson(shape)) for code, shape in settlements.items()},
        {code: _facts(edition, in_set.get(code)) for code, edition in editions.items()},
        _people_of(city, user, partition.polygons | dict(settlements)),
        content_key(state, change_set.version if change_set else 0)[:16],
    )


@dataclass(frozen=True, slots=True)
class _InSet:
    """What a change set says of a place: the edition it is based on, new names, and where its ground comes from."""

    base_id: int | None
    name_fa: str
    name_en: str
    from_codes: tuple[str, ...]


def _in_set(change_set: ChangeSet) -> dict[str, _InSet]:
    froms: dict[str, list[str]] = {}
    for descent in change_set.descents.all():
        if descent.successor is not None and descent.successor_id != descent.predecessor_id:
            froms.setdefault(descent.successor.code, []).append(descent.predecessor.code)
    return {
        change.place.code: _InSet(
            change.base_id, change.name_fa, change.name_en, tuple(froms.get(change.place.code, ()))
        )
        for change in change_set.changes.all()
    }


def _facts(edition: Boundary, said: _InSet | None) -> dict[str, Any]:
    place = edition.place
    return {
        "name_fa": (said.name_fa if said else "") or place.name_fa,
        "name_en": (said.name_en if said else "") or place.name_en,
        "kind": place.kind,
        "edition": said.base_id if said else edition.pk,
        "version": edition.version,
        "certainty": edition.certainty,
        "source": edition.source_text,
        "disputed": json.loads(edition.disputed.geojson) if edition.disputed else None,
        "from": list(said.from_codes) if said else [],
    }


def _people_of(city: Place, user: User, shapes: Mapping[str, shapely.Geometry]) -> dict[str, float]:
    reading = people_reading(city, user)
    if reading is None or reading.population is None or not shapes:
        return {}
    codes = sorted(shapes)
    people = people_within(reading, np.array([shapes[code] for code in codes], dtype=object))
    return {code: round(float(n), 1) for code, n in zip(codes, people, strict=True)}


def change_set_of(number: int, city: Place, user: User) -> ChangeSet:
    """Return a change set of a city.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    found = change_set_read(number, user)
    if found.place_id != city.pk:
        raise NotFound("There is no such change set.", where=f"change set {number}", remedy="Look in the list.")
    return found


def drafted(change_set: ChangeSet) -> list[Drawn]:
    """Return what a change set draws, as if it were drawn at this moment."""
    return [
        Drawn(
            code=change.place.code,
            kind=change.place.kind,
            geometry=json.loads(change.boundary.geometry.geojson) if change.boundary else None,
        )
        for change in change_set.changes.all()
    ]


def geojson(geometry: shapely.Geometry | None) -> Any:
    """Return a geometry as GeoJSON, all its digits kept; None where there is none.

    Examples
    --------
    >>> geojson(shapely.Point(48.1234567, 33))
    {'type': 'Point', 'coordinates': [48.1234567, 33.0]}
    """
    return None if geometry is None else json.loads(shapely.to_geojson(geometry))


# ---- the page


def bounds_of(city: Place, user: User) -> list[float]:
    """Return west, south, east and north of what a user sees of a city; of the world where there is nothing."""
    shapes = list(places_read(city, user).geometries_4326)
    if not shapes:
        own = Boundary.objects.visible_to(user).current().filter(place=city)
        shapes = [to_shapely(edition.geometry) for edition in own] or [shapely.box(-180, -80, 180, 80)]
    return [round(float(value), 6) for value in shapely.total_bounds(shapes)]


def shape_layers(city: Place, user: User) -> list[dict[str, str]]:
    """Return the layers of areas that a user may take shapes from."""
    found = Layer.objects.visible_to(user).filter(
        city=city, kind=Layer.Kind.POLYGON, pk__in=Release.objects.order_by().values("layer")
    )
    return [{"code": layer.code, "name": layer.name, "kind": layer.kind} for layer in found.order_by("code")]


def service_names(city: Place, user: User) -> dict[str, str]:
    """Return the names of a city's facility services in the language of the reader, by code."""
    supplies = Supply.objects.filter(
        city=city, layer__in=Layer.objects.visible_to(user), service__kind=Service.Kind.FACILITY
    )
    return {
        supply.service.code: supply.service.name
        for supply in supplies.select_related("service").order_by("service__position")
    }


def shape_at(city: Place, code: str, lon: float, lat: float, user: User) -> dict[str, Any]:
    """Return the shape of a layer under a point: the smallest where several lie over each other.

    Raises
    ------
    NotFound
        Where the user sees no such layer, or nothing of it lies there.
    InvalidInput
        Where the layer has no areas, or the point is none.
    """
    if not (abs(lon) <= 180 and abs(lat) <= 90):
        raise InvalidInput(
            "This is no longitude and latitude.", code="out_of_range", where="lon, lat", remedy="Give degrees."
        )
    layer = Layer.objects.visible_to(user).filter(city=city, code=code).first()
    if layer is None:
        raise NotFound(f"There is no layer {code!r}.", code="unknown_layer", where=code, remedy="Choose another layer.")
    if layer.kind != Layer.Kind.POLYGON:
        raise InvalidInput(
            "The layer has no areas.", code="not_polygonal", where=code, remedy="Choose a layer of areas."
        )
    release = Release.objects.filter(layer=layer).order_by("-number").first()
    found = Feature.objects.of(release).intersecting(Point(lon, lat, srid=STORAGE_EPSG))[:50] if release else []
    features = [(feature, to_shapely(feature.geometry)) for feature in found]
    features = [(feature, shape) for feature, shape in features if shape.geom_type in ("Polygon", "MultiPolygon")]
    if not features:
        raise NotFound(
            "Nothing of the layer lies there.",
            code="no_shape_here",
            where=f"{lon:.6f}, {lat:.6f}",
            remedy="Point at one of its areas.",
        )
    areas_m2 = area_m2([shape for _, shape in features])
    smallest = int(np.argmin(areas_m2))
    feature, shape = features[smallest]
    return {
        "layer": layer.code,
        "number": feature.number,
        "name": feature.name,
        "geometry": geojson(shape),
        "area_m2": round(float(areas_m2[smallest]), 2),
    }


# ---- work in progress


def working_copy_of(city: Place, user: Any) -> WorkingCopy | None:
    """Return a user's own unsaved work on a city."""
    return WorkingCopy.objects.filter(user=user, city=city).first()


def others_here(city: Place, user: Any) -> list[dict[str, Any]]:
    """Return who else edits a city now, and which of the places that the user may see."""
    since = timezone.now() - timedelta(seconds=SEEN_S)
    found = (
        Presence.objects.visible_to(user)
        .filter(city=city, seen_at__gte=since)
        .exclude(user=user)
        .select_related("user")
        .order_by("user__username")
    )
    named = {code for one in found for code in one.places}
    seen = Place.objects.visible_to(user).filter(path__startswith=city.path + "/", code__in=named)
    visible = set(seen.values_list("code", flat=True)) if named else set()
    return [
        {
            "user": one.user.get_username(),
            "places": [code for code in one.places if code in visible],
            "seen_at": one.seen_at.isoformat(),
        }
        for one in found
    ]
