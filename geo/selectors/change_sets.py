"""Change sets, as one person may see them."""

from __future__ import annotations

from django.db.models import Count, Prefetch, QuerySet

from geo.errors import NotFound
from geo.models import Change, ChangeSet, Descent, Place, Review
from geo.querysets import User


def change_sets_read(
    city: Place, user: User, *, status: str | None = None, place: Place | None = None
) -> QuerySet[ChangeSet]:
    """Return the change sets of a city that a user may see, newest first, with ``n_places`` each.

    Parameters
    ----------
    city : Place
        The city.
    user : user
        Who asks.
    status : str, optional
        Only those of this status.
    place : Place, optional
        Only those that touch this place.
    """
    found: QuerySet[ChangeSet] = ChangeSet.objects.visible_to(user).filter(place=city)
    if status:
        found = found.filter(status=status)
    if place is not None:
        found = found.filter(pk__in=Change.objects.filter(place=place).order_by().values("change_set"))
    counted = found.select_related("author", "reviewer", "place").annotate(n_places=Count("changes"))
    # The order of the model is not taken over into a query that groups.
    return counted.order_by("-created_at", "-pk")


def change_set_read(number: int, user: User) -> ChangeSet:
    """Return a change set with its changes (places and editions loaded), descents and reviews.

    Raises
    ------
    NotFound
        Where there is none, or the user may not know of it.
    """
    changes = (
        Change.objects.visible_to(user).select_related("place__parent", "base", "boundary").order_by("place__code")
    )
    descents = Descent.objects.visible_to(user).select_related("predecessor", "successor")
    reviews = Review.objects.select_related("author").order_by("at", "pk")
    found: ChangeSet | None = (
        ChangeSet.objects.visible_to(user)
        .select_related("place", "author", "reviewer")
        .prefetch_related(
            Prefetch("changes", queryset=changes),
            Prefetch("descents", queryset=descents),
            Prefetch("reviews", queryset=reviews),
        )
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise NotFound("There is no such change set.", where=f"change set {number}", remedy="Look in the list.")
    return found
