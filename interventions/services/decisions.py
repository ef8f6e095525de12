"""What the supervisor decides about proposals: one by one or several under a budget, with reasons, and published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone

from geo.errors import Conflict, InvalidInput
from geo.querysets import User
from interventions.core.transitions import ProposalState
from interventions.models import Decision, Proposal, Round
from interventions.selectors.rights import roles_at
from interventions.services.proposals import proposal_locked
from interventions.services.recording import log_write, state_next, stored, text_clean
from interventions.services.rounds import check_opened

OUTCOMES: Final = {
    "accept": Decision.Outcome.ACCEPTED,
    "refuse": Decision.Outcome.REFUSED,
    "reconsider": Decision.Outcome.RECONSIDERED,
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What is to be decided about one proposal.

    Attributes
    ----------
    event
        ``accept``, ``refuse``, or ``reconsider`` what was decided before.
    version
        The proposal's version that the supervisor had before them.
    granted_irr
        Rials granted; None for the cost less the own funding. Only where it is accepted.
    """

    proposal: Proposal
    event: str
    reason: str
    version: int
    granted_irr: Decimal | None = None


def decisions_take(*, user: User, rulings: Sequence[Ruling], at: datetime | None = None) -> tuple[Decision, ...]:
    """Decide about proposals of one round: all of them, or none where one cannot be decided.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    Conflict
        Where the round is closed, a proposal was changed or decided meanwhile, or the grants exceed the budget of the round (code
        ``over_budget``).
    InvalidInput
        Where a reason is missing, a grant is negative or exceeds the cost, a proposal is named twice, or they are of several rounds.
    """
    moment = at or timezone.now()
    if len({ruling.proposal.pk for ruling in rulings}) < len(rulings) or not rulings:
        raise InvalidInput(
            "Each proposal is decided once, and at least one.",
            code="bad_rulings",
            where="proposals",
            remedy="Name each proposal once.",
        )
    if len({ruling.proposal.round_id for ruling in rulings}) > 1:
        raise InvalidInput(
            "The proposals are of several rounds.",
            code="other_round",
            where="proposals",
            remedy="Decide about one round at a time.",
        )
    with transaction.atomic():
        # The round first, so that two people who spend its budget at once do so one after the other.
        round_: Round = (
            Round.objects.select_for_update(of=("self",), no_key=True)
            .select_related("place")
            .get(pk=rulings[0].proposal.round_id)
        )
        check_opened(round_)
        roles = roles_at(user, round_.place)
        decided = [
            _decide(ruling, user=user, roles=roles, at=moment)
            for ruling in sorted(rulings, key=lambda ruling: ruling.proposal.pk)
        ]
        # What only takes grants back is never refused, so that a budget cut below them can be met step by step.
        if any(ruling.event == "accept" for ruling in rulings):
            _check_budget(round_)
    return tuple(decided)


def decisions_publish(*, user: User, round_: Round, at: datetime | None = None) -> int:
    """Show everybody the decisions of a round that stand, and return how many became public.

    Raises
    ------
    Forbidden
        Unless the user supervises or administers the round's place.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        locked = Round.objects.select_for_update(of=("self",), no_key=True).select_related("place").get(pk=round_.pk)
        state_next(locked, "publish", state=locked.state, roles=roles_at(user, locked.place))
        standing = (
            Decision.objects.filter(proposal__round=locked)
            .order_by("proposal_id", "-decided_at", "-pk")
            .distinct("proposal_id")
        )
        told = Decision.objects.filter(pk__in=standing.values("pk"), published_at__isnull=True).update(
            published_at=moment
        )
        if told:
            log_write(
                locked,
                "publish",
                user=user,
                state_from=locked.state,
                state_to=locked.state,
                at=moment,
                details={"decisions": told},
            )
        return int(told)


def granted_irr(round_: Round) -> Decimal:
    """Return what the accepted proposals of a round are granted together."""
    latest = (
        Decision.objects.filter(proposal__round=round_, proposal__state=ProposalState.ACCEPTED)
        .order_by("proposal_id", "-decided_at", "-pk")
        .distinct("proposal_id")
    )
    total: Decimal | None = Decision.objects.filter(pk__in=latest.values("pk")).aggregate(sum=Sum("granted_irr"))["sum"]
    return total or Decimal(0)


def _decide(ruling: Ruling, *, user: User, roles: frozenset[str], at: datetime) -> Decision:
    if ruling.event not in OUTCOMES:
        raise InvalidInput(
            f"{ruling.event[:40]!r} is no decision.",
            code="unknown_event",
            where="event",
            remedy=f"Choose one of {', '.join(OUTCOMES)}.",
        )
    current = proposal_locked(ruling.proposal)
    before = current.state
    current.state = state_next(current, ruling.event, state=before, roles=roles, note=ruling.reason)
    if current.version != ruling.version:
        raise Conflict(
            "Somebody has changed this proposal meanwhile.",
            code="stale",
            where=f"proposal {current.pk}",
            remedy="Load it again, and enter what you want to change.",
        )
    accepted = ruling.event == "accept"
    most = current.cost_irr - current.own_funding_irr
    granted = (most if ruling.granted_irr is None else ruling.granted_irr) if accepted else Decimal(0)
    if not (granted.is_finite() and 0 <= granted <= most):
        raise InvalidInput(
            f"The grant is not between 0 and {most:,} rials, the cost less the own funding.",
            code="bad_grant",
            where=f"proposal {current.pk}, granted",
            remedy="Give a sum within the cost.",
        )
    current.version += 1
    stored(current, f"proposal {current.pk}", fields=["state", "version"])
    decision = stored(
        Decision(
            proposal=current,
            outcome=OUTCOMES[ruling.event],
            granted_irr=granted,
            reason=text_clean(ruling.reason),
            decided_at=at,
            author_id=user.pk,
        ),
        f"decision about proposal {current.pk}",
    )
    log_write(
        current,
        ruling.event,
        user=user,
        state_from=before,
        state_to=current.state,
        at=at,
        note=ruling.reason,
        details={"granted_irr": str(granted)} if accepted else {},
    )
    return decision


def _check_budget(round_: Round) -> None:
    if round_.budget_irr is None:
        return
    granted = granted_irr(round_)
    if granted > round_.budget_irr:
        raise Conflict(
            f"The grants come to {granted:,} rials, {granted - round_.budget_irr:,} more than the budget of the round.",
            code="over_budget",
            where="granted",
            remedy="Leave a proposal out, grant less, or raise the budget of the round.",
        )


__all__ = ["OUTCOMES", "Ruling", "decisions_publish", "decisions_take", "granted_irr"]
