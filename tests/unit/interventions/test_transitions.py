"""What may happen to the records of the network: every machine × event × state × role × before and after the deadline."""

from __future__ import annotations

import itertools
from enum import StrEnum

import pytest

from geo.errors import Conflict, Forbidden, InvalidInput
from interventions.core.gaps import STAGE_OF_ACTION, STAGE_OF_PROPOSAL
from interventions.core.transitions import (
    MACHINES,
    NEED,
    NEEDS_REASON,
    NEW,
    OPEN_NEEDS,
    PROPOSAL,
    RUNNING_ACTIONS,
    STANDING_ACTIONS,
    STANDING_PROPOSALS,
    ActionState,
    ActivationState,
    AssessmentState,
    CapacityState,
    MembershipState,
    NeedState,
    OrganisationState,
    ProposalState,
    RoundState,
    WeightsState,
    events_open,
    state_after,
)

ROLES = (
    "viewer", "reporter", "agency", "analyst", "planner", "supervisor", "administrator", "person", "oneself",
)  # fmt: skip
STATES: dict[str, type[StrEnum] | tuple[str, ...]] = {
    "organisation": OrganisationState,
    "membership": MembershipState,
    "committee": (),
    "council": (),
    "activation": ActivationState,
    "round": RoundState,
    "need": NeedState,
    "capacity": CapacityState,
    "weights": WeightsState,
    "proposal": ProposalState,
    "assessment": AssessmentState,
    "action": ActionState,
    "outcome": (),
}

# Written by hand, not derived from the tables. Who may do it: L leaders (supervisor, administrator), R reporter, A agency,
# N analyst, G planner, P any person, S oneself; in lower case: not after the deadline.
EXPECTED: dict[str, dict[tuple[str, str, str], str]] = {
    "organisation": {
        ("apply", "", "applied"): "P",
        ("enter", "", "approved"): "L",
        ("amend", "applied", "applied"): "L",
        ("amend", "approved", "approved"): "L",
        ("approve", "applied", "approved"): "L",
        ("approve", "refused", "approved"): "L",
        ("refuse", "applied", "refused"): "L",
        ("suspend", "approved", "suspended"): "L",
        ("restore", "suspended", "approved"): "L",
    },
    "membership": {
        ("apply", "", "applied"): "P",
        ("apply", "refused", "applied"): "P",
        ("apply", "ended", "applied"): "P",
        ("approve", "", "approved"): "L",
        ("approve", "applied", "approved"): "L",
        ("approve", "refused", "approved"): "L",
        ("approve", "ended", "approved"): "L",
        ("amend", "applied", "applied"): "L",
        ("amend", "approved", "approved"): "L",
        ("refuse", "applied", "refused"): "L",
        ("end", "applied", "ended"): "LS",
        ("end", "approved", "ended"): "LS",
    },
    "committee": {("enter", "", ""): "L", ("amend", "", ""): "L"},
    "council": {("enter", "", ""): "L", ("amend", "", ""): "L", ("seat", "", ""): "L", ("unseat", "", ""): "L"},
    "activation": {("activate", "", "active"): "L", ("stand-down", "active", "stood-down"): "L"},
    "round": {
        ("open", "", "opened"): "L",
        ("extend", "opened", "opened"): "L",
        ("admit", "opened", "opened"): "L",
        ("publish", "opened", "opened"): "L",
        ("publish", "closed", "closed"): "L",
        ("close", "opened", "closed"): "L",
    },
    "need": {
        ("report", "", "reported"): "Lr",
        ("amend", "reported", "reported"): "Lr",
        ("withdraw", "reported", "withdrawn"): "LR",
        ("confirm", "reported", "confirmed"): "L",
        ("merge", "reported", "merged"): "L",
        ("merge", "confirmed", "merged"): "L",
        ("reject", "reported", "rejected"): "L",
        ("reject", "confirmed", "rejected"): "L",
        ("reopen", "merged", "reported"): "L",
        ("reopen", "rejected", "reported"): "L",
        ("attach", "reported", "reported"): "LR",
        ("attach", "confirmed", "confirmed"): "LR",
    },
    "capacity": {
        ("record", "", "recorded"): "LRA",
        ("amend", "recorded", "recorded"): "LRA",
        ("withdraw", "recorded", "withdrawn"): "LRA",
        ("restore", "withdrawn", "recorded"): "L",
    },
    "weights": {
        ("record", "", "kept"): "LRANG",
        ("amend", "kept", "kept"): "LRANG",
        ("withdraw", "kept", "withdrawn"): "LRANG",
        ("restore", "withdrawn", "kept"): "LRANG",
    },
    "proposal": {
        ("draft", "", "draft"): "LA",
        ("amend", "draft", "draft"): "LA",
        ("amend", "returned", "returned"): "LA",
        ("submit", "", "submitted"): "La",
        ("submit", "draft", "submitted"): "La",
        ("submit", "returned", "submitted"): "La",
        ("withdraw", "draft", "withdrawn"): "LA",
        ("withdraw", "submitted", "withdrawn"): "LA",
        ("withdraw", "returned", "withdrawn"): "LA",
        ("return", "submitted", "returned"): "L",
        ("accept", "submitted", "accepted"): "L",
        ("refuse", "submitted", "refused"): "L",
        ("refuse", "returned", "refused"): "L",
        ("reconsider", "accepted", "submitted"): "L",
        ("reconsider", "refused", "submitted"): "L",
    },
    "assessment": {
        ("ask", "", "asked"): "L",
        ("ask", "approved", "asked"): "L",
        ("ask", "supplement", "asked"): "L",
        ("ask", "refused", "asked"): "L",
        ("approve", "asked", "approved"): "La",
        ("supplement", "asked", "supplement"): "La",
        ("refuse", "asked", "refused"): "La",
    },
    "action": {
        ("enter", "", "planned"): "LRA",
        ("amend", "planned", "planned"): "LRA",
        ("amend", "under-way", "under-way"): "LRA",
        ("amend", "suspended", "suspended"): "LRA",
        ("report", "under-way", "under-way"): "LRA",
        ("report", "suspended", "suspended"): "LRA",
        ("start", "planned", "under-way"): "LRA",
        ("start", "suspended", "under-way"): "LRA",
        ("suspend", "planned", "suspended"): "LRA",
        ("suspend", "under-way", "suspended"): "LRA",
        ("finish", "under-way", "done"): "LRA",
        ("reopen", "done", "under-way"): "L",
        ("reopen", "cancelled", "under-way"): "L",
        ("hand-over", "planned", "handed-over"): "LRA",
        ("hand-over", "under-way", "handed-over"): "LRA",
        ("hand-over", "suspended", "handed-over"): "LRA",
        ("cancel", "planned", "cancelled"): "LRA",
        ("cancel", "under-way", "cancelled"): "LRA",
        ("cancel", "suspended", "cancelled"): "LRA",
        ("attach", "planned", "planned"): "LRA",
        ("attach", "under-way", "under-way"): "LRA",
        ("attach", "suspended", "suspended"): "LRA",
        ("attach", "done", "done"): "LRA",
    },
    "outcome": {("enter", "", ""): "LN", ("correct", "", ""): "LN", ("retract", "", ""): "LN"},
}
LETTERS = {
    "reporter": "R",
    "agency": "A",
    "analyst": "N",
    "planner": "G",
    "supervisor": "L",
    "administrator": "L",
    "person": "P",
    "oneself": "S",
}


