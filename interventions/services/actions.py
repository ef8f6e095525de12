"""Actions: entered directly or from accepted proposals, run, handed over; their progress and milestones.

Sums of a report of progress are since the beginning of the action. A later report replaces an earlier one and may name smaller
sums, because mistakes are corrected that way; then it says why. More may be spent than was budgeted: it is shown, not refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from django.contrib.gis.geos import GEOSGeometry
from django.db import transaction
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW, OPEN_NEEDS, ActionState, OrganisationState, ProposalState
from interventions.models import Action, Decision, Milestone, Need, Organisation, Progress, Proposal, Round, Sector
from interventions.models.wording import lies_in
from interventions.selectors.rights import roles_for
from interventions.services.notices import overlaps_order
from interventions.services.proposals import proposal_locked
from interventions.services.recording import (
    changes_since,
    check_near,
    log_write,
    point_at,
    state_next,
    stored,
    text_clean,
    values_of,
)

AMENDABLE: Final = (
    "place",
    "sector",
    "approach",
    "title_fa",
    "title_en",
    "text_fa",
    "text_en",
    "geometry",
    "starts_on",
    "ends_on",
    "budget_irr",
    "people_targeted",
    "is_public",
)
"""What of an action may be said otherwise later, besides the needs it answers. Its organisation changes by handing over alone."""

STEPS: Final = ("start", "suspend", "finish", "reopen", "cancel")
"""Events of `action_step`."""


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """What an action is.

    Attributes
    ----------
    lon_lat
        Longitude and latitude in EPSG:4326, where it is at a point.
    geometry
        A line or an area in EPSG:4326; instead of the point. Without either it is for the whole place.
    needs
        The needs it answers, all in its place or inside it.
    """

    organisation: Organisation
    place: Place
    sector: Sector
    approach: str
    starts_on: date
    ends_on: date
    title_fa: str = ""
    title_en: str = ""
    text_fa: str = ""
    text_en: str = ""
    lon_lat: tuple[float, float] | None = None
    geometry: GEOSGeometry | None = None
    budget_irr: Decimal = Decimal(0)
    people_targeted: int = 0
    is_public: bool = True
    needs: tuple[Need, ...] = ()
    round: Round | None = None


@dataclass(frozen=True, slots=True)
class ProgressSpec:
    """How far an action is: sums since its beginning."""

    done_percent: int
    spent_irr: Decimal
    people_reached: int
    text: str = ""


def action_enter(*, user: User, spec: ActionSpec, at: datetime | None = None) -> Action:
    """Enter an action that comes from no proposal.

    Raises
    ------
    Forbidden
        Unless the user reports or is agency for the organisation, or supervises or administers, in the place.
    InvalidInput
        Where the organisation does not work in the place or is not approved, a need lies elsewhere or does not stand, the
        point lies far outside the place, or a value is missing or malformed.
    """
    roles = roles_for(user, spec.place, spec.organisation)
    state = state_next(Action(organisation=spec.organisation, place=spec.place), "enter", state=NEW, roles=roles)
    with transaction.atomic():
        made = action_record(spec, state=state, author=user, at=at)
        # Whoever does the like knows of a proposal since it was handed in; of this nobody has heard.
        overlaps_order(made)
    return made


def action_from_proposal(
    *,
    user: User,
    proposal: Proposal,
    place: Place | None = None,
    sector: Sector | None = None,
    starts_on: date | None = None,
    ends_on: date | None = None,
    at: datetime | None = None,
) -> Action:
    """Enter the action of an accepted proposal: its organisation, needs, geometry and dates, and what was granted as the budget.

    A proposal becomes one action: asked again, the one there is, is returned as it stands now.

    Parameters
    ----------
    place : Place, optional
        Where it is; without it the place of all needs, or that of the round where they lie in several.
    sector, starts_on, ends_on : optional
        What the proposal does not say; what it says stays.

    Raises
    ------
    Forbidden
        Unless the user reports or is agency for the organisation, or supervises or administers, in the place of every need.
    Conflict
        Where the proposal is not accepted.
    InvalidInput
        Where a day or the sector is not known (``no_day``, ``no_sector``), or as `action_enter`.
    """
    with transaction.atomic():
        locked = proposal_locked(proposal)
        needs = tuple(locked.needs.select_related("place").order_by("pk"))
        where = place or (needs[0].place if len({need.place_id for need in needs}) == 1 else locked.round.place)
        around = {found.pk: found for found in (where, *(need.place for need in needs))}
        roles = frozenset.intersection(*(roles_for(user, found, locked.organisation) for found in around.values()))
        state = state_next(Action(organisation=locked.organisation, place=where), "enter", state=NEW, roles=roles)
        if locked.state != ProposalState.ACCEPTED:
            raise Conflict(
                "The proposal is not accepted.", code="not_accepted", remedy="Decide on it first, or enter the action."
            )
        known: Action | None = Action.objects.filter(proposal=locked, handed_from__isnull=True).order_by("pk").first()
        if known is not None:
            return known
        spec = ActionSpec(
            organisation=locked.organisation,
            place=where,
            sector=_sector_of(locked, needs, sector),
            # What is built serves social aims too; a programme without building is social alone.
            approach="infrastructural" if any(need.approach == "infrastructural" for need in needs) else "social",
            starts_on=_day_of(locked.starts_on or starts_on, "starts_on"),
            ends_on=_day_of(locked.ends_on or ends_on, "ends_on"),
            title_fa=locked.title_fa,
            title_en=locked.title_en,
            text_fa=locked.effect_fa,
            text_en=locked.effect_en,
            geometry=locked.geometry,
            budget_irr=_granted(locked),
            people_targeted=locked.people_targeted or 0,
            needs=tuple(need for need in needs if need.state in OPEN_NEEDS),
            round=locked.round,
        )
        return action_record(spec, state=state, author=user, proposal=locked, at=at)


def action_record(
    spec: ActionSpec,
    *,
    state: str,
    author: User | None = None,
    proposal: Proposal | None = None,
    handed_from: Action | None = None,
    started_on: date | None = None,
    done_on: date | None = None,
    report: ProgressSpec | None = None,
    at: datetime | None = None,
) -> Action:
    """Store a new action without asking for rights, with a first report of progress where there is one."""
    moment = at or timezone.now()
    if spec.organisation.state != OrganisationState.APPROVED:
        raise InvalidInput(
            f"{spec.organisation.code!r} is not approved.",
            code="not_approved",
            where="action, organisation",
            remedy="Approve it first.",
        )
    made = Action(
        organisation=spec.organisation,
        round=spec.round,
        proposal=proposal,
        handed_from=handed_from,
        state=state,
        started_on=started_on,
        done_on=done_on,
        entered_at=moment,
        author_id=author.pk if author else None,
    )
    # What is taken over answers what it answered, also what was merged or rejected since: that may be taken up again.
    answered = frozenset(handed_from.needs.values_list("pk", flat=True)) if handed_from else frozenset()
    _fill(made, spec, answered=answered)
    details = {"proposal": proposal.pk} if proposal else {"handed_from": handed_from.pk} if handed_from else {}
    with transaction.atomic():
        stored(made, "action").needs.set(spec.needs)
        log_write(made, "enter", user=author, state_to=str(state), at=moment, details=details)
        if report is not None:
            _report_store(made, report, author, moment)
            stored(made, "action", fields=["spent_irr", "people_reached"])
    return made


def action_amend(*, user: User, action: Action, spec: ActionSpec, version: int, at: datetime | None = None) -> Action:
    """Say an action otherwise; what it said before is kept in the log. Its organisation and round stay.

    Parameters
    ----------
    version
        The action's version that the person had before them.

    Raises
    ------
    Forbidden
        As `action_enter`, in the place it has and in the one it gets.
    Conflict
        Where it is done, handed over or cancelled, or somebody changed it meanwhile (code ``stale``).
    InvalidInput
        As `action_enter`.
    """
    with transaction.atomic():
        current = action_locked(action)
        roles = _roles(user, current) & roles_for(user, spec.place, current.organisation)
        state = state_next(current, "amend", state=current.state, roles=roles)
        _version_required(current, version)
        before, answered = values_of(current, AMENDABLE), sorted(current.needs.values_list("pk", flat=True))
        own = replace(spec, organisation=current.organisation, round=current.round)
        _fill(current, own, answered=frozenset(answered))
        changed = changes_since(before, current)
        if answered != sorted(need.pk for need in own.needs):
            changed["needs"] = answered
        if not changed:
            return current
        current.version += 1
        stored(current, "action").needs.set(own.needs)
        log_write(current, "amend", user=user, state_from=state, state_to=state, at=at, details=changed)
        return current


def action_step(
    *,
    user: User,
    action: Action,
    event: str,
    day: date | None = None,
    reason: str = "",
    version: int | None = None,
    at: datetime | None = None,
) -> Action:
    """Start, suspend, finish, reopen or cancel an action.

    Parameters
    ----------
    event : str
        One of `STEPS`.
    day : date, optional
        On which it was started or done; today where nothing is said. The first start stays, however often it is suspended.
    reason : str
        Why; nothing is suspended, cancelled or reopened without.

    Raises
    ------
    Forbidden
        As `action_enter`; only who supervises or administers the place reopens.
    Conflict
        Where somebody has done another step meanwhile, or changed it (code ``stale``).
    InvalidInput
        Where there is no such step, no reason where one is asked for, or the day is in the future or before the start.
    """
    if event not in STEPS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that can be done to an action here.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(STEPS)}.",
        )
    moment = at or timezone.now()
    with transaction.atomic():
        current = action_locked(action)
        before = current.state
        current.state = state_next(current, event, state=before, roles=_roles(user, current), note=reason)
        _version_required(current, version)
        on = day or timezone.localdate(moment)
        if event == "start":
            current.started_on = current.started_on or _past(on, moment, "started_on")
        elif event == "finish":
            current.done_on = _past(on, moment, "done_on")
            if current.started_on is not None and current.done_on < current.started_on:
                raise InvalidInput(
                    "It would have been done before it was started.",
                    code="bad_day",
                    where="action, done_on",
                    remedy="Give a day after the start.",
                )
        elif event == "reopen":
            current.started_on, current.done_on = current.started_on or on, None
        current.version += 1
        stored(current, "action", fields=["state", "started_on", "done_on", "version"])
        log_write(current, event, user=user, state_from=before, state_to=current.state, at=moment, note=reason)
        return current


def action_hand_over(
    *,
    user: User,
    action: Action,
    to: Organisation,
    reason: str,
    version: int | None = None,
    at: datetime | None = None,
) -> Action:
    """Hand an action over to another organisation, and return the action that the other one has from now on.

    It keeps the needs, the place, the plan, the milestones not yet reached and the rest of the budget; the one handed over
    keeps what was spent. So no rial and no step is counted twice.

    Raises
    ------
    Forbidden
        As `action_enter`, for the organisation that hands it over.
    Conflict
        Where it is done, handed over or cancelled, or somebody changed it meanwhile (code ``stale``).
    InvalidInput
        Where there is no reason, or the other organisation is the same, does not work in the place, or is not approved.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        current = action_locked(action)
        before = current.state
        current.state = state_next(current, "hand-over", state=before, roles=_roles(user, current), note=reason)
        _version_required(current, version)
        if to.pk == current.organisation_id:
            raise InvalidInput(
                "An action is handed over to another organisation.",
                code="same_organisation",
                where="action, organisation",
                remedy="Choose another one.",
            )
        rest_irr = max(current.budget_irr - current.spent_irr, Decimal(0))
        today = timezone.localdate(moment)
        starts_on = max(today, current.starts_on)
        successor = action_record(
            ActionSpec(
                organisation=to,
                place=current.place,
                sector=current.sector,
                approach=current.approach,
                starts_on=starts_on,
                ends_on=max(current.ends_on, starts_on),
                title_fa=current.title_fa,
                title_en=current.title_en,
                text_fa=current.text_fa,
                text_en=current.text_en,
                geometry=current.geometry,
                budget_irr=rest_irr,
                people_targeted=current.people_targeted,
                is_public=current.is_public,
                needs=tuple(current.needs.select_related("place")),
                round=current.round,
            ),
            state=ActionState.PLANNED,
            author=user,
            proposal=current.proposal,
            handed_from=current,
            at=moment,
        )
        for step in current.milestones.filter(reached_on__isnull=True):
            Milestone.objects.create(
                action=successor, title_fa=step.title_fa, title_en=step.title_en, due_on=step.due_on
            )
        details = {"to": successor.pk, "budget_irr": str(current.budget_irr)}
        current.budget_irr -= rest_irr
        current.version += 1
        stored(current, "action", fields=["state", "budget_irr", "version"])
        log_write(
            current, "hand-over", user=user, state_from=before, state_to=current.state, at=moment, note=reason, details=details
        )  # fmt: skip
        return successor


