"""Rounds: opened, their deadlines extended, organisations let in after them, closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from geo.core.text import clean_name
from geo.errors import Conflict, InvalidInput
from geo.models import Place
from geo.querysets import User
from interventions.core.phases import PhaseKind, is_late, phases_check
from interventions.core.transitions import NEW, RoundState
from interventions.models import Admission, Organisation, Phase, Programme, Round, Sector
from interventions.selectors.rights import paths_around, roles_at
from interventions.services.recording import log_write, state_next, stored, text_clean


@dataclass(frozen=True, slots=True)
class RoundSpec:
    """What a round should be; deadlines are the last moments in time, by phase."""

    programme: Programme
    place: Place
    name_fa: str
    name_en: str
    due: Mapping[str, datetime]
    areas: tuple[Place, ...] = ()
    approaches: tuple[str, ...] = ()
    sectors: tuple[Sector, ...] = field(default=())
    budget_irr: Decimal | None = None


def round_open(*, user: User, spec: RoundSpec, at: datetime | None = None) -> Round:
    """Open the next round of a programme in a place.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the place.
    InvalidInput
        Where the deadlines lie before the opening or out of the order of work, a name is missing, or an area or the programme lies
        elsewhere.
    Conflict
        Where a round of the programme is still open there.
    """
    state = state_next(Round(place=spec.place), "open", state=NEW, roles=roles_at(user, spec.place))
    return round_record(spec, state=state, opened_at=at or timezone.now(), user=user)


def round_record(
    spec: RoundSpec,
    *,
    state: str,
    opened_at: datetime,
    closed_at: datetime | None = None,
    number: int | None = None,
    user: User | None = None,
) -> Round:
    """Store a round with its phases, without asking for rights; its number is the next one unless given."""
    phases_check(opened_at, spec.due)
    _check_places(spec)
    with transaction.atomic():
        Programme.objects.select_for_update().get(pk=spec.programme.pk)  # numbers are given one at a time
        earlier = Round.objects.filter(programme=spec.programme, place=spec.place)
        if state == RoundState.OPENED and earlier.opened().exists():
            raise Conflict(
                "A round of this programme is still open in this place.", code="round_open", remedy="Close it first."
            )
        made = Round(
            programme=spec.programme,
            place=spec.place,
            number=number or 1 + (earlier.aggregate(top=Max("number"))["top"] or 0),
            name_fa=clean_name(spec.name_fa),
            name_en=clean_name(spec.name_en),
            state=state,
            approaches=list(spec.approaches),
            budget_irr=spec.budget_irr,
            opened_at=opened_at,
            closed_at=closed_at,
        )
        stored(made, "round")
        made.areas.set(spec.areas)
        made.sectors.set(spec.sectors)
        Phase.objects.bulk_create(
            Phase(round=made, kind=kind.value, due_at=spec.due[kind], first_due_at=spec.due[kind])
            for kind in PhaseKind
            if kind in spec.due
        )
        log_write(made, "open", user=user, state_to=made.state, at=opened_at)
    return made


def round_extend(
    *, user: User, round_: Round, due: Mapping[str, datetime], reason: str, at: datetime | None = None
) -> Round:
    """Move deadlines of a round to later moments; the first ones are kept beside, and the reason is logged.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    InvalidInput
        Where no reason is given, a deadline would come earlier or lies in the past, the round has no such phase, or the order of
        work would be broken.
    Conflict
        Where the round is closed.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        locked = _locked(round_)
        state_next(locked, "extend", state=locked.state, roles=roles_at(user, locked.place), note=reason)
        phases = {phase.kind: phase for phase in locked.phases.select_for_update()}
        for kind, due_at in due.items():
            if kind not in phases:
                raise InvalidInput(
                    f"The round has no phase “{kind}”.",
                    code="no_phase",
                    where=f"{kind}_due",
                    remedy=f"It has {', '.join(phases)}.",
                )
            if due_at != phases[kind].due_at and (due_at < phases[kind].due_at or due_at <= moment):
                raise InvalidInput(
                    f"The deadline of the phase “{kind}” would not come later.",
                    code="not_later",
                    where=f"{kind}_due",
                    remedy="Give a moment after the present deadline and after now.",
                )
        moved = {kind: due_at for kind, due_at in due.items() if due_at != phases[kind].due_at}
        if not moved:
            raise InvalidInput(
                "No deadline is moved.", code="nothing_moved", where="due", remedy="Give a later deadline for a phase."
            )
        phases_check(locked.opened_at, {kind: moved.get(kind, phase.due_at) for kind, phase in phases.items()})
        details = {kind: [phases[kind].due_at.isoformat(), due_at.isoformat()] for kind, due_at in moved.items()}
        for kind, due_at in moved.items():
            phases[kind].due_at = due_at
            phases[kind].save(update_fields=["due_at"])
        log_write(
            locked,
            "extend",
            user=user,
            state_from=locked.state,
            state_to=locked.state,
            at=moment,
            note=reason,
            details={"due": details},
        )
        return locked


