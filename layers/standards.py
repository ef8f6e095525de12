"""Which standard holds for a service in a city: how near, how much land, how much capacity there should be.

A city's own goes before that of the programme asked for, this before one for cities of its size, and this before the
general one. Likewise a city's own classes of frequency go before the general ones.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping

from django.db.models import Q

from geo.errors import NotFound
from geo.models import Place
from layers.models import FrequencyClass, Standard


def standards_read(city: Place, service_ids: Collection[int]) -> Mapping[int, tuple[Standard, ...]]:
    """Return all standards that may hold for services in a city, by the key of the service."""
    found: defaultdict[int, list[Standard]] = defaultdict(list)
    general_or_own = Q(city__isnull=True) | Q(city=city)
    for standard in Standard.objects.filter(general_or_own, service__in=service_ids).order_by("pk"):
        found[standard.service_id].append(standard)
    return {service: tuple(standards) for service, standards in found.items()}


def standard_for(
    candidates: Iterable[Standard],
    kind: str = Standard.Kind.DISTANCE,
    *,
    programme: str = "",
    people: Callable[[], float | None] | None = None,
) -> Standard | None:
    """Return the standard that holds: the city's own, that of the programme, of the band of sizes, or the general one.

    Parameters
    ----------
    candidates
        Of one service, general ones and the city's own.
    kind
        What is demanded.
    programme
        Code of the programme asked for; standards of others do not hold. Empty for none.
    people
        Gives the number of people of the city. It is asked only where a standard depends on it; without it, or where it
        gives None, standards for cities of some size do not hold.
    """
    possible = [s for s in candidates if s.kind == kind and s.programme in ("", programme)]
    if any(_has_band(standard) for standard in possible):
        size = people() if people is not None else None
        possible = [s for s in possible if not _has_band(s) or (size is not None and _holds(s, size))]
    return min(possible, key=_rank, default=None)


def _rank(standard: Standard) -> tuple[bool, bool, bool, float]:
    low, high = standard.population_min or 0, standard.population_max
    width = math.inf if high is None else float(high - low)
    return standard.city_id is None, not standard.programme, not _has_band(standard), width


def _has_band(standard: Standard) -> bool:
    return standard.population_min is not None or standard.population_max is not None


def _holds(standard: Standard, people: float) -> bool:
    low, high = standard.population_min, standard.population_max
    return (low is None or people >= low) and (high is None or people < high)


def programmes_known() -> tuple[str, ...]:
    """Return the codes of the programmes that standards name."""
    return tuple(
        Standard.objects.exclude(programme="").values_list("programme", flat=True).distinct().order_by("programme")
    )


def programme_required(programme: str) -> None:
    """Refuse the code of a programme that no standard names.

    Raises
    ------
    NotFound
        Where there is none (``unknown_programme``).
    """
    if not programme:
        return
    known = programmes_known()
    if programme not in known:
        raise NotFound(
            f"There is no programme {programme!r} of standards.",
            code="unknown_programme",
            where="programme",
            remedy=f"Choose one of: {', '.join(known) or 'none'}.",
            details={"value": programme, "choices": list(known)},
        )


def frequency_classes_for(city: Place, service_id: int) -> tuple[FrequencyClass, ...]:
    """Return the classes of departures a week of a service in a city, ascending: its own, or else the general ones."""
    found = FrequencyClass.objects.filter(Q(city__isnull=True) | Q(city=city), service=service_id)
    classes = sorted(found, key=lambda one: one.departures_week)
    return tuple(one for one in classes if one.city_id is not None) or tuple(classes)
