"""What may happen to the records of the network: from which state, to which, by whom, and by whom after the deadline.

The tables are the whole rule. A service asks `state_after` and stores what it answers; nothing else changes a state.

Roles are those a person holds in the place concerned. ``reporter`` and ``agency`` are held for an organisation: who is no approved
member of the record's organisation holds neither for it (`interventions.selectors.roles_for`). `PERSON` is anybody signed in, and
`ONESELF` the person whom the record is about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from geo.errors import Conflict, Forbidden, InvalidInput


class OrganisationState(StrEnum):
    """Where an organisation stands."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    SUSPENDED = "suspended"


class MembershipState(StrEnum):
    """Where a membership stands."""

    APPLIED = "applied"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


class ActivationState(StrEnum):
    """Where the activation of a crisis committee stands."""

    ACTIVE = "active"
    STOOD_DOWN = "stood-down"


class RoundState(StrEnum):
    """Where a round stands."""

    OPENED = "opened"
    CLOSED = "closed"


class NeedState(StrEnum):
    """Where a need stands."""

    REPORTED = "reported"
    CONFIRMED = "confirmed"
    MERGED = "merged"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class CapacityState(StrEnum):
    """Whether a capacity is there."""

    RECORDED = "recorded"
    WITHDRAWN = "withdrawn"


class WeightsState(StrEnum):
    """Whether a set of weights counts."""

    KEPT = "kept"
    WITHDRAWN = "withdrawn"


