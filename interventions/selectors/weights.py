"""Sets of weights of institutions, for people with a role in a city."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from geo.errors import NotFound
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import WEIGHTS, events_open
from interventions.models import Organisation, WeightSet
from interventions.selectors.rights import ACTING_ROLES, paths_around, roles_at, roles_for


@dataclass(frozen=True, slots=True)
class WeightSetFound:
    """A set of weights, and what its reader may do with it now."""

    weight_set: WeightSet
    events: tuple[str, ...]


def weight_sets_of(city: Place, user: User, *, with_archived: bool = False) -> QuerySet[WeightSet]:
    """Return the sets of weights of a city that a user may see, by name of the institution."""
    found = WeightSet.objects.visible_to(user).filter(city=city).select_related("organisation", "city")
    found = found if with_archived else found.standing()
    return found.order_by("organisation__name_fa", "organisation__code", "pk")


def weight_set_found(number: int, user: User, city: Place) -> WeightSetFound:
    """Return a set of weights of a city with what its reader may do now, archived ones too.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    known = (
        WeightSet.objects.visible_to(user).filter(city=city).select_related("organisation__place", "city", "saved_by")
    )
    found = known.filter(pk=number).first()
    if found is None:
        raise NotFound(
            f"There is no set of weights {number} here, or you may not see it.",
            code="unknown_weights",
            remedy="Choose one from the list of weights.",
            details={"number": number},
        )
    return WeightSetFound(found, weight_set_events(found, user))


def weight_set_events(weight_set: WeightSet, user: User) -> tuple[str, ...]:
    """Return what a user may do with a set of weights now."""
    roles = roles_for(user, weight_set.city, weight_set.organisation)
    return events_open(WEIGHTS, state=weight_set.state, roles=roles)


def keeping_of(user: User, city: Place) -> tuple[Organisation, ...]:
    """Return the organisations for which a user may keep weights in a city; the services decide again when something is sent."""
    held = roles_at(user, city)
    if held.isdisjoint(WEIGHTS["record"].roles):
        return ()
    around = Organisation.objects.approved().filter(
        Q(place__path__in=paths_around(city)) | Q(place__path__startswith=f"{city.path}/")
    )
    every = around.select_related("place").order_by("name_fa", "code")
    if held & (WEIGHTS["record"].roles - ACTING_ROLES):
        return tuple(every)
    own = every.of_member(user).distinct()
    return tuple(one for one in own if roles_for(user, city, one) & WEIGHTS["record"].roles)


__all__ = ["WeightSetFound", "keeping_of", "weight_set_events", "weight_set_found", "weight_sets_of"]
