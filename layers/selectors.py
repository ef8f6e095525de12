"""Reads of uploads and of what helps to read a file: kept mappings, the bounds of a city, what a layer holds by now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.gis.db.models import Extent

from geo.core.text import normalise
from geo.db.shapes import to_shapely
from geo.errors import NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from layers.models import FieldMapping, Layer, Upload


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


def city_places(city: Place) -> dict[str, Any]:
    """Return the geometries in force of the places in a city, by code and by name as `normalise` gives it.

    A name that two places have stands for neither.
    """
    within = Place.objects.within(city).exclude(pk=city.pk).order_by().values("pk")
    found: dict[str, Any] = {}
    twice: set[str] = set()
    for boundary in Boundary.objects.current().filter(place__in=within).select_related("place"):
        place, shape = boundary.place, to_shapely(boundary.geometry)
        found[place.code] = shape
        for name in {normalise(place.name_fa), normalise(place.name_en)} - {"", place.code}:
            twice |= {name} if name in found else set()
            found[name] = shape
    return {name: shape for name, shape in found.items() if name not in twice}


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
