"""What may be told to the public about few people: small counts are suppressed."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, QuerySet

from geo.models import Place
from geo.querysets import User, assigned_q, is_administrator
from layers.models import Layer, PopulationSource

SMALL_COUNT = 10
"""Counts of people above zero and below this are not told to the public."""


_WORDS: Final = (
    "people", "population", "pop", "households", "women", "men", "children", "جمعیت", "نفر", "خانوار", "زنان", "مردان",
    "کودکان",
)  # fmt: skip
_NAMED: Final = frozenset(form(word) for word in _WORDS for form in (str, str.capitalize, str.upper))
_UNITS: Final = frozenset({"people", "persons", "person", "inhabitants", "households", "نفر", "خانوار"})


def people_fields(layer: Layer) -> frozenset[str]:
    """Return the fields of a layer that count people, in whose rows small numbers are not told to the public.

    By their name, by the unit that the layer's description gives them, and those that a city counts its people by. Pages,
    exports and services of a layer all ask here.
    """
    described = [row for row in layer.schema if isinstance(row, dict)]
    by_unit = {str(row.get("name", "")) for row in described if str(row.get("unit", "")).strip().casefold() in _UNITS}
    counted = PopulationSource.objects.filter(layer=layer).exclude(field="").values_list("field", flat=True)
    return (_NAMED | by_unit | set(counted)) - {""}


def is_unit_of_people(unit: str) -> bool:
    """Tell whether a number of this unit counts people or households.

    Examples
    --------
    >>> is_unit_of_people("People"), is_unit_of_people("نفر"), is_unit_of_people("%")
    (True, True, False)
    """
    return unit.strip().casefold() in _UNITS


def with_people_noted(layers: QuerySet[Layer]) -> QuerySet[Layer]:
    """Return layers each of which knows whether a city counts its people on it: `counts_people` needs no query of its own."""
    return layers.annotate(has_people_counted=Exists(PopulationSource.objects.filter(layer=OuterRef("pk"))))


def counts_people(layer: Layer) -> bool:
    """Tell whether the pixels of a raster are numbers of people.

    By what the layer is said to be for, by its code where nothing is said, by the unit that its description gives, and
    where a city counts its people on it: a query, unless the layer is of `with_people_noted`.
    """
    if layer.kind != Layer.Kind.RASTER:
        return False
    units = {str(row.get("unit", "")).strip().casefold() for row in layer.schema if isinstance(row, dict)}
    by_code = layer.purpose == Layer.Purpose.GENERAL and layer.code == Layer.Purpose.POPULATION
    return layer.purpose == Layer.Purpose.POPULATION or by_code or bool(units & _UNITS) or _has_people_counted(layer)


def _has_people_counted(layer: Layer) -> bool:
    noted: bool | None = getattr(layer, "has_people_counted", None)
    return PopulationSource.objects.filter(layer=layer).exists() if noted is None else noted


def is_insider(user: User, city: Place) -> bool:
    """Tell whether a user has a role in a city or in a place above it, and so sees exact counts."""
    return is_administrator(user) or Place.objects.filter(assigned_q(user), pk=city.pk).exists()


def may_analyse(city: Place, user: User) -> bool:
    """Tell whether a user may keep and publish what is computed of a city: its analysts, planners and administrators."""
    return bool(user.is_authenticated and Place.objects.analysable_by(user).filter(pk=city.pk).exists())


def suppressed(count: float | None) -> bool:
    """Tell whether a count of people is too small for the public.

    Examples
    --------
    >>> suppressed(0), suppressed(3.2), suppressed(10), suppressed(None)
    (False, True, False, False)
    """
    return count is not None and 0 < count < SMALL_COUNT


def public_count(count: float | None) -> float | None:
    """Return a count as the public sees it: None where it is suppressed.

    Examples
    --------
    >>> public_count(3.2), public_count(12.0)
    (None, 12.0)
    """
    return None if suppressed(count) else count


def public_share(share: float | None, people: float | None) -> float | None:
    """Return a share of people as the public sees it: None where the people, or those on either side of it, are few.

    Examples
    --------
    >>> public_share(0.5, 1000.0), public_share(0.995, 1000.0), public_share(1.0, 1000.0), public_share(0.5, 6.0)
    (0.5, None, 1.0, None)
    """
    if share is None or people is None:
        return share
    return None if suppressed(people) or suppressed(people * share) or suppressed(people * (1 - share)) else share