class ProposalState(StrEnum):
    """Where a proposal stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class AssessmentState(StrEnum):
    """What a department says of a proposal."""

    ASKED = "asked"
    APPROVED = "approved"
    SUPPLEMENT = "supplement"
    REFUSED = "refused"


class ActionState(StrEnum):
    """Where an action stands."""

    PLANNED = "planned"
    UNDER_WAY = "under-way"
    SUSPENDED = "suspended"
    DONE = "done"
    HANDED_OVER = "handed-over"
    CANCELLED = "cancelled"


NEW: Final = ""
"""The state of what is not there yet."""

STAYS: Final = "="
"""The target of a move that changes the record and not its state."""

PERSON: Final = "person"
"""The role of anybody signed in."""

ONESELF: Final = "oneself"
"""The role of the person whom the record is about."""

OPEN_NEEDS: Final = frozenset({NeedState.REPORTED, NeedState.CONFIRMED})
"""Needs that count: neither told again under another need, nor rejected or withdrawn."""

STANDING_PROPOSALS: Final = frozenset({ProposalState.SUBMITTED, ProposalState.RETURNED, ProposalState.ACCEPTED})
"""Proposals that answer needs: handed in, and neither refused nor withdrawn."""

RUNNING_ACTIONS: Final = frozenset({ActionState.PLANNED, ActionState.UNDER_WAY, ActionState.SUSPENDED})
"""Actions that are still to be done."""

STANDING_ACTIONS: Final = RUNNING_ACTIONS | {ActionState.DONE}
"""Actions that answer needs: to be done, or done."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that may happen.

    Attributes
    ----------
    sources
        States it may start from; `NEW` where it makes the record.
    target
        The state it leads to; `STAYS` where it leaves it.
    roles
        Roles, held in the place concerned, that may do it in time.
    late_roles
        Those of them that may do it after the phase's deadline too.
    """

    sources: frozenset[str]
    target: str
    roles: frozenset[str]
    late_roles: frozenset[str]


Machine: TypeAlias = Mapping[str, Move]

_LEADERS: Final = frozenset({"supervisor", "administrator"})
_REPORTERS: Final = _LEADERS | {"reporter"}
_AGENCIES: Final = _LEADERS | {"agency"}
_WORKERS: Final = _LEADERS | {"reporter", "agency"}
_WEIGHERS: Final = _WORKERS | {"analyst", "planner"}


def _move(sources: Collection[str], target: str, roles: frozenset[str], late_roles: frozenset[str]) -> Move:
    return Move(frozenset(sources), target, roles, late_roles)


def _always(sources: Collection[str], target: str, roles: frozenset[str]) -> Move:
    """Return a move that no deadline locks."""
    return _move(sources, target, roles, roles)


ORGANISATION: Final[Machine] = MappingProxyType(
    {
        "apply": _always([NEW], OrganisationState.APPLIED, frozenset({PERSON})),
        "enter": _always([NEW], OrganisationState.APPROVED, _LEADERS),
        "amend": _always([OrganisationState.APPLIED, OrganisationState.APPROVED], STAYS, _LEADERS),
        "approve": _always(
            [OrganisationState.APPLIED, OrganisationState.REFUSED], OrganisationState.APPROVED, _LEADERS
        ),
        "refuse": _always([OrganisationState.APPLIED], OrganisationState.REFUSED, _LEADERS),
        "suspend": _always([OrganisationState.APPROVED], OrganisationState.SUSPENDED, _LEADERS),
        "restore": _always([OrganisationState.SUSPENDED], OrganisationState.APPROVED, _LEADERS),
    }
)

MEMBERSHIP: Final[Machine] = MappingProxyType(
    {
        "apply": _always(
            [NEW, MembershipState.REFUSED, MembershipState.ENDED], MembershipState.APPLIED, frozenset({PERSON})
        ),
        "approve": _always(
            [NEW, MembershipState.APPLIED, MembershipState.REFUSED, MembershipState.ENDED],
            MembershipState.APPROVED,
            _LEADERS,
        ),
        "amend": _always([MembershipState.APPLIED, MembershipState.APPROVED], STAYS, _LEADERS),
        "refuse": _always([MembershipState.APPLIED], MembershipState.REFUSED, _LEADERS),
        "end": _always(
            [MembershipState.APPLIED, MembershipState.APPROVED], MembershipState.ENDED, _LEADERS | {ONESELF}
        ),
    }
)

ACTIVATION: Final[Machine] = MappingProxyType(
    {
        "activate": _always([NEW], ActivationState.ACTIVE, _LEADERS),
        "stand-down": _always([ActivationState.ACTIVE], ActivationState.STOOD_DOWN, _LEADERS),
    }
)

# What has no states has rights all the same: its moves start from and lead to `NEW`.

COMMITTEE: Final[Machine] = MappingProxyType(
    {"enter": _always([NEW], STAYS, _LEADERS), "amend": _always([NEW], STAYS, _LEADERS)}
)

COUNCIL: Final[Machine] = MappingProxyType(
    {
        "enter": _always([NEW], STAYS, _LEADERS),
        "amend": _always([NEW], STAYS, _LEADERS),
        "seat": _always([NEW], STAYS, _LEADERS),
        "unseat": _always([NEW], STAYS, _LEADERS),
    }
)

ROUND: Final[Machine] = MappingProxyType(
    {
        "open": _always([NEW], RoundState.OPENED, _LEADERS),
        "extend": _always([RoundState.OPENED], STAYS, _LEADERS),
        "admit": _always([RoundState.OPENED], STAYS, _LEADERS),
        "publish": _always([RoundState.OPENED, RoundState.CLOSED], STAYS, _LEADERS),
        "close": _always([RoundState.OPENED], RoundState.CLOSED, _LEADERS),
    }
)

NEED: Final[Machine] = MappingProxyType(
    {
        "report": _move([NEW], NeedState.REPORTED, _REPORTERS, _LEADERS),
        "amend": _move([NeedState.REPORTED], STAYS, _REPORTERS, _LEADERS),
        "withdraw": _always([NeedState.REPORTED], NeedState.WITHDRAWN, _REPORTERS),
        "confirm": _always([NeedState.REPORTED], NeedState.CONFIRMED, _LEADERS),
        "merge": _always(OPEN_NEEDS, NeedState.MERGED, _LEADERS),
        "reject": _always(OPEN_NEEDS, NeedState.REJECTED, _LEADERS),
        "reopen": _always([NeedState.MERGED, NeedState.REJECTED], NeedState.REPORTED, _LEADERS),
        "attach": _always(OPEN_NEEDS, STAYS, _REPORTERS),
    }
)

CAPACITY: Final[Machine] = MappingProxyType(
    {
        "record": _always([NEW], CapacityState.RECORDED, _WORKERS),
        "amend": _always([CapacityState.RECORDED], STAYS, _WORKERS),
        "withdraw": _always([CapacityState.RECORDED], CapacityState.WITHDRAWN, _WORKERS),
        "restore": _always([CapacityState.WITHDRAWN], CapacityState.RECORDED, _LEADERS),
    }
)

WEIGHTS: Final[Machine] = MappingProxyType(
    {
        "record": _always([NEW], WeightsState.KEPT, _WEIGHERS),
        "amend": _always([WeightsState.KEPT], STAYS, _WEIGHERS),
        "withdraw": _always([WeightsState.KEPT], WeightsState.WITHDRAWN, _WEIGHERS),
        "restore": _always([WeightsState.WITHDRAWN], WeightsState.KEPT, _WEIGHERS),
    }
)

PROPOSAL: Final[Machine] = MappingProxyType(
    {
        "draft": _always([NEW], ProposalState.DRAFT, _AGENCIES),
        "amend": _always([ProposalState.DRAFT, ProposalState.RETURNED], STAYS, _AGENCIES),
        "submit": _move(
            [NEW, ProposalState.DRAFT, ProposalState.RETURNED], ProposalState.SUBMITTED, _AGENCIES, _LEADERS
        ),
        "withdraw": _always(
            [ProposalState.DRAFT, ProposalState.SUBMITTED, ProposalState.RETURNED], ProposalState.WITHDRAWN, _AGENCIES
        ),
        "return": _always([ProposalState.SUBMITTED], ProposalState.RETURNED, _LEADERS),
        "accept": _always([ProposalState.SUBMITTED], ProposalState.ACCEPTED, _LEADERS),
        "refuse": _always([ProposalState.SUBMITTED, ProposalState.RETURNED], ProposalState.REFUSED, _LEADERS),
        "reconsider": _always([ProposalState.ACCEPTED, ProposalState.REFUSED], ProposalState.SUBMITTED, _LEADERS),
    }
)

_JUDGED: Final = frozenset({AssessmentState.APPROVED, AssessmentState.SUPPLEMENT, AssessmentState.REFUSED})

ASSESSMENT: Final[Machine] = MappingProxyType(
    {
        "ask": _always([NEW, *_JUDGED], AssessmentState.ASKED, _LEADERS),
        "approve": _move([AssessmentState.ASKED], AssessmentState.APPROVED, _AGENCIES, _LEADERS),
        "supplement": _move([AssessmentState.ASKED], AssessmentState.SUPPLEMENT, _AGENCIES, _LEADERS),
        "refuse": _move([AssessmentState.ASKED], AssessmentState.REFUSED, _AGENCIES, _LEADERS),
    }
)

ACTION: Final[Machine] = MappingProxyType(
    {
        "enter": _always([NEW], ActionState.PLANNED, _WORKERS),
        "amend": _always(RUNNING_ACTIONS, STAYS, _WORKERS),
        "report": _always([ActionState.UNDER_WAY, ActionState.SUSPENDED], STAYS, _WORKERS),
        "start": _always([ActionState.PLANNED, ActionState.SUSPENDED], ActionState.UNDER_WAY, _WORKERS),
        "suspend": _always([ActionState.PLANNED, ActionState.UNDER_WAY], ActionState.SUSPENDED, _WORKERS),
        "finish": _always([ActionState.UNDER_WAY], ActionState.DONE, _WORKERS),
        "reopen": _always([ActionState.DONE, ActionState.CANCELLED], ActionState.UNDER_WAY, _LEADERS),
        "hand-over": _always(RUNNING_ACTIONS, ActionState.HANDED_OVER, _WORKERS),
        "cancel": _always(RUNNING_ACTIONS, ActionState.CANCELLED, _WORKERS),
        "attach": _always(STANDING_ACTIONS, STAYS, _WORKERS),
    }
)

_MEASURERS: Final = _LEADERS | {"analyst"}

OUTCOME: Final[Machine] = MappingProxyType(
    {
        "enter": _always([NEW], STAYS, _MEASURERS),
        "correct": _always([NEW], STAYS, _MEASURERS),
        "retract": _always([NEW], STAYS, _MEASURERS),
    }
)

MACHINES: Final[Mapping[str, Machine]] = MappingProxyType(
    {
        "organisation": ORGANISATION,
        "membership": MEMBERSHIP,
        "committee": COMMITTEE,
        "council": COUNCIL,
        "activation": ACTIVATION,
        "round": ROUND,
        "need": NEED,
        "capacity": CAPACITY,
        "weights": WEIGHTS,
        "proposal": PROPOSAL,
        "assessment": ASSESSMENT,
        "action": ACTION,
        "outcome": OUTCOME,
    }
)
"""Every machine by the kind of record it rules."""

NEEDS_REASON: Final = frozenset(
    {
        ("organisation", "refuse"),
        ("organisation", "suspend"),
        ("membership", "refuse"),
        ("activation", "activate"),
        ("round", "extend"),
        ("round", "admit"),
        ("need", "reject"),
        ("proposal", "return"),
        ("proposal", "accept"),
        ("proposal", "refuse"),
        ("proposal", "reconsider"),
        ("assessment", "supplement"),
        ("assessment", "refuse"),
        ("action", "suspend"),
        ("action", "cancel"),
        ("action", "hand-over"),
        ("action", "reopen"),
        ("outcome", "retract"),
    }
)
"""What is not done without saying why, by kind of record and event."""


def state_after(machine: Machine, event: str, *, state: str, roles: Collection[str], is_late: bool = False) -> str:
    """Return the state that an event leads to.

    Rights are asked first, so that nobody learns the state of what is not theirs.

    Parameters
    ----------
    machine
        One of `MACHINES`.
    event
        A key of the table.
    state
        The present state; `NEW` for what is not there yet.
    roles
        The person's roles in the place concerned.
    is_late
        Whether the deadline of the phase has passed.

    Raises
    ------
    InvalidInput
        Where the table has no such event.
    Forbidden
        Where none of the roles allows it, or none allows it after the deadline (code ``deadline_passed``).
    Conflict
        Where it does not start from this state.

    Examples
    --------
    >>> state_after(NEED, "report", state=NEW, roles={"reporter"})
    'reported'
    >>> state_after(PROPOSAL, "amend", state="returned", roles={"agency"})
    'returned'
    >>> state_after(NEED, "report", state=NEW, roles={"reporter"}, is_late=True)
    Traceback (most recent call last):
    geo.errors.Forbidden: The deadline has passed. Ask the supervisor of the round to enter it.
    """
    move = machine.get(event)
    if move is None:
        raise InvalidInput(
            f"{event!r} is nothing that can be done here.",
            code="unknown_event",
            remedy=f"Choose one of {', '.join(machine)}.",
        )
    if move.roles.isdisjoint(roles):
        raise Forbidden(
            "Your roles in this place do not allow this.",
            code="role_missing",
            remedy=f"It takes one of the roles {', '.join(sorted(move.roles))}.",
        )
    if state not in move.sources:
        raise Conflict(
            f"This cannot be done any more: the state is {str(state)!r}."
            if state
            else "There is nothing to change yet.",
            code="state_changed",
            remedy="Load the page again to see what has happened meanwhile.",
        )
    if is_late and move.late_roles.isdisjoint(roles):
        raise Forbidden(
            "The deadline has passed.",
            code="deadline_passed",
            remedy="Ask the supervisor of the round to enter it.",
        )
    return state if move.target == STAYS else str(move.target)


def events_open(machine: Machine, *, state: str, roles: Collection[str], is_late: bool = False) -> tuple[str, ...]:
    """Return what a person may do to a record now, in the order of the table: the buttons of its page.

    Examples
    --------
    >>> events_open(NEED, state="reported", roles={"reporter"}, is_late=True)
    ('withdraw', 'attach')
    """
    return tuple(
        event
        for event, move in machine.items()
        if state in move.sources and not (move.late_roles if is_late else move.roles).isdisjoint(roles)
    )


__all__ = [
    "ACTION", "ACTIVATION", "ASSESSMENT", "CAPACITY", "COMMITTEE", "COUNCIL", "MACHINES", "MEMBERSHIP", "NEED", "NEEDS_REASON", "NEW",
    "ONESELF", "OPEN_NEEDS", "ORGANISATION", "OUTCOME", "PERSON", "PROPOSAL", "ROUND", "RUNNING_ACTIONS", "STANDING_ACTIONS",
    "STANDING_PROPOSALS", "STAYS", "WEIGHTS", "ActionState", "ActivationState", "AssessmentState", "CapacityState", "Machine",
    "MembershipState", "Move", "NeedState", "OrganisationState", "ProposalState", "RoundState", "WeightsState", "events_open",
    "state_after",
]  # fmt: skip
