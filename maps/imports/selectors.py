"""What the interface of uploads looks up: the city, the layer and the organisation that a file is for."""

from __future__ import annotations

import shapely

from analysis.selectors import city_get
from geo.db.shapes import to_shapely
from geo.errors import InvalidInput, NotFound
from geo.models import Boundary, Place
from geo.querysets import User
from interventions.models import Organisation
from layers.models import Layer, Upload
from layers.permissions import editing_layers_required


def import_city(code: str, user: User) -> Place:
    """Return a city for which a user may bring data.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    Forbidden
        Where the user may not bring data for it.
    """
    city = city_get(code, user)
    editing_layers_required(city, user)
    return city


def import_layer(city: Place, code: str | None, user: User) -> Layer | None:
    """Return the layer that a file is for; None where none is named.

    Raises
    ------
    NotFound
        Where the city has no such layer, or it is archived.
    """
    if not code:
        return None
    found: Layer | None = Layer.objects.editable_by(user).current().filter(city=city, code=code).first()
    if found is None:
        raise NotFound(
            f"{city.name_en} has no layer {code[:60]!r}.",
            code="unknown_layer",
            where="layer",
            remedy="Choose one from the city's layers, or describe a new one.",
            details={"city": city.name, "layer": code[:60]},
        )
    return found


def city_outline(city: Place) -> shapely.Geometry | None:
    """Return the boundary in force of a city, or of the places in it where it has none itself; None without any."""
    within = Place.objects.within(city).order_by().values("pk")
    found = {one.place_id: to_shapely(one.geometry) for one in Boundary.objects.current().filter(place__in=within)}
    if city.pk in found:
        return found[city.pk]
    return shapely.union_all(list(found.values())) if found else None


def organisations_in(city: Place, user: User) -> list[Organisation]:
    """Return the organisations that work in a city, whose files may be of a shape of their own."""
    found = Organisation.objects.visible_to(user).select_related("place")
    return [one for one in found if one.works_in(city)]


def organisation_code(city: Place, code: str | None, user: User) -> str:
    """Return the code of the organisation that a file comes from; empty for nobody in particular.

    Parameters
    ----------
    code : str, optional
        As it was said; where nothing was, it is that of the user's last upload for the city.

    Raises
    ------
    InvalidInput
        Where no such organisation works in the city.
    """
    if code is None:
        last = Upload.objects.filter(author_id=user.pk, city=city).order_by("-created_at").first()
        return str(last.options.get("organisation", "")) if last is not None else ""
    if not code:
        return ""
    known = sorted(one.code for one in organisations_in(city, user))
    if code not in known:
        raise InvalidInput(
            f"No organisation {code[:60]!r} works in {city.name_en}.",
            code="unknown_organisation",
            where="organisation",
            remedy=f"Choose one of {', '.join(known[:40])}." if known else "Leave it out.",
            details={"choices": known[:40], "city": city.name},
        )
    return code