def round_admit(
    *,
    user: User,
    round_: Round,
    kind: str,
    organisation: Organisation,
    until: datetime,
    reason: str,
    at: datetime | None = None,
) -> Admission:
    """Let an organisation hand in until a moment after a deadline.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    InvalidInput
        Where no reason is given, the round has no such phase, the organisation does not work in the round's place, or the moment
        has passed.
    Conflict
        Where the round is closed.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        locked = _locked(round_)
        state_next(locked, "admit", state=locked.state, roles=roles_at(user, locked.place), note=reason)
        phase = locked.phases.filter(kind=kind).first()
        if phase is None:
            raise InvalidInput(
                f"The round has no phase “{kind[:40]}”.",
                code="no_phase",
                where="phase",
                remedy=f"It has {', '.join(found.kind for found in locked.phases.all())}.",
            )
        around = paths_around(locked.place)
        if organisation.place.path not in around and not f"{organisation.place.path}/".startswith(
            f"{locked.place.path}/"
        ):
            raise InvalidInput(
                f"{organisation.code!r} does not work in {locked.place.code!r}.",
                code="works_elsewhere",
                where="organisation",
                remedy="Choose an organisation that works there.",
            )
        if until <= moment or until <= phase.due_at:
            raise InvalidInput(
                "Until this moment nothing would be late.",
                code="not_later",
                where="until",
                remedy="Give a moment after the deadline and after now.",
            )
        made = stored(
            Admission(
                phase=phase,
                organisation=organisation,
                until=until,
                reason=text_clean(reason),
                given_at=moment,
                given_by_id=user.pk,
            ),
            "admission",
        )
        details = {"phase": kind, "organisation": organisation.pk, "until": until.isoformat()}
        log_write(
            locked,
            "admit",
            user=user,
            state_from=locked.state,
            state_to=locked.state,
            at=moment,
            note=reason,
            details=details,
        )
        return made


def round_close(*, user: User, round_: Round, at: datetime | None = None) -> Round:
    """Close a round: nothing can be handed in any more.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    Conflict
        Where it is closed already.
    """
    with transaction.atomic():
        locked = _locked(round_)
        before = locked.state
        locked.state = state_next(locked, "close", state=before, roles=roles_at(user, locked.place))
        locked.closed_at = at or timezone.now()
        stored(locked, "round", fields=["state", "closed_at"])
        log_write(locked, "close", user=user, state_from=before, state_to=locked.state, at=locked.closed_at)
        return locked


def late_in(round_: Round, kind: str, at: datetime, organisation: Organisation) -> bool:
    """Tell whether work of a phase is late for an organisation, keeping the round from being closed until the transaction ends.

    A round without the phase has no deadline for it.

    Raises
    ------
    Conflict
        Where the round is closed.
    """
    # Handing in does not wait for others who hand in, only for who closes or extends.
    locked = Round.objects.raw("SELECT * FROM interventions_round WHERE id = %s FOR SHARE", [round_.pk])[0]
    check_opened(locked)
    phase = Phase.objects.filter(round=locked, kind=kind).first()
    if phase is None:
        return False
    admitted = Admission.objects.filter(phase=phase, organisation=organisation).aggregate(until=Max("until"))["until"]
    return is_late(phase.due_at, at, admitted_until=admitted)


def check_opened(round_: Round) -> None:
    """Refuse work in a round that is closed; the caller has locked it.

    Raises
    ------
    Conflict
        Where it is.
    """
    if round_.state != RoundState.OPENED:
        raise Conflict("The round is closed.", code="round_closed", where="round", remedy="Wait for the next round.")


def _locked(round_: Round) -> Round:
    found: Round = Round.objects.select_for_update(of=("self",), no_key=True).select_related("place").get(pk=round_.pk)
    return found


def _check_places(spec: RoundSpec) -> None:
    around = paths_around(spec.place)
    if spec.programme.place.path not in around:
        raise InvalidInput(
            f"The programme {spec.programme.code!r} is none of {spec.place.code!r}.",
            code="works_elsewhere",
            where="round, programme",
            remedy="Choose a programme of this place or of one around it.",
        )
    for area in spec.areas:
        if spec.place.path not in paths_around(area):
            raise InvalidInput(
                f"{area.code!r} does not lie inside {spec.place.code!r}.",
                code="place_elsewhere",
                where="round, areas",
                remedy="Choose places inside the place of the round.",
            )
