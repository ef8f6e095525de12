"""Reads of uploads and of what helps to read a file: kept mappings, the bounds of a city, what a layer holds by now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.gis.db.models import Extent
from django.db.models import Value
from django.db.models.fields.json import KeyTextTransform

from geo.core.text import normalise
from geo.db.shapes import to_shapely
from geo.errors import InvalidInput, LimitExceeded, NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import Feature, FieldMapping, Layer, Upload
from layers.reading import Partner, Places

MOST_PARTNERS: Final = 100_000
"""Features of a layer that a table can be joined to: they are held in memory."""


def upload_get(upload: UUID, user: User) -> Upload:
    """Return an upload that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it; the two are not told apart.
    """
    found: Upload | None = (
        Upload.objects.visible_to(user).select_related("city", "layer", "release", "author").filter(pk=upload).first()
    )
    if found is None:
        raise NotFound(
            "There is no such upload.",
            code="unknown_upload",
            where=str(upload),
            remedy="Choose one from the list of the city's uploads.",
        )
    return found


def uploads_of(city: Place, user: User, *, limit: int = 100) -> list[Upload]:
    """Return the newest uploads of a city that a user may see."""
    found = Upload.objects.visible_to(user).filter(city=city).select_related("city", "layer", "release", "author")
    return list(found.defer("report")[:limit])


def folder_of(upload: UUID) -> Path:
    """Return the folder that holds an upload's file, and what is made of it meanwhile."""
    return Path(settings.UPLOAD_DIR) / str(upload)


def made_folder(upload: UUID) -> Path:
    """Return the folder of what is made of an upload's file to be looked at."""
    return folder_of(upload) / "made"


def file_of(upload: Upload) -> Path:
    """Return where an upload's file lies.

    Raises
    ------
    NotFound
        Where it is not kept any more.
    """
    folder = folder_of(upload.pk)
    found = [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    if len(found) != 1:
        raise NotFound(
            f"The file {upload.file_name!r} is not kept any more.",
            code="upload_gone",
            where=upload.file_name,
            remedy="Bring it again.",
            details={"file": upload.file_name},
        )
    return found[0]


def made_of(upload: Upload, name: str) -> bytes:
    """Return what was made when an upload was examined: ``preview.geojson`` or ``problems.geojson``.

    Raises
    ------
    NotFound
        Where the upload was not examined yet, or its file is not kept any more.
    """
    try:
        return (made_folder(upload.pk) / name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(
            "This is kept from the examination of a file until it is stored or cancelled, and is not there.",
            code="not_examined",
            where=upload.file_name,
            remedy="Wait for the examination, or bring the file again.",
            details={"file": upload.file_name},
        ) from error


def city_bounds(city: Place) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north around the boundaries in force of a city and the places in it; None without one."""
    within = Place.objects.within(city).order_by().values("pk")
    found = Boundary.objects.current().filter(place__in=within).aggregate(box=Extent("geometry"))["box"]
    return tuple(found) if found else None


def city_places(city: Place) -> Places:
    """Return the places in a city with their geometries in force, for tables that name them."""
    within = Place.objects.within(city).exclude(pk=city.pk).order_by().values("pk")
    boundaries = Boundary.objects.current().filter(place__in=within).select_related("place").order_by("place__code")
    return Places(
        Partner(one.place.code, one.place.name_fa, to_shapely(one.geometry), (one.place.name_en,)) for one in boundaries
    )


def layer_to_join(city: Place, code: str, user: User) -> Layer:
    """Return the layer of a city to whose features a table is to be joined.

    Raises
    ------
    InvalidInput
        Where there is none with features, or the user may not know of it; the two are not told apart.
    """
    layers = Layer.objects.visible_to(user).current().filter(city=city, code=code, releases__isnull=False)
    found: Layer | None = layers.exclude(kind=Layer.Kind.RASTER).first()
    if found is None:
        raise InvalidInput(
            f"{city.name_en} has no layer {code[:60]!r} with features to join to.",
            code="unknown_layer",
            where="join_layer",
            remedy="Choose another layer, or join to the places of the city.",
            details={"city": city.name, "layer": code[:60]},
        )
    return found


def layers_to_join(city: Place, user: User) -> list[Layer]:
    """Return the layers of a city that a table can be joined to."""
    found = Layer.objects.visible_to(user).current().filter(city=city, releases__isnull=False)
    return list(found.exclude(kind=Layer.Kind.RASTER).distinct().order_by("code"))


def places_to_join(
    city: Place, code_field: str | None, join_layer: str | None, user: User, release: int | None = None
) -> Places | None:
    """Return what the rows of a file are joined to: features of a layer, or the places of the city; None where they are not.

    Parameters
    ----------
    code_field : str, optional
        Field with codes or names.
    join_layer : str, optional
        Code of the layer whose features they are of; of the places of the city if None.
    release : int, optional
        Number of the release of that layer, where it was settled before.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where there is no such layer, or it has too many features.
    """
    if not code_field:
        return None
    return layer_places(layer_to_join(city, join_layer, user), release) if join_layer else city_places(city)


def layer_places(layer: Layer, release: int | None = None) -> Places:
    """Return the features of a layer, for tables that name them by the layer's key field or by name.

    Parameters
    ----------
    layer : Layer
        It must have a release.
    release : int, optional
        Number of the release; the newest if None.

    Raises
    ------
    LimitExceeded
        Where there are too many.
    """
    releases = layer.releases.order_by("-number")
    found = (releases if release is None else releases.filter(number=release))[0]
    if found.row_count > MOST_PARTNERS:
        raise LimitExceeded(
            f"Layer {layer.code!r} has {found.row_count:,} features, more than the {MOST_PARTNERS:,} that a table can be joined to.",
            code="too_many_features",
            where="join_layer",
            remedy="Choose another layer.",
            details={"layer": layer.code},
        )
    key = KeyTextTransform(layer.key_field, "attributes") if layer.key_field else Value("")
    rows = Feature.objects.of(found).order_by("number").annotate(_key=key).values_list("_key", "name", "geometry")
    partners = (Partner(code or "", name, to_shapely(geometry)) for code, name, geometry in rows)
    return Places(partners, layer=layer.code, release=found.number)


def columns_fingerprint(names: Iterable[str]) -> str:
    """Return what files with the same columns have in common, whatever their order and spelling.

    Examples
    --------
    >>> columns_fingerprint(["نام", "كد"]) == columns_fingerprint(["کد", "نام"])
    True
    """
    return hashlib.sha256("\x1f".join(sorted(normalise(name) for name in names)).encode()).hexdigest()


def mapping_kept(layer: Layer, organisation: str, names: Sequence[str]) -> FieldMapping | None:
    """Return how a file with these columns was read into a layer the last time, by the same organisation or by anybody."""
    found = FieldMapping.objects.filter(layer=layer, columns=columns_fingerprint(names))
    kept: dict[str, Any] = {one.organisation: one for one in found.filter(organisation__in=["", organisation])}
    return kept.get(organisation) or kept.get("")