# ---- progress and milestones


def progress_report(
    *, user: User, action: Action, spec: ProgressSpec, version: int | None = None, at: datetime | None = None
) -> Progress:
    """Report how far an action is: sums since its beginning.

    Parameters
    ----------
    version
        The action's version that the person had before them: so a report that is sent twice is stored once.

    Raises
    ------
    Forbidden
        As `action_enter`.
    Conflict
        Where it is not under way or suspended, or somebody changed it or reported meanwhile (code ``stale``).
    InvalidInput
        Where a sum is smaller than in the last report and nothing is said about why (``smaller_sum``), or out of range.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        current = action_locked(action)
        state = state_next(current, "report", state=current.state, roles=_roles(user, current))
        _version_required(current, version)
        last = current.reports.order_by("-reported_at", "-pk").first()
        sums = ("done_percent", "spent_irr", "people_reached")
        if last is not None and not spec.text.strip() and any(getattr(spec, it) < getattr(last, it) for it in sums):
            raise InvalidInput(
                "A sum is smaller than in the last report.",
                code="smaller_sum",
                where="progress, text",
                remedy="Sums are since the beginning of the action. If the last one was wrong, say so in the text.",
            )
        before = values_of(current, ("spent_irr", "people_reached"))
        if last is not None:
            before["done_percent"] = last.done_percent
        made = _report_store(current, spec, user, moment)
        current.version += 1
        stored(current, "action", fields=["spent_irr", "people_reached", "version"])
        log_write(current, "report", user=user, state_from=state, state_to=state, at=moment, details=before)
        return made


def _report_store(action: Action, spec: ProgressSpec, author: User | None, moment: datetime) -> Progress:
    """Store a report, and write its sums into the action, which is not saved."""
    made = stored(
        Progress(
            action=action,
            reported_at=moment,
            done_percent=spec.done_percent,
            spent_irr=spec.spent_irr,
            people_reached=spec.people_reached,
            text=text_clean(spec.text),
            author_id=author.pk if author else None,
        ),
        "progress",
    )
    action.spent_irr, action.people_reached = made.spent_irr, made.people_reached
    return made


def milestone_put(
    *,
    user: User,
    action: Action,
    due_on: date,
    title_fa: str = "",
    title_en: str = "",
    milestone: Milestone | None = None,
    at: datetime | None = None,
) -> Milestone:
    """Set a milestone of an action, or say one otherwise.

    Raises
    ------
    Forbidden, Conflict
        As `action_amend`.
    InvalidInput
        Where it has no title, or it is one of another action.
    """
    with transaction.atomic():
        current, state = _amended(user, action)
        found = _milestone_of(current, milestone) if milestone is not None else Milestone(action=current)
        names = ("title_fa", "title_en", "due_on")
        before = values_of(found, names) if milestone is not None else {}
        found.title_fa, found.title_en, found.due_on = clean_name(title_fa), clean_name(title_en), due_on
        stored(found, "milestone")
        details = {"milestone": found.pk, **changes_since(before, found)}
        log_write(current, "amend", user=user, state_from=state, state_to=state, at=at, details=details)
        return found


def milestone_reach(
    *, user: User, milestone: Milestone, reached_on: date | None, at: datetime | None = None
) -> Milestone:
    """Say on which day a milestone was reached; None where it was not after all.

    Raises
    ------
    Forbidden, Conflict
        As `action_amend`.
    InvalidInput
        Where the day is in the future.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        current, state = _amended(user, milestone.action)
        found = _milestone_of(current, milestone)
        before = values_of(found, ("reached_on",))
        found.reached_on = _past(reached_on, moment, "reached_on") if reached_on else None
        stored(found, "milestone", fields=["reached_on"])
        details = {"milestone": found.pk, **before}
        log_write(current, "amend", user=user, state_from=state, state_to=state, at=moment, details=details)
        return found


