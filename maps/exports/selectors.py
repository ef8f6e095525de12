"""What an export reads: the layer, the release, and which fields count people."""

from __future__ import annotations

from analysis.disclosure import SMALL_COUNT, counts_people, is_insider, people_fields
from analysis.selectors import city_get
from geo.errors import NotFound
from geo.querysets import User
from layers.models import Layer, Release


def layer_get(city_code: str, code: str, user: User) -> Layer:
    """Return a layer of a city that a user may see.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it; the two are not told apart.
    """
    city = city_get(city_code, user)
    found: Layer | None = (
        Layer.objects.visible_to(user).select_related("city", "theme").filter(city=city, code=code).first()
    )
    if found is None:
        raise NotFound(
            f"{city.name_en} has no layer {code!r}.",
            code="unknown_layer",
            where=city.code,
            remedy="Choose one from the list of layers.",
            details={"city": city.name, "layer": code},
        )
    return found


def releases_of(layer: Layer, user: User) -> list[Release]:
    """Return the releases of a layer that a user may see, the newest first."""
    return list(Release.objects.visible_to(user).filter(layer=layer).order_by("-number"))


def release_get(layer: Layer, number: int | None, user: User) -> Release:
    """Return a release of a layer; the newest where no number is given.

    Raises
    ------
    NotFound
        Where there is none.
    """
    known = Release.objects.visible_to(user).filter(layer=layer).select_related("layer__city", "layer__theme", "raster")
    found: Release | None = known.filter(**({} if number is None else {"number": number})).order_by("-number").first()
    if found is None:
        raise NotFound(
            f"The layer {layer.code!r} has no release {number}."
            if number
            else f"The layer {layer.code!r} is empty yet.",
            code="unknown_release",
            where="release",
            remedy="Choose one from the list of its releases.",
            details={"layer": layer.name, "release": number or 0},
        )
    return found


def fields_of_few(layer: Layer, user: User) -> dict[str, float]:
    """Return the fields in which small counts of people are not told to a user, each with the number they stay under."""
    if is_insider(user, layer.city):
        return {}
    return dict.fromkeys(sorted(people_fields(layer)), float(SMALL_COUNT))


def pixels_of_few(layer: Layer, user: User) -> float:
    """Return the number of people under which squares of a raster are not told to a user; 0 where all are told."""
    return float(SMALL_COUNT) if counts_people(layer) and not is_insider(user, layer.city) else 0.0
