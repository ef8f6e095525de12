"""What departments say of proposals: asked by the supervisor, said before the deadline, asked again after a supplement."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from geo.errors import Conflict, InvalidInput
from geo.querysets import User
from interventions.core.phases import PhaseKind
from interventions.core.transitions import NEW, AssessmentState, OrganisationState, ProposalState
from interventions.models import PROPOSING_KINDS, Assessment, Organisation, Proposal
from interventions.selectors.rights import ACTING_ROLES, roles_at, roles_for
from interventions.services.proposals import proposal_locked
from interventions.services.recording import log_write, state_next, stored, text_clean
from interventions.services.rounds import late_in

JUDGEMENTS: Final = ("approve", "supplement", "refuse")


def assessments_ask(
    *, user: User, proposal: Proposal, organisations: Collection[Organisation], at: datetime | None = None
) -> tuple[Assessment, ...]:
    """Ask departments what they say of a proposal; one that has said something is asked again, one still asked is left as it is.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    Conflict
        Where the proposal is not handed in, the round is closed, or a department is not approved or not any more.
    InvalidInput
        Where no department is named, one works elsewhere, is of a kind that assesses nothing, or is the proposer.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        # The round first, as everywhere, so that nobody waits in a ring.
        late_in(proposal.round, PhaseKind.ASSESSMENT, moment, proposal.organisation)
        current = proposal_locked(proposal)
        place = current.round.place
        roles = roles_at(user, place)
        state_next(Assessment(proposal=current), "ask", state=NEW, roles=roles)
        if current.state != ProposalState.SUBMITTED:
            raise Conflict(
                "Departments are asked about proposals that are handed in.",
                code="state_changed",
                remedy="Load the page again to see what has happened meanwhile.",
            )
        if not organisations:
            raise InvalidInput(
                "No department is named.", code="no_department", where="organisations", remedy="Choose at least one."
            )
        for organisation in organisations:
            if organisation.pk == current.organisation_id:
                raise InvalidInput(
                    "Nobody assesses their own proposal.",
                    code="own_proposal",
                    where="organisations",
                    remedy="Choose other departments.",
                )
            if organisation.kind not in PROPOSING_KINDS:
                raise InvalidInput(
                    f"{organisation.code!r} is no department: nobody could answer for it.",
                    code="no_department",
                    where="organisations",
                    remedy="Choose agencies, municipalities, the Red Crescent or the Relief Committee.",
                )
            if organisation.state != OrganisationState.APPROVED:
                raise Conflict(
                    f"{organisation.code!r} is not approved, or not any more.",
                    code="state_changed",
                    where="organisations",
                    remedy="Choose other departments.",
                )
            if not organisation.works_in(place) and not any(
                organisation.works_in(need.place) for need in current.needs.select_related("place")
            ):
                raise InvalidInput(
                    f"{organisation.code!r} does not work in {place.code!r}.",
                    code="works_elsewhere",
                    where="organisations",
                    remedy="Choose an organisation that works there.",
                )
        asked = []
        known = {found.organisation_id: found for found in current.assessments.select_for_update(no_key=True)}
        for organisation in organisations:
            found = known.get(organisation.pk) or Assessment(proposal=current, organisation=organisation)
            if found.pk is None or found.state != AssessmentState.ASKED:
                before = {"reason": found.reason} if found.reason else {}
                state_from = found.state if found.pk else NEW
                found.state = state_next(found, "ask", state=state_from, roles=roles)
                found.reason, found.said_at, found.asked_at, found.author = "", None, moment, None
                stored(found, "assessment")
                log_write(
                    found, "ask", user=user, state_from=state_from, state_to=found.state, at=moment, details=before
                )
            asked.append(found)
        return tuple(asked)


def assessment_say(
    *, user: User, assessment: Assessment, event: str, reason: str = "", at: datetime | None = None
) -> Assessment:
    """Say for a department what it holds of a proposal.

    Parameters
    ----------
    event : str
        ``approve``, ``supplement`` (asks the proposer for more) or ``refuse``.
    reason : str
        Why; needed unless it approves.

    Raises
    ------
    Forbidden
        Unless the user is agency for the department in the round's place or in that of a need, or leads in the round's place; after
        the deadline of the assessment, unless the user leads there or the department is let in.
    Conflict
        Where it was said already, or the proposal is not handed in any more.
    InvalidInput
        Where a reason is missing.
    """
    moment = at or timezone.now()
    if event not in JUDGEMENTS:
        raise InvalidInput(
            f"{event[:40]!r} is nothing that a department says.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(JUDGEMENTS)}.",
        )
    with transaction.atomic():
        # The round first, as everywhere, so that nobody waits in a ring.
        is_late = late_in(assessment.proposal.round, PhaseKind.ASSESSMENT, moment, assessment.organisation)
        proposal = proposal_locked(assessment.proposal)
        current: Assessment = (
            Assessment.objects.select_for_update(of=("self",), no_key=True)
            .select_related("organisation__place")
            .get(pk=assessment.pk)
        )
        # A department that works in a part of the round's place alone says it there.
        roles = roles_for(user, proposal.round.place, current.organisation)
        for need in proposal.needs.select_related("place"):
            roles |= roles_for(user, need.place, current.organisation) & ACTING_ROLES
        before = current.state
        current.state = state_next(current, event, state=before, roles=roles, is_late=is_late, note=reason)
        if proposal.state != ProposalState.SUBMITTED:
            raise Conflict(
                "This cannot be done any more: the state is " + repr(str(proposal.state)) + ".",
                code="state_changed",
                remedy="Load the page again to see what has happened meanwhile.",
            )
        current.reason, current.said_at, current.author_id = text_clean(reason), moment, user.pk
        stored(current, "assessment")
        log_write(current, event, user=user, state_from=before, state_to=current.state, at=moment, note=reason)
        return current


__all__ = ["JUDGEMENTS", "assessment_say", "assessments_ask"]
