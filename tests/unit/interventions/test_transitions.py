"""What may happen to rounds, needs and proposals: every event × state × role × before and after the deadline."""

from __future__ import annotations

import itertools

import pytest

from geo.errors import Conflict, Forbidden, InvalidInput
from interventions.core.transitions import (
    NEED,
    NEW,
    OPEN_NEEDS,
    PROPOSAL,
    ROUND,
    STANDING_PROPOSALS,
    Machine,
    NeedState,
    ProposalState,
    RoundState,
    state_after,
)

ROLES = ("viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator")

# Written by hand, not derived from the tables: who may do what from where; "in time" unless the role may be late.
EXPECTED: dict[str, dict[tuple[str, str, str], dict[str, bool]]] = {
    "round": {
        ("open", "", "opened"): {"supervisor": True, "administrator": True},
        ("close", "opened", "closed"): {"supervisor": True, "administrator": True},
    },
    "need": {
        ("report", "", "reported"): {"reporter": False, "supervisor": True, "administrator": True},
        ("confirm", "reported", "confirmed"): {"supervisor": True, "administrator": True},
        ("merge", "reported", "merged"): {"supervisor": True, "administrator": True},
        ("merge", "confirmed", "merged"): {"supervisor": True, "administrator": True},
        ("reject", "reported", "rejected"): {"supervisor": True, "administrator": True},
        ("reject", "confirmed", "rejected"): {"supervisor": True, "administrator": True},
    },
    "proposal": {
        ("submit", "", "submitted"): {"agency": False, "administrator": True},
        ("submit", "draft", "submitted"): {"agency": False, "administrator": True},
        ("submit", "returned", "submitted"): {"agency": False, "administrator": True},
        ("return", "submitted", "returned"): {"supervisor": True, "administrator": True},
        ("accept", "submitted", "accepted"): {"supervisor": True, "administrator": True},
        ("refuse", "submitted", "refused"): {"supervisor": True, "administrator": True},
    },
}
MACHINES: dict[str, tuple[Machine, list[str]]] = {
    "round": (ROUND, list(RoundState)),
    "need": (NEED, list(NeedState)),
    "proposal": (PROPOSAL, list(ProposalState)),
}


@pytest.mark.parametrize("name", MACHINES)
def test_every_event_state_role_and_time(name: str) -> None:
    machine, states = MACHINES[name]
    expected = EXPECTED[name]
    assert set(machine) == {event for event, _, _ in expected}
    for event, state, role, late in itertools.product(machine, [NEW, *states], ROLES, (False, True)):
        found = [(target, who) for (e, s, target), who in expected.items() if (e, s) == (event, state)]
        anywhere = {who for (e, _, _), roles in expected.items() if e == event for who in roles}
        where = f"{name} {event} from {state!r} as {role}, {late=}"
        if role not in anywhere:
            with pytest.raises(Forbidden) as caught:
                state_after(machine, event, state=state, roles={role}, is_late=late)
            assert caught.value.code == "role_missing", where
        elif not found:
            with pytest.raises(Conflict):
                state_after(machine, event, state=state, roles={role}, is_late=late)
        elif late and not found[0][1][role]:
            with pytest.raises(Forbidden) as caught:
                state_after(machine, event, state=state, roles={role}, is_late=late)
            assert caught.value.code == "deadline_passed", where
        else:
            assert state_after(machine, event, state=state, roles={role}, is_late=late) == found[0][0], where


def test_one_role_of_several_is_enough() -> None:
    assert state_after(NEED, "report", state=NEW, roles={"viewer", "supervisor"}, is_late=True) == "reported"


def test_nobody_without_a_role_does_anything() -> None:
    for machine, states in MACHINES.values():
        for event, state in itertools.product(machine, [NEW, *states]):
            with pytest.raises(Forbidden):
                state_after(machine, event, state=state, roles=())


def test_an_unknown_event_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="confirm"):
        state_after(NEED, "vanish", state=NEW, roles={"administrator"})


def test_states_that_count() -> None:
    assert {"reported", "confirmed"} == OPEN_NEEDS
    assert {"submitted", "returned", "accepted"} == STANDING_PROPOSALS