def action_locked(action: Action) -> Action:
    """Return an action as it is now, kept from being changed by others until the transaction ends."""
    found: Action = (
        Action.objects.select_for_update(of=("self",), no_key=True)
        .select_related("place", "organisation__place", "sector", "round", "proposal")
        .get(pk=action.pk)
    )
    return found


# ---- parts


def _roles(user: User, action: Action) -> frozenset[str]:
    return roles_for(user, action.place, action.organisation)


def _amended(user: User, action: Action) -> tuple[Action, str]:
    """Return an action that the user may amend, locked, and its state."""
    current = action_locked(action)
    return current, state_next(current, "amend", state=current.state, roles=_roles(user, current))


def _version_required(action: Action, version: int | None) -> None:
    if version is not None and action.version != version:
        raise Conflict(
            "Somebody has changed this action meanwhile.",
            code="stale",
            remedy="Load it again, and enter what you want to change.",
        )


def _past(day: date, moment: datetime, field: str) -> date:
    if day > timezone.localdate(moment):
        raise InvalidInput(
            "The day is in the future.",
            code="bad_day",
            where=f"action, {field}",
            remedy="Give today or an earlier one.",
        )
    return day


def _milestone_of(action: Action, milestone: Milestone) -> Milestone:
    found = Milestone.objects.select_for_update().filter(action=action, pk=milestone.pk).first()
    if found is None:
        raise InvalidInput(
            "The milestone is one of another action.",
            code="other_action",
            where="milestone",
            remedy="Choose one of this action.",
        )
    return found


