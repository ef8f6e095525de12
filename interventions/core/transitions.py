"""What may happen to a round, a need or a proposal: from which state, to which, by whom, and by whom after the deadline.

The tables are the whole rule. A service asks `state_after` and stores what it answers; nothing else changes a state.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from geo.errors import Conflict, Forbidden, InvalidInput


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


class ProposalState(StrEnum):
    """Where a proposal stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    ACCEPTED = "accepted"
    REFUSED = "refused"


NEW: Final = ""
"""The state of what is not there yet."""

OPEN_NEEDS: Final = frozenset({NeedState.REPORTED, NeedState.CONFIRMED})
"""Needs that count: neither told again under another need nor rejected."""

STANDING_PROPOSALS: Final = frozenset({ProposalState.SUBMITTED, ProposalState.RETURNED, ProposalState.ACCEPTED})
"""Proposals that answer needs: handed in and not refused."""


@dataclass(frozen=True, slots=True)
class Move:
    """One thing that may happen.

    Attributes
    ----------
    sources
        States it may start from; `NEW` where it makes the record.
    target
        The state it leads to.
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
_PROPOSERS: Final = frozenset({"agency", "administrator"})
_ADMINISTRATORS: Final = frozenset({"administrator"})


def _move(sources: Collection[str], target: str, roles: frozenset[str], late_roles: frozenset[str]) -> Move:
    return Move(frozenset(sources), target, roles, late_roles)


ROUND: Final[Machine] = MappingProxyType(
    {
        "open": _move([NEW], RoundState.OPENED, _LEADERS, _LEADERS),
        "close": _move([RoundState.OPENED], RoundState.CLOSED, _LEADERS, _LEADERS),
    }
)

NEED: Final[Machine] = MappingProxyType(
    {
        "report": _move([NEW], NeedState.REPORTED, _REPORTERS, _LEADERS),
        "confirm": _move([NeedState.REPORTED], NeedState.CONFIRMED, _LEADERS, _LEADERS),
        "merge": _move(OPEN_NEEDS, NeedState.MERGED, _LEADERS, _LEADERS),
        "reject": _move(OPEN_NEEDS, NeedState.REJECTED, _LEADERS, _LEADERS),
    }
)

PROPOSAL: Final[Machine] = MappingProxyType(
    {
        "submit": _move(
            [NEW, ProposalState.DRAFT, ProposalState.RETURNED], ProposalState.SUBMITTED, _PROPOSERS, _ADMINISTRATORS
        ),
        "return": _move([ProposalState.SUBMITTED], ProposalState.RETURNED, _LEADERS, _LEADERS),
        "accept": _move([ProposalState.SUBMITTED], ProposalState.ACCEPTED, _LEADERS, _LEADERS),
        "refuse": _move([ProposalState.SUBMITTED], ProposalState.REFUSED, _LEADERS, _LEADERS),
    }
)


def state_after(machine: Machine, event: str, *, state: str, roles: Collection[str], is_late: bool = False) -> str:
    """Return the state that an event leads to.

    Rights are asked first, so that nobody learns the state of what is not theirs.

    Parameters
    ----------
    machine
        `ROUND`, `NEED` or `PROPOSAL`.
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
    return str(move.target)


__all__ = [
    "NEED",
    "NEW",
    "OPEN_NEEDS",
    "PROPOSAL",
    "ROUND",
    "STANDING_PROPOSALS",
    "Machine",
    "Move",
    "NeedState",
    "ProposalState",
    "RoundState",
    "state_after",
]