def test_the_table_knows_every_machine_and_event() -> None:
    assert {name: set(machine) for name, machine in MACHINES.items()} == {
        name: {event for event, _, _ in moves} for name, moves in EXPECTED.items()
    }


def test_every_state_can_be_reached_and_no_other_is() -> None:
    for name, moves in EXPECTED.items():
        assert {target for _, _, target in moves} | {NEW} == {NEW, *map(str, STATES[name])}, name
    assert all(event in MACHINES[name] for name, event in NEEDS_REASON)


@pytest.mark.parametrize("name", MACHINES)
def test_every_event_state_role_and_time(name: str) -> None:
    machine, expected = MACHINES[name], EXPECTED[name]
    for event, state, role, late in itertools.product(machine, [NEW, *STATES[name]], ROLES, (False, True)):
        moves = {target: who for (e, s, target), who in expected.items() if (e, s) == (event, state)}
        anywhere = "".join(who for (e, _, _), who in expected.items() if e == event)
        letter = LETTERS.get(role, "-")
        where = f"{name} {event} from {state!r} as {role}, {late=}"
        may = False
        if letter not in anywhere.upper():
            with pytest.raises(Forbidden) as caught:
                state_after(machine, event, state=state, roles={role}, is_late=late)
            assert caught.value.code == "role_missing", where
        elif not moves:
            with pytest.raises(Conflict):
                state_after(machine, event, state=state, roles={role}, is_late=late)
        elif late and letter not in "".join(moves.values()):
            with pytest.raises(Forbidden) as caught:
                state_after(machine, event, state=state, roles={role}, is_late=late)
            assert caught.value.code == "deadline_passed", where
        else:
            may = True
            assert {state_after(machine, event, state=state, roles={role}, is_late=late)} == set(moves), where
        assert (event in events_open(machine, state=state, roles={role}, is_late=late)) == may, where


def test_one_role_of_several_is_enough() -> None:
    assert state_after(NEED, "report", state=NEW, roles={"viewer", "supervisor"}, is_late=True) == "reported"
    assert state_after(PROPOSAL, "submit", state=NEW, roles={"reporter", "agency"}) == "submitted"


def test_nobody_without_a_role_does_anything() -> None:
    for name, machine in MACHINES.items():
        for event, state in itertools.product(machine, [NEW, *STATES[name]]):
            with pytest.raises(Forbidden):
                state_after(machine, event, state=state, roles=())
            assert events_open(machine, state=state, roles=()) == ()


def test_an_unknown_event_names_the_known_ones() -> None:
    with pytest.raises(InvalidInput, match="confirm"):
        state_after(NEED, "vanish", state=NEW, roles={"administrator"})


def test_states_that_count() -> None:
    assert {"reported", "confirmed"} == OPEN_NEEDS
    assert {"submitted", "returned", "accepted"} == STANDING_PROPOSALS
    assert {"planned", "under-way", "suspended"} == RUNNING_ACTIONS
    assert {"planned", "under-way", "suspended", "done"} == STANDING_ACTIONS
    # What answers needs brings them into a stage, and nothing else does.
    assert set(STAGE_OF_PROPOSAL) == STANDING_PROPOSALS
    assert set(STAGE_OF_ACTION) == STANDING_ACTIONS


def test_what_is_done_to_others_has_a_reason() -> None:
    """Written by hand: what somebody else must be able to read the reason of."""
    assert {
        ("organisation", "refuse"), ("organisation", "suspend"), ("membership", "refuse"), ("activation", "activate"),
        ("round", "extend"), ("round", "admit"), ("need", "reject"),
        ("proposal", "return"), ("proposal", "accept"), ("proposal", "refuse"), ("proposal", "reconsider"),
        ("assessment", "supplement"), ("assessment", "refuse"),
        ("action", "suspend"), ("action", "cancel"), ("action", "hand-over"), ("action", "reopen"), ("outcome", "retract"),
    } == NEEDS_REASON  # fmt: skip