def _granted(proposal: Proposal) -> Decimal:
    """Return what was granted; where no decision says it, what the proposal asks for besides its own funding."""
    decided = Decision.objects.filter(proposal=proposal).order_by("-decided_at", "-pk").first()
    if decided is not None and decided.outcome == Decision.Outcome.ACCEPTED:
        return Decimal(decided.granted_irr)
    return Decimal(proposal.cost_irr - proposal.own_funding_irr)


def _sector_of(proposal: Proposal, needs: tuple[Need, ...], sector: Sector | None) -> Sector:
    found = proposal.sector or sector
    if found is None and len({need.sector_id for need in needs}) == 1:
        found = needs[0].sector
    if found is None:
        raise InvalidInput(
            "The needs are of several sectors.",
            code="no_sector",
            where="action, sector",
            remedy="Choose the one in which the work is done.",
        )
    return found


def _day_of(day: date | None, field: str) -> date:
    if day is None:
        raise InvalidInput(
            "The proposal does not say this day.", code="no_day", where=f"action, {field}", remedy="Give it."
        )
    return day


def _fill(action: Action, spec: ActionSpec, *, answered: frozenset[int] = frozenset()) -> None:
    """Write what a spec says into an action; needs that it answered before may have been merged or rejected since."""
    if not spec.organisation.works_in(spec.place):
        raise InvalidInput(
            f"{spec.organisation.code!r} does not work in {spec.place.code!r}.",
            code="works_elsewhere",
            where="action, organisation",
            remedy="Choose an organisation that works there.",
        )
    for need in spec.needs:
        if not lies_in(need.place, spec.place) or (need.state not in OPEN_NEEDS and need.pk not in answered):
            raise InvalidInput(
                f"The need {need.pk} is not one that stands in this place.",
                code="bad_need",
                where="action, needs",
                remedy="Leave it out, or answer the need it was merged into.",
            )
    geometry = spec.geometry if spec.geometry is not None else point_at(spec.lon_lat, "action, point")
    check_near(geometry, spec.place, "action, point")
    action.place, action.sector, action.approach = spec.place, spec.sector, spec.approach
    action.title_fa, action.title_en = clean_name(spec.title_fa), clean_name(spec.title_en)
    action.text_fa, action.text_en = text_clean(spec.text_fa), text_clean(spec.text_en)
    action.geometry, action.starts_on, action.ends_on = geometry, spec.starts_on, spec.ends_on
    action.budget_irr, action.people_targeted, action.is_public = (
        spec.budget_irr,
        spec.people_targeted,
        spec.is_public,
    )


__all__ = [
    "AMENDABLE", "STEPS", "ActionSpec", "ProgressSpec", "action_amend", "action_enter", "action_from_proposal", "action_hand_over", "action_locked",
    "action_record", "action_step", "milestone_put", "milestone_reach", "progress_report",
]  # fmt: skip
