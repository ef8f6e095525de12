"""Who may change or decide the boundaries that a change set touches: checked for every place."""

from __future__ import annotations

from collections.abc import Iterable

from geo.errors import Forbidden
from geo.models import Assignment, Place
from geo.querysets import User


def editing_required(places: Iterable[Place], user: User) -> None:
    """Refuse a person who may not edit all of these places.

    Raises
    ------
    Forbidden
        With the codes of the places in question.
    """
    wanted = {place.pk: place for place in places}
    allowed = Place.objects.filter(pk__in=wanted).editable_by(user).values_list("pk", flat=True)
    _required(wanted, set(allowed), "edit", "planner")


def deciding_required(places: Iterable[Place], user: User) -> None:
    """Refuse a person who may not approve or return changes of all of these places.

    Raises
    ------
    Forbidden
        With the codes of the places in question.
    """
    wanted = {place.pk: place for place in places}
    allowed = Place.objects.filter(pk__in=wanted).approvable_by(user).values_list("pk", flat=True)
    _required(wanted, set(allowed), "decide on", "planner or supervisor")


def roles_inherited(predecessors: Iterable[Place], successors: Iterable[tuple[Place, tuple[str, ...]]]) -> None:
    """Give every role that a person has over all predecessors of a new place over that place too.

    A role in the city or a district holds below it anyway; this is for roles in single neighbourhoods, whose pieces
    would otherwise be lost to the people who look after them.

    Parameters
    ----------
    predecessors : iterable of Place
        All there are.
    successors : iterable of tuple
        Each new place with the codes of its predecessors.
    """
    by_code = {place.code: place for place in predecessors}
    news = [(place, [by_code[code] for code in codes if code in by_code]) for place, codes in successors]
    if not any(froms for _, froms in news):
        return
    above = {path for place in by_code.values() for path in _paths(place)}
    roles = list(Assignment.objects.filter(place__path__in=above).values_list("user", "role", "place__path"))

    def holders(place: Place) -> set[tuple[int, str]]:
        paths = set(_paths(place))
        return {(user, role) for user, role, path in roles if path in paths}

    given = []
    for place, froms in news:
        if froms:
            inherited = set.intersection(*map(holders, froms)) - holders(place)
            given += [Assignment(user_id=user, role=role, place=place) for user, role in sorted(inherited)]
    if given:
        Assignment.objects.bulk_create(given, ignore_conflicts=True)


def _paths(place: Place) -> list[str]:
    parts = place.path.split("/")
    return ["/".join(parts[: n + 1]) for n in range(len(parts))]


def _required(wanted: dict[int, Place], allowed: set[int], what: str, role: str) -> None:
    refused = sorted(place.code for pk, place in wanted.items() if pk not in allowed)
    if refused:
        raise Forbidden(
            f"You may not {what} the boundary of {', '.join(refused)}.",
            code="not_your_place",
            where=f"place {refused[0]}",
            remedy=f"Ask the administrator for the role of {role} there, or leave these places as they are.",
        )
