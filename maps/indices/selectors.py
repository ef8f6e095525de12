"""What pages of published indices read beside them: the outlines they were published with."""

from __future__ import annotations

from typing import Final

import shapely
from django.contrib.gis.db.models.functions import AsWKB

from analysis.indices.documents import Document
from analysis.models import IndexEdition
from geo.models import Boundary
from maps.pages import outlines
from maps.pages.figures import SETTLEMENT
from maps.pages.outlines import Drawing

_MOST_KEPT: Final = 32
_kept: dict[int, Drawing] = {}


def edition_drawing(edition: IndexEdition) -> Drawing:
    """Return the drawing of the boundaries that an index was published with; neither ever changes."""
    if edition.pk not in _kept:
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)))
        _kept[edition.pk] = document_drawing(edition.document)
    return _kept[edition.pk]


def document_drawing(document: Document) -> Drawing:
    """Draw the boundaries that a document of a public index names."""
    told = document["outlines"]
    found = dict(Boundary.objects.filter(pk__in=[one["edition"] for one in told]).values_list("pk", AsWKB("geometry")))
    known = [one for one in told if one["edition"] in found]
    geometries = shapely.from_wkb([bytes(found[one["edition"]]) for one in known])
    return outlines.draw([one["code"] for one in known], [one["kind"] == SETTLEMENT for one in known], geometries)


__all__ = ["document_drawing", "edition_drawing"]
