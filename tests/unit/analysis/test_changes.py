"""Changes of a scenario: what is written is what is read, and what is wrong is refused with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.core.changes import (
    MOST_CHANGES,
    MOST_POSITIONS,
    CapacityChanged,
    Change,
    FacilityAdded,
    FacilityClosed,
    FacilityMoved,
    StreetDrawn,
    changes_from_json,
    changes_to_json,
)
from geo.errors import InvalidInput, LimitExceeded

CITY = (48.3, 33.4, 48.4, 33.5)
LON, LAT = st.floats(47.9, 48.8), st.floats(33.0, 33.9)
CODE = st.from_regex(r"[a-z0-9]{1,5}(-[a-z0-9]{1,5})?", fullmatch=True)
NUMBER = st.integers(1, 2**31 - 1)
WAS = st.none() | st.tuples(LON, LAT)
CAPACITY = st.floats(0, 1e10)
ANY = st.one_of(
    st.builds(
        FacilityAdded, CODE, LON, LAT, st.from_regex(r"[A-Za-z0-9_-]{1,40}", fullmatch=True), st.none() | CAPACITY
    ),
    st.builds(FacilityMoved, CODE, NUMBER, LON, LAT, WAS),
    st.builds(FacilityClosed, CODE, NUMBER, WAS),
    st.builds(CapacityChanged, CODE, NUMBER, CAPACITY, WAS),
    st.builds(
        StreetDrawn,
        st.lists(st.tuples(LON, LAT), min_size=2, max_size=5, unique=True).map(tuple),
        st.sampled_from(["street", "path", "stairs", "bridge"]),
    ),
)
MOVED: dict[str, Any] = {"type": "facility-moved", "service": "clinic", "number": 7, "lon": 48.35, "lat": 33.45}
ADDED: dict[str, Any] = {"type": "facility-added", "service": "clinic", "id": "a", "lon": 48.35, "lat": 33.45}
CLOSED: dict[str, Any] = {"type": "facility-closed", "service": "clinic", "number": 7}
CAPACITY_OF: dict[str, Any] = {"type": "capacity-changed", "service": "clinic", "number": 7, "capacity": 3}
STREET: dict[str, Any] = {"type": "street-drawn", "coordinates": [[48.3, 33.4], [48.4, 33.5]]}


@given(ANY)
def test_what_is_written_is_read_again(change: Change) -> None:
    assert changes_from_json(changes_to_json([change]), CITY) == (change,)


def refused(tree: Any, where: str, code: str = "bad_change") -> None:
    with pytest.raises(InvalidInput) as error:
        changes_from_json(tree, CITY)
    assert (error.value.where, error.value.code) == (where, code)


@pytest.mark.parametrize(
    ("member", "value", "where"),
    [
        ("type", "facility-burnt", ".type"),
        ("type", ["facility-moved"], ".type"),
        ("service", "Clinic", ".service"),
        ("service", "c" * 81, ".service"),
        ("service", None, ".service"),
        ("number", 0, ".number"),
        ("number", 7.0, ".number"),
        ("number", True, ".number"),
        ("number", 2**31, ".number"),
        ("was", [48.35], ".was"),
        ("was", "48.35,33.45", ".was"),
        ("colour", "red", ""),
    ],
)
def test_a_member_that_is_wrong_is_named(member: str, value: Any, where: str) -> None:
    refused([MOVED | {"number": 8}, MOVED | {member: value}], f"changes[1]{where}")


@pytest.mark.parametrize("value", [None, "48.35", True, float("nan"), float("inf"), 181, 10**400])
def test_a_coordinate_is_a_number(value: Any) -> None:
    refused([MOVED | {"lon": value}], "changes[0].lon", "bad_number")
    refused([MOVED | {"was": [value, 33.45]}], "changes[0].was[0]", "bad_number")
    refused([STREET | {"coordinates": [[48.3, 33.4], [48.3, value]]}], "changes[0].coordinates[1][1]", "bad_number")


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), "40", 1e11])
def test_a_capacity_is_a_number_of_zero_or_more(value: Any) -> None:
    refused([CAPACITY_OF | {"capacity": value}], "changes[0].capacity", "bad_number")
    refused([ADDED | {"capacity": value}], "changes[0].capacity", "bad_number")
    assert changes_from_json([CAPACITY_OF | {"capacity": 0}]) == (CapacityChanged("clinic", 7, 0.0),)


def test_a_position_far_from_the_city_is_refused() -> None:
    assert changes_from_json([MOVED | {"lon": 48.9, "lat": 32.9}], CITY)
    refused([MOVED | {"lon": 48.91}], "changes[0]", "far_from_city")
    refused([MOVED | {"lon": 33.45, "lat": 48.35}], "changes[0]", "far_from_city")
    refused([STREET | {"coordinates": [[48.3, 33.4], [48.4, 34.1]]}], "changes[0].coordinates[1]", "far_from_city")
    assert changes_from_json([MOVED | {"lon": 33.45, "lat": 48.35}])


def test_a_street_has_two_positions_and_not_too_many() -> None:
    for line in (None, [], [[48.3, 33.4]], [[48.3, 33.4]] * 3):
        refused([STREET | {"coordinates": line}], "changes[0].coordinates")
    refused([STREET | {"kind": "river"}], "changes[0].kind")
    longest = [[48.3, 33.4 + i / 10_000] for i in range(MOST_POSITIONS)]
    assert len(changes_from_json([STREET | {"coordinates": longest}], CITY)) == 1
    with pytest.raises(LimitExceeded):
        changes_from_json([STREET | {"coordinates": [*longest, [48.4, 33.4]]}], CITY)


def test_there_are_not_too_many_changes() -> None:
    many = [MOVED | {"number": i + 1} for i in range(MOST_CHANGES + 1)]
    assert len(changes_from_json(many[1:])) == MOST_CHANGES
    with pytest.raises(LimitExceeded):
        changes_from_json(many)
    refused({"type": "facility-closed"}, "changes")


@pytest.mark.parametrize(
    "two",
    [
        [MOVED, CLOSED],
        [CLOSED, CLOSED],
        [MOVED, MOVED],
        [CLOSED, CAPACITY_OF],
        [CAPACITY_OF, CAPACITY_OF],
        [ADDED, ADDED],
    ],
)
def test_changes_that_contradict_each_other_are_refused(two: list[dict[str, Any]]) -> None:
    refused([STREET, *two], "changes[2]", "contradicting_changes")
    assert len(changes_from_json([two[0], two[1] | ({"id": "b"} if two[0] is ADDED else {"number": 8})])) == 2
    assert len(changes_from_json([MOVED, CAPACITY_OF])) == 2
