"""What boundaries can be filtered by, and what each feature says: the one list behind filters, schemas and the API definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from geo.models import Boundary, Place

Type = Literal["string", "integer", "date", "geometry"]


@dataclass(frozen=True, slots=True)
class Queryable:
    """A property that filters may name.

    Attributes
    ----------
    name, title, type
        As they stand in the schema.
    lookup : str
        Where the value lies, from the queryset of `maps.ogc.selectors.editions`.
    choices : tuple of str
        The values it can have, where they are few.
    is_writable : bool
        Whether the body of a write may set it; what is not writable is read from such a body without effect.
    """

    name: str
    title: str
    type: Type
    lookup: str
    choices: tuple[str, ...] = ()
    is_writable: bool = False

    def schema(self) -> dict[str, Any]:
        """Return its JSON Schema (`/req/queryables/get-queryables-response`)."""
        if self.type == "geometry":
            # Clients know a geometry by this reference; `format` is that of Part 5.
            return {"$ref": "https://geojson.org/schema/MultiPolygon.json", "format": "geometry-multipolygon"}
        found: dict[str, Any] = {"title": self.title, "type": "string" if self.type == "date" else self.type}
        if self.type == "date":
            found["format"] = "date"
        if self.choices:
            found["enum"] = list(self.choices)
        return found


QUERYABLES: Final = {
    item.name: item
    for item in (
        Queryable("code", "Code of the place", "string", "place__code", is_writable=True),
        Queryable("name_fa", "Persian name", "string", "place__name_fa", is_writable=True),
        Queryable("name_en", "English name", "string", "place__name_en", is_writable=True),
        Queryable("kind", "Kind of place", "string", "place__kind", tuple(Place.Kind.values), is_writable=True),
        Queryable("city", "Code of the city", "string", "city_code", is_writable=True),
        Queryable("status", "Status of the edition", "string", "status", tuple(Boundary.Status.values)),
        Queryable(
            "certainty",
            "How the boundary is known",
            "string",
            "certainty",
            tuple(Boundary.Certainty.values),
            is_writable=True,
        ),
        Queryable("source", "Source of the boundary", "string", "source", is_writable=True),
        Queryable("version", "Number of the edition", "integer", "version"),
        Queryable("valid_from", "First day in force", "date", "valid_from"),
        Queryable("geometry", "Boundary", "geometry", "geometry"),
    )
}
"""Every name a filter may use; any other is refused, so that nothing of the database can be asked that is not listed here."""

SCALARS: Final = tuple(name for name, item in QUERYABLES.items() if item.type != "geometry")
"""Those that are query parameters of their own too (`/req/queryables-query-parameters/parameters`)."""

ETAG: Final = "etag"
"""The property that names the state of a feature, for programs that send back what they read but no header ``If-Match``."""

READ_ONLY: Final = {
    "edition": {"title": "Number of this edition among all", "type": "integer"},
    "valid_to": {"title": "First day no longer in force", "type": "string", "format": "date"},
    "illustrative": {"title": "Invented for demonstration", "type": "boolean"},
    "open_changes": {
        "title": "Change sets that wait for approval and touch the place, of those you may see",
        "type": "integer",
    },
    ETAG: {"title": "State of the feature; sent back in PUT or PATCH as it was read, it is If-Match", "type": "string"},
}
"""What features say beside the queryables."""

WRITABLE: Final = tuple(name for name in SCALARS if QUERYABLES[name].is_writable)
