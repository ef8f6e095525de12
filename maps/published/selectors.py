"""What publishing reads: the published maps a user may see, and what of a city goes below the result on one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import shapely
from django.contrib.auth.models import AnonymousUser
from django.contrib.gis.db.models.functions import AsWKB
from django.db.models.fields.json import KeyTextTransform
from numpy.typing import NDArray

from analysis.results import CityCoverage, ServiceRow
from analysis.selectors import facilities_read
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, Layer, Release
from maps.models import Publication
from maps.pages.selectors import BASE_LAYERS
from maps.published.document import SourceFact
from maps.published.drawing import Backdrop
from maps.published.freeze import SETTLEMENT
from maps.published.results import as_shapes

ROAD_KINDS: Final = {
    "motorway": "road-1", "trunk": "road-1", "primary": "road-1", "arterial": "road-1",
    "secondary": "road-2", "tertiary": "road-2", "collector": "road-2",
    "residential": "road-3", "unclassified": "road-3", "local": "road-3",
}  # fmt: skip
"""Classes of streets that a map for everybody shows, and how wide; lesser ones are left to the live map."""
BACKDROP_KINDS: Final = ("outline", "facility", "water", "road-1", "road-2", "green", "transit", "road-3")
"""Backdrops by how much a reader would miss them: the last ones are left out first where a page grows too heavy."""
MAX_FACILITIES: Final = 3_000


def publication_get(slug: str, user: User) -> Publication:
    """Return a published map a user may see.

    Raises
    ------
    NotFound
        Where there is none, it was withdrawn, or the user may not know of it.
    """
    found = Publication.objects.visible_to(user).select_related("city", "run").filter(slug=slug)
    publication = found.defer("page_fa", "page_en", "geojson").first()
    if publication is None:
        raise NotFound(
            "There is no such published map.",
            code="unknown_publication",
            where=slug,
            remedy="Look for it on the page of its city.",
            details={"address": slug},
        )
    return publication


def publication_page(slug: str, user: User, language: str) -> str:
    """Return the frozen page of a published map.

    Raises
    ------
    NotFound
        As `publication_get`.
    """
    column = "page_en" if language == "en" else "page_fa"
    page = Publication.objects.visible_to(user).filter(slug=slug).values_list(column, flat=True).first()
    if page is None:
        raise NotFound(
            "There is no such published map.", code="unknown_publication", where=slug, details={"address": slug}
        )
    return str(page)


def is_withdrawn(slug: str) -> bool:
    """Tell whether a map that anybody could see was withdrawn since."""
    return Publication.objects.filter(slug=slug, withdrawn_at__isnull=False, city__is_published=True).exists()


def geometries_of(result: CityCoverage) -> NDArray[np.object_]:
    """Return the boundaries of a result's places: exactly the editions it was computed from, in their order."""
    editions = [place.edition_id for place in result.places]
    found = dict(Boundary.objects.filter(pk__in=editions).values_list("pk", AsWKB("geometry")))
    return as_shapes([found[edition] for edition in editions])


def backdrops_of(
    result: CityCoverage, geometries: NDArray[np.object_], service: ServiceRow | None
) -> tuple[list[Backdrop], list[SourceFact]]:
    """Return what goes below and above the places of a map, most important first, and where it comes from.

    Only what anybody may see is taken.

    Parameters
    ----------
    geometries : ndarray
        Of the result's places.
    service : ServiceRow or None
        Whose facilities are dotted on the map; networks are not, and too many facilities are not.
    """
    shapes: dict[str, list[shapely.Geometry]] = {"outline": [_outline(result, geometries)]}
    sources: list[SourceFact] = []
    visible = Layer.objects.visible_to(AnonymousUser()).filter(city=result.city, code__in=BASE_LAYERS)
    for layer in visible.exclude(kind=Layer.Kind.RASTER).order_by("code"):
        release = layer.releases.order_by("-number").first()
        added = _layer_shapes(layer, release) if release else {}
        for kind, found in added.items():
            shapes.setdefault(kind, []).extend(found)
        if added and release:
            sources.append(
                SourceFact(
                    "backdrop",
                    layer.name_fa,
                    layer.name_en,
                    layer.source,
                    layer.licence,
                    release.reference_date,
                    layer.source_fa,
                )
            )
    if service and service.kind == "facility" and service.facilities <= MAX_FACILITIES:
        shapes["facility"] = list(facilities_read(service.release_id, service.where))
    return [Backdrop(kind, tuple(shapes[kind])) for kind in BACKDROP_KINDS if shapes.get(kind)], sources


def _outline(result: CityCoverage, geometries: NDArray[np.object_]) -> shapely.Geometry:
    """Return the outline of the city: its neighbourhoods together, so that the two agree."""
    tiles = [shape for shape, place in zip(geometries, result.places, strict=True) if place.kind != SETTLEMENT]
    return shapely.union_all(tiles or list(geometries))


def _layer_shapes(layer: Layer, release: Release) -> dict[str, list[shapely.Geometry]]:
    role = BASE_LAYERS[layer.code]
    if role not in {"roads", "water", "green", "transit"}:
        return {}
    road_class = KeyTextTransform("class", "attributes")
    rows = Feature.objects.of(release).order_by("number").values_list(road_class, AsWKB("geometry"))
    found: dict[str, list[bytes]] = {}
    for class_, wkb in rows.iterator():
        kind = ROAD_KINDS.get(class_) if role == "roads" else role
        if kind:
            found.setdefault(kind, []).append(bytes(wkb))
    return {kind: list(shapely.from_wkb(shapes)) for kind, shapes in found.items()}


def sources_of(result: CityCoverage, services: Iterable[ServiceRow]) -> list[SourceFact]:
    """Return where boundaries, people and facilities of a result come from, with their licences."""
    editions = Boundary.objects.filter(pk__in=[place.edition_id for place in result.places])
    found = []
    for kind, name_fa, name_en in (
        (Place.Kind.NEIGHBOURHOOD, "محله‌ها", "neighbourhoods"),
        (SETTLEMENT, "سکونتگاه‌های غیررسمی", "informal settlements"),
    ):
        of_kind = editions.filter(place__kind=kind).order_by("source").values_list("source", "valid").distinct()
        starts: dict[str, object] = {}
        for source, valid in of_kind:
            starts[source] = valid.lower if starts.get(source, valid.lower) == valid.lower else None
        found += [SourceFact("boundaries", name_fa, name_en, source, "", start) for source, start in starts.items()]  # type: ignore[arg-type]
    licences = dict(Layer.objects.filter(city=result.city).values_list("code", "licence"))
    if (people := result.population) is not None:
        found.append(
            SourceFact(
                "population",
                people.name_fa,
                people.name_en,
                people.source,
                licences.get(people.layer_code, ""),
                people.reference_date,
                people.source_fa,
            )
        )
    seen = set()
    for service in services:
        if service.layer_code not in seen:
            seen.add(service.layer_code)
            licence = licences.get(service.layer_code, "")
            found.append(
                SourceFact(
                    "service",
                    service.layer_name_fa,
                    service.layer_name_en,
                    service.source,
                    licence,
                    service.reference_date,
                    service.source_fa,
                )
            )
    return found


def services_used(result: CityCoverage, measure: str, column: int | None) -> Sequence[ServiceRow]:
    """Return the services a map is about: the chosen one, or all that count in the index."""
    if measure == "priority" or column is None:
        return tuple(service for service in result.services if service.weight)
    return (result.services[column],)
