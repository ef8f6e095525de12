"""Geometry in the admin: shown and edited on a map, or given as GeoJSON; faults are said with their place."""

from __future__ import annotations

import json
import math
from typing import Any, Final

import shapely
from django import forms
from django.contrib.gis.geos import GEOSGeometry
from django.core.exceptions import ValidationError
from django.forms.widgets import Script
from django.utils.translation import gettext_lazy as _

from geo.core import validity
from geo.core.crs import STORAGE_EPSG
from geo.errors import GeometryError

_LONGEST_TEXT: Final = 1_900_000
"""Bytes of GeoJSON taken by a form, a little under what a request may bring."""

_FAULTS: Final = {
    "empty": _("The geometry is empty. Draw it."),
    "too_many_vertices": _("The geometry has too many vertices. Simplify it, or split it into parts."),
    "not_finite": _("A coordinate is not a finite number. Correct or remove the vertex."),
    "invalid": _("The outline crosses or touches itself. Redraw it at this place."),
    "out_of_range": _("A coordinate is not a longitude and latitude. Give degrees in EPSG:4326, longitude first."),
    "crosses_antimeridian": _("The geometry spans more than half the globe. Cut it at the 180th meridian."),
}
"""What the faults found in `geo.core.validity` mean here, in the reader's language."""

_NOT_READABLE: Final = _(
    "The GeoJSON cannot be read as a polygon: rings of four or more positions, the last equal to the first."
)

MAP_MEDIA: Final = forms.Media(
    css={"all": ["vendor/maplibre-gl/maplibre-gl.css", "maps/admin/geometry.css"]},
    js=[Script("maps/admin/geometry.js", type="module")],  # type: ignore[list-item]
)


class GeometryMap(forms.Textarea):
    """A map with the geometry on the tiles of its city, and its GeoJSON below.

    Parameters
    ----------
    city_code : str
        Of the city whose tiles lie below; empty for none.
    is_editable : bool
        Whether vertices can be moved and other GeoJSON put in.
    """

    template_name = "admin/geometry_map.html"

    def __init__(self, attrs: dict[str, Any] | None = None, *, city_code: str = "", is_editable: bool = True) -> None:
        super().__init__({"rows": 8, "cols": 80, "dir": "ltr", "spellcheck": "false", **(attrs or {})})
        self.city_code = city_code
        self.is_editable = is_editable
        self.fault_at: tuple[float, float] | None = None

    @property
    def media(self) -> forms.Media:
        """The map library and our module."""
        return MAP_MEDIA

    def use_required_attribute(self, initial: Any) -> bool:
        """Leave a missing geometry to the server: the text may be folded away, where no browser can point at it."""
        return False

    def format_value(self, value: Any) -> str:
        """Return GeoJSON of a stored geometry; what was typed comes back as it was."""
        return value.geojson if isinstance(value, GEOSGeometry) else str(value or "")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Return what the template shows, with the place of the fault if there is one."""
        context = super().get_context(name, value, attrs)
        context["map"] = {
            "city_code": self.city_code,
            "is_editable": self.is_editable,
            "fault_at": json.dumps(self.fault_at) if self.fault_at else "",
        }
        return context


class MultiPolygonField(forms.CharField):
    """GeoJSON in EPSG:4326 that becomes a valid multipolygon, or an error that says where the fault is.

    A bare geometry, a feature, or a collection of one feature are taken. Nothing is repaired silently.
    """

    widget = GeometryMap

    def __init__(self, **options: Any) -> None:
        super().__init__(strip=True, **options)

    def to_python(self, value: Any) -> Any:
        """Read the text."""
        if value in self.empty_values:
            return None
        if isinstance(value, GEOSGeometry):
            return value
        if len(value.encode()) > _LONGEST_TEXT:
            raise ValidationError(
                _("The GeoJSON is longer than %(limit)s MB. Simplify it, or import it as a file."),
                code="too_long",
                params={"limit": _LONGEST_TEXT / 1e6},
            )
        geometry = _geometry_of(value)
        for problem in validity.problems(geometry):
            if problem.severity == "note":
                continue
            place = ""
            if (
                problem.x is not None
                and problem.y is not None
                and math.isfinite(problem.x)
                and math.isfinite(problem.y)
            ):
                self.widget.fault_at = (problem.x, problem.y)  # type: ignore[attr-defined]
                place = f" ({problem.x:.6f}, {problem.y:.6f})"
            raise ValidationError(f"{_FAULTS.get(problem.code, problem.message)}{place}", code=problem.code)
        try:
            polygons = validity.as_multipolygon(geometry)
        except GeometryError as error:
            raise ValidationError(str(error), code=error.code) from error
        return GEOSGeometry(memoryview(shapely.to_wkb(polygons)), srid=STORAGE_EPSG)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare as geometry: the same GeoJSON written otherwise is no change."""
        try:
            given = self.to_python(data)
        except ValidationError:
            return True
        if not isinstance(initial, GEOSGeometry) or given is None:
            return bool(initial or given)
        return not initial.equals_exact(given)


def _geometry_of(text: str) -> shapely.Geometry:
    """Return the one geometry of a GeoJSON text."""
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValidationError(
            _("This is not JSON: line %(line)s, column %(column)s."),
            code="not_json",
            params={"line": error.lineno, "column": error.colno},
        ) from error
    except RecursionError as error:
        raise ValidationError(_NOT_READABLE, code="bad_geojson") from error
    if isinstance(found, dict) and found.get("type") == "FeatureCollection":
        features = found.get("features")
        if not isinstance(features, list) or len(features) != 1:
            raise ValidationError(_("The collection must hold exactly one feature."), code="not_one_feature")
        found = features[0]
    if isinstance(found, dict) and found.get("type") == "Feature":
        found = found.get("geometry")
    if not isinstance(found, dict) or found.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValidationError(_("Give a GeoJSON polygon or multipolygon."), code="not_polygonal")
    try:
        return shapely.from_geojson(json.dumps(found, allow_nan=False))
    except (shapely.errors.GEOSException, RecursionError) as error:
        raise ValidationError(_NOT_READABLE, code="bad_geojson") from error
    except ValueError as error:  # a number too large for any coordinate
        raise ValidationError(_FAULTS["not_finite"], code="not_finite") from error


def _refuse_constant(name: str) -> float:
    raise ValidationError(_("%(name)s is not a coordinate."), code="not_finite", params={"name": name})
