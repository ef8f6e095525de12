"""An edition as a GeoJSON feature, and the entity tag of its state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from django.utils import timezone
from shapely.geometry import mapping

from geo.models import Boundary
from maps.ogc.crs import Crs, to_crs
from maps.ogc.queryables import ETAG
from maps.ogc.selectors import geometry_of, identifier_of

SCHEME = "1"
"""Part of every entity tag: raise it when the same edition is written differently."""


def features_of(editions: Sequence[Boundary], crs: Crs) -> list[dict[str, Any]]:
    """Return editions as GeoJSON features in a CRS (`/req/geojson/content`, `/req/crs/geojson`).

    Raises
    ------
    CrsError
        If one lies where the CRS is not defined.
    """
    today = timezone.localdate()
    geometries = np.empty(len(editions), dtype=object)
    geometries[:] = [geometry_of(edition) for edition in editions]
    return [
        {
            "type": "Feature",
            "id": identifier_of(edition, today),
            "geometry": mapping(geometry),
            "properties": properties_of(edition) | {ETAG: state_of(edition)},
        }
        for edition, geometry in zip(editions, to_crs(geometries, crs), strict=True)
    ]


def properties_of(edition: Boundary) -> dict[str, Any]:
    """Return what a feature says beside its geometry and state; the names are those of the schema.

    A draft has the names that the place is to have by it.
    """
    place = edition.place
    low, high = edition.valid.lower, edition.valid.upper
    is_open = edition.status != Boundary.Status.APPROVED
    return {
        "code": place.code,
        "name_fa": (is_open and edition.new_name_fa) or place.name_fa,  # type: ignore[attr-defined]
        "name_en": (is_open and edition.new_name_en) or place.name_en,  # type: ignore[attr-defined]
        "kind": place.kind,
        "city": edition.city_code,  # type: ignore[attr-defined]
        "status": edition.status,
        "certainty": edition.certainty,
        "source": edition.source,
        "version": edition.version,
        "edition": edition.pk,
        "valid_from": _iso(low),
        "valid_to": _iso(high),
        "illustrative": place.is_illustrative,
        "open_changes": edition.open_changes,  # type: ignore[attr-defined]
    }


def state_of(edition: Boundary, unseen: int = 0) -> str:
    """Name the state of an item as its reader sees it: equal states, equal content in whatever CRS.

    Open changes are part of it, by their number: so whoever has not seen that somebody else proposed something for the
    same place is told so before writing.

    Parameters
    ----------
    unseen : int
        Name the state as it was before that many of the open changes.
    """
    properties = properties_of(edition)
    properties["open_changes"] -= unseen
    told = json.dumps(properties, ensure_ascii=False, sort_keys=True)
    digest = hashlib.sha256(told.encode() + bytes(edition.wkb))  # type: ignore[attr-defined]
    return f"{SCHEME}-{digest.hexdigest()[:32]}"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
