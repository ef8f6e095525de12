"""Which steps a person may take with a change set, and for whom it waits. The services that take them check again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from geo.models import Assignment, Change, ChangeSet, Descent, Place, Review
from geo.querysets import User, assigned_q, is_administrator

Obstacle = Literal["", "own", "decider", "editor"]

_DECIDING: Final = ("planner", "supervisor", "administrator")
_DRAWN: Final = (Review.Action.SAVED, Review.Action.RESTORED)


@dataclass(frozen=True, slots=True)
class Steps:
    """What a person may do with a change set as it stands.

    Attributes
    ----------
    obstacle : str
        Why the next step is not this person's: they drew it (``own``), lack the right to decide (``decider``) or to edit
        (``editor``); empty where they may, or there is no next step.
    """

    propose: bool = False
    approve: bool = False
    return_: bool = False
    withdraw: bool = False
    restore: bool = False
    obstacle: Obstacle = ""

    @property
    def any(self) -> bool:
        """Whether there is anything to do with it while it is open."""
        return self.propose or self.approve or self.return_ or self.withdraw


@dataclass(slots=True)
class _Facts:
    """Of one change set: the places that rights are asked for, with their paths, and who has drawn on it."""

    standing: dict[int, str] = field(default_factory=dict)
    drawers: set[int | None] = field(default_factory=set)


def steps_of(change_set: ChangeSet, user: User) -> Steps:
    """Return the steps a user may take."""
    if not user.is_authenticated or change_set.status == ChangeSet.Status.WITHDRAWN:
        return Steps()
    if change_set.status == ChangeSet.Status.APPROVED:
        touched = Place.objects.filter(changes__change_set=change_set).distinct()
        return Steps(restore=touched.editable_by(user).count() == touched.count())
    facts = _facts_of([change_set])[change_set.pk]
    wanted = Place.objects.filter(pk__in=facts.standing)
    may_edit = wanted.editable_by(user).count() == len(facts.standing)
    may_decide = wanted.approvable_by(user).count() == len(facts.standing)
    is_proposed = change_set.status == ChangeSet.Status.PROPOSED
    is_own = user.pk in facts.drawers
    obstacle: Obstacle = ""
    if is_proposed and not (may_decide and not is_own):
        obstacle = "own" if is_own else "decider"
    elif not is_proposed and not may_edit:
        obstacle = "editor"
    return Steps(
        propose=not is_proposed and may_edit,
        approve=is_proposed and may_decide and not is_own,
        return_=is_proposed and may_decide,
        withdraw=may_edit,
        obstacle=obstacle,
    )


def waiting_for(change_sets: Sequence[ChangeSet]) -> dict[int, list[str]]:
    """Return, by number of change set, the names of those it waits for.

    A draft or a returned set waits for its author; a proposed one for whoever may decide on all its places and did not
    draw it; a decided one for nobody.
    """
    proposed = [each for each in change_sets if each.status == ChangeSet.Status.PROPOSED]
    facts = _facts_of(proposed)
    roles = _deciding_roles() if proposed else []
    names: dict[int, list[str]] = {}
    for each in change_sets:
        if each.pk in facts:
            names[each.pk] = _deciders(facts[each.pk], roles)
        else:
            names[each.pk] = [shown_name(each.author)] if each.is_open and each.author else []
    return names


def _facts_of(change_sets: Sequence[ChangeSet]) -> Mapping[int, _Facts]:
    """Read what rights depend on, for all sets at once."""
    facts = {each.pk: _Facts(drawers={each.author_id}) for each in change_sets}
    if not facts:
        return facts
    descended = set(Descent.objects.filter(change_set__in=facts).order_by().values_list("change_set", "successor"))
    changes = Change.objects.filter(change_set__in=facts).order_by()
    rows = changes.values_list("change_set", "place", "base", "place__is_published", "place__path")
    for change_set, place, base, is_published, path in rows:
        # A new place that comes from others goes with those.
        if base is not None or is_published or (change_set, place) not in descended:
            facts[change_set].standing[place] = path
    drawn = Review.objects.filter(change_set__in=facts, action__in=_DRAWN).order_by()
    for change_set, author in drawn.values_list("change_set", "author"):
        facts[change_set].drawers.add(author)
    return facts


def _deciding_roles() -> list[Assignment]:
    found = Assignment.objects.filter(role__in=_DECIDING, user__is_active=True)
    return list(found.select_related("user", "place").order_by("user__username", "pk"))


def _deciders(facts: _Facts, roles: Iterable[Assignment]) -> list[str]:
    held: dict[int, set[str]] = {}
    users = {}
    for role in roles:
        if role.user_id not in facts.drawers:
            users[role.user_id] = role.user
            held.setdefault(role.user_id, set()).add(f"{role.place.path}/")
    paths = [f"{path}/" for path in facts.standing.values()]
    return [
        shown_name(users[user])
        for user, above in held.items()
        if all(any(path.startswith(place) for place in above) for path in paths)
    ]


def may_restore(place: Place, user: User) -> bool:
    """Tell whether a user may draw a new edition of a place."""
    return bool(user.is_authenticated and Place.objects.filter(pk=place.pk).editable_by(user).exists())


def has_role(place: Place, user: User) -> bool:
    """Tell whether a user has a role in a place or above it, and so is told authors and exact counts."""
    return is_administrator(user) or Place.objects.filter(assigned_q(user), pk=place.pk).exists()


def places_touched(change_set: ChangeSet) -> int:
    """Return how many places a change set touches, whoever may see them."""
    return Change.objects.filter(change_set=change_set).count()


def shown_name(user: object) -> str:
    """Return how a person is called on pages."""
    full = getattr(user, "get_full_name", str)()
    return str(full or getattr(user, "get_username", str)())
