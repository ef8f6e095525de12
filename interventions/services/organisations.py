"""Organisations: entered, applied for, approved, refused, suspended, restored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Final

from django.db import transaction
from django.db.models import Q

from geo.core.text import clean_name, slugify
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW, OrganisationState
from interventions.models import Membership, Organisation
from interventions.selectors.rights import paths_around, roles_at, roles_of_person
from interventions.services.memberships import membership_apply, people_held, roles_follow
from interventions.services.recording import (
    changes_since,
    located,
    log_write,
    state_next,
    stored,
    text_clean,
    values_of,
)

AMENDABLE: Final = ("kind", "name_fa", "name_en", "about_fa", "about_en")
"""What of an organisation may be said otherwise later."""


@dataclass(frozen=True, slots=True)
class OrganisationSpec:
    """What an organisation should be; where the code is left empty when it is new, one is made from its name."""

    place: Place
    code: str
    kind: str
    name_fa: str
    name_en: str
    about_fa: str = ""
    about_en: str = ""


def organisation_put(*, user: User, spec: OrganisationSpec) -> Organisation:
    """Enter an organisation of a place as approved, or bring the one of that code up to date.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where a name, the code or the kind is missing or malformed.
    Conflict
        Where it was refused or suspended.
    """
    with transaction.atomic():
        spec = _with_code(spec)
        found = Organisation.objects.select_for_update(no_key=True).filter(place=spec.place, code=spec.code).first()
        event = "amend" if found else "enter"
        probe = found or Organisation(place=spec.place)
        state = state_next(probe, event, state=found.state if found else NEW, roles=roles_at(user, spec.place))
        return organisation_record(spec, state=state, event=event, user=user)


def organisation_apply(*, user: User, spec: OrganisationSpec, at: datetime | None = None) -> Organisation:
    """Apply for an organisation that works in a place, as its first member and contact person.

    Raises
    ------
    Forbidden
        For who is not signed in.
    InvalidInput
        As `organisation_put`; and where the place has an organisation of this code.
    """
    with transaction.atomic():
        spec = _with_code(spec)
        made = Organisation(place=spec.place, code=spec.code)
        made.state = state_next(made, "apply", state=NEW, roles=roles_of_person(user, spec.place))
        _fill(made, spec)
        stored(made, f"organisation {spec.code}")
        log_write(made, "apply", user=user, state_to=made.state, at=at)
        member = membership_apply(user=user, organisation=made, at=at)
        member.is_contact = True
        member.save(update_fields=["is_contact"])
        return made


def organisation_review(
    *, user: User, organisation: Organisation, event: str, reason: str = "", at: datetime | None = None
) -> Organisation:
    """Approve, refuse, suspend or restore an organisation; the roles of its approved members follow.

    Parameters
    ----------
    event : str
        ``approve``, ``refuse``, ``suspend`` or ``restore``.
    reason : str
        Why; none is refused or suspended without.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place where it works.
    InvalidInput
        Where a reason is missing.
    Conflict
        Where somebody decided meanwhile.
    """
    if event not in _REVIEWS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to an organisation here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(_REVIEWS)}.",
        )
    with transaction.atomic():
        current: Organisation = (
            Organisation.objects.select_for_update(of=("self",), no_key=True)
            .select_related("place")
            .get(pk=organisation.pk)
        )
        before = current.state
        current.state = state_next(current, event, state=before, roles=roles_at(user, current.place), note=reason)
        stored(current, f"organisation {current.code}", fields=["state"])
        roles_follow(current)
        log_write(current, event, user=user, state_from=before, state_to=current.state, at=at, note=reason)
        return current


def organisations_review(
    *, user: User, organisations: Sequence[Organisation], event: str, reason: str = "", at: datetime | None = None
) -> tuple[Organisation, ...]:
    """Approve, refuse, suspend or restore several organisations, for the same reason: all of them, or none.

    Raises
    ------
    Forbidden, InvalidInput, Conflict
        As `organisation_review`, with the organisation; and where none is named.
    """
    if not organisations:
        raise InvalidInput(
            "No organisation is chosen.", code="no_choice", where="organisations", remedy="Choose one at least."
        )
    with transaction.atomic():
        # One order of locking, organisations before people, so that nobody waits in a ring.
        wanted = [organisation.pk for organisation in organisations]
        held = list(
            Organisation.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=wanted).order_by("pk")
        )
        people_held(Membership.objects.filter(organisation__in=held).values_list("user_id", flat=True))
        done = []
        for one in held:
            with located(f"organisation {one.code}"):
                done.append(organisation_review(user=user, organisation=one, event=event, reason=reason, at=at))
        return tuple(done)


_REVIEWS: Final = ("approve", "refuse", "suspend", "restore")


def organisation_record(
    spec: OrganisationSpec,
    *,
    state: str = OrganisationState.APPROVED,
    event: str = "enter",
    user: User | None = None,
) -> Organisation:
    """Store an organisation as `organisation_put` does, without asking for rights.

    One that is as it should be stays untouched; one that is there keeps its state: a description does not undo a suspension.
    """
    found: Organisation | None = Organisation.objects.filter(place=spec.place, code=spec.code).first()
    organisation = found or Organisation(place=spec.place, code=spec.code, state=str(state))
    before, role = values_of(organisation, AMENDABLE), organisation.members_role
    _fill(organisation, spec)
    changed = changes_since(before, organisation)
    if found and not changed:
        return found
    with transaction.atomic():
        stored(organisation, f"organisation {spec.code}")
        if found and organisation.members_role != role:
            roles_follow(organisation)
        log_write(
            organisation,
            "amend" if found else event,
            user=user,
            state_from=organisation.state if found else NEW,
            state_to=organisation.state,
            details=changed if found else {},
        )
    return organisation


def _with_code(spec: OrganisationSpec) -> OrganisationSpec:
    """Return a spec with a code that no organisation around its place or inside it has; in a transaction."""
    if spec.code:
        return spec
    # Two who enter something of this place at once do so one after the other.
    Place.objects.select_for_update(no_key=True).get(pk=spec.place.pk)
    base = slugify(spec.name_en)[:50] or slugify(spec.name_fa)[:50] or "organisation"
    near = Q(place__path__in=paths_around(spec.place)) | Q(place__path__startswith=f"{spec.place.path}/")
    taken = set(Organisation.objects.filter(near, code__startswith=base).values_list("code", flat=True))
    number = next(n for n in count(1) if (base if n == 1 else f"{base}-{n}") not in taken)
    return replace(spec, code=base if number == 1 else f"{base}-{number}")


def _fill(organisation: Organisation, spec: OrganisationSpec) -> None:
    """Write what a spec says into an organisation."""
    organisation.kind = spec.kind
    organisation.name_fa, organisation.name_en = clean_name(spec.name_fa), clean_name(spec.name_en)
    organisation.about_fa, organisation.about_en = text_clean(spec.about_fa), text_clean(spec.about_en)
