"""From draft to approved: a second person, sound topology, days in force, any day read back, and two people at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import shapely
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone
from shapely.affinity import translate

from geo.core.partition import polygons_of
from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError
from geo.models import Assignment, Boundary, Change, ChangeSet, Descent, Place, Review
from geo.querysets import system_user
from geo.selectors import change_set_read, days_of_change, edition_as_of, invariants_broken, partition_read, shapes_read
from geo.services import (
    CodeTaken,
    StaleEdit,
    TopologyRefused,
    boundary_approve,
    change_set_approve,
    change_set_propose,
    change_set_return,
    change_set_withdraw,
)
from geo.services.retrying import in_one_transaction
from tests.db.at_once import at_once, losers
from tests.db.grid_city import BEGAN, GridCity, cells, corner, grid_city, grown, people_by_area, today, tomorrow

NOBODY = AnonymousUser()


@pytest.fixture
def grid(db: None) -> GridCity:
    return grid_city()


def moved_east(code: str, grid: GridCity, degrees: float = 1e-4) -> Any:
    return grid.edit(code, translate(grid.shape(code), degrees))


# ---------------------------------------------------------------- the way of a change set


def test_the_whole_way(grid: GridCity) -> None:
    planner, supervisor = grid.people["planner"], grid.people["supervisor"]
    first = grid.save(*grid.shifted(0, 0, 0.1), title="Edge").change_set
    proposed = change_set_propose(first, planner, 1, "please look")
    assert (proposed.status, proposed.version) == ("proposed", 2)
    assert set(proposed.boundaries.values_list("status", flat=True)) == {"proposed"}
    returned = change_set_return(proposed, supervisor, 2, "the corner is wrong")
    assert (returned.status, returned.reviewer) == ("returned", supervisor)
    assert set(returned.boundaries.values_list("status", flat=True)) == {"draft"}
    again = grid.save(*grid.shifted(0, 0, 0.2), change_set=returned, version=3, comment="mended").change_set
    assert (again.status, again.version) == ("draft", 4)
    proposed = change_set_propose(again, planner, 4)
    approved = change_set_approve(proposed, supervisor, 5, "good")
    assert (approved.status, approved.version, approved.valid_from) == ("approved", 6, today())
    assert approved.reviewed_at is not None
    steps = change_set_read(approved.pk, planner).reviews.all()
    assert [(r.action, r.comment, r.version) for r in steps] == [
        ("saved", "", 1),
        ("proposed", "please look", 2),
        ("returned", "the corner is wrong", 3),
        ("saved", "mended", 4),
        ("proposed", "", 5),
        ("approved", "good", 6),
    ]
    new = grid.base("q0-0")
    assert (new.version, new.status, new.change_set, new.valid.lower) == (2, "approved", approved, today())
    old = Boundary.objects.get(place=new.place, version=1)
    assert (old.status, old.valid.lower, old.valid.upper) == ("approved", BEGAN, today())
    assert shapely.equals(grid.shape("q0-0"), grid.shape("q0-0").union(cells(0, 0)))
    assert invariants_broken(grid.city) == []


def test_who_drew_it_does_not_approve_it(grid: GridCity) -> None:
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1))
    with pytest.raises(Forbidden) as caught:
        change_set_approve(proposed, grid.people["planner"], 2)
    assert caught.value.code == "own_change_set"
    assert grid.base("q0-0").version == 1
    assert change_set_approve(proposed, grid.people["colleague"], 2).status == "approved"


def test_who_drew_a_part_of_it_does_not_approve_it(grid: GridCity) -> None:
    first = grid.save(*grid.shifted(0, 0, 0.1)).change_set
    second = grid.save(*grid.shifted(0, 0, 0.2), user="colleague", change_set=first, version=1).change_set
    proposed = change_set_propose(second, grid.people["planner"], 2)
    for user in ("planner", "colleague"):
        with pytest.raises(Forbidden):
            change_set_approve(proposed, grid.people[user], 3)
    assert change_set_approve(proposed, grid.people["above"], 3).status == "approved"


def test_a_superuser_needs_a_second_person_too(grid: GridCity) -> None:
    grid.people["root"] = User.objects.create_superuser("grid-root")
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1), user="root")
    with pytest.raises(Forbidden):
        change_set_approve(proposed, grid.people["root"], 2)


@pytest.mark.parametrize("user", ["viewer", "agency", "local", "neighbour", "stranger"])
def test_only_who_may_decide_everywhere_decides(grid: GridCity, user: str) -> None:
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1))
    for step in (change_set_approve, change_set_return):
        with pytest.raises(Forbidden):
            step(proposed, grid.people[user], 2, "no")
    with pytest.raises(Forbidden):
        change_set_withdraw(proposed, grid.people[user], 2)
    assert ChangeSet.objects.get(pk=proposed.pk).version == 2
    for step in (change_set_approve, change_set_return, change_set_withdraw):
        with pytest.raises(Forbidden):
            step(proposed, NOBODY, 2, "no")


def test_supervisors_decide_and_do_not_draw(grid: GridCity) -> None:
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1))
    with pytest.raises(Forbidden):
        change_set_withdraw(proposed, grid.people["supervisor"], 2)
    draft = grid.save(*grid.shifted(2, 0, 0.1)).change_set
    with pytest.raises(Forbidden):
        change_set_propose(draft, grid.people["supervisor"], 1)


def test_a_local_supervisor_decides_on_a_split_of_the_own_place(grid: GridCity) -> None:
    boss = User.objects.create_user("grid-local-boss")
    Assignment.objects.create(user=boss, role="supervisor", place=grid.place("q0-0"))
    proposed = grid.proposed(*grid.split(0, 0, "q0-0b"), user="local")
    assert change_set_approve(proposed, boss, 2).status == "approved"


def test_a_return_says_why(grid: GridCity) -> None:
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1))
    with pytest.raises(InvalidInput) as caught:
        change_set_return(proposed, grid.people["supervisor"], 2, "  ")
    assert caught.value.code == "no_comment"


@pytest.mark.parametrize("is_proposed", [False, True])
def test_withdrawing_keeps_the_drafts_as_withdrawn(grid: GridCity, is_proposed: bool) -> None:
    change_set = grid.save(*grid.split(0, 0, "q0-0b")).change_set
    if is_proposed:
        change_set = change_set_propose(change_set, grid.people["planner"], 1)
    gone = change_set_withdraw(change_set, grid.people["colleague"], change_set.version, "no need")
    assert set(gone.boundaries.values_list("status", flat=True)) == {"withdrawn"}
    assert not Place.objects.get(code="q0-0b").is_published
    assert invariants_broken(grid.city) == []
    with pytest.raises(Conflict):
        grid.save(*grid.shifted(0, 0, 0.1), change_set=gone, version=gone.version)
    with pytest.raises(CodeTaken) as taken:
        grid.save(*grid.split(0, 0, "q0-0b"))
    assert taken.value.free_code == "q0-0b-2"
    again = [replace(edit, is_revival=edit.code == "q0-0b") for edit in grid.split(0, 0, "q0-0b")]
    assert grid.approved(*again).status == "approved", "the code may be used again by whoever says so"
    assert Place.objects.get(code="q0-0b").is_published


def test_a_decision_on_an_older_version_is_refused(grid: GridCity) -> None:
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1))
    for step in (change_set_approve, change_set_return):
        with pytest.raises(StaleEdit) as caught:
            step(proposed, grid.people["supervisor"], 1, "x")
        assert caught.value.code == "stale_version"


# ---------------------------------------------------------------- what an approval asks


def test_gaps_and_overlaps_are_not_opened_unless_meant(grid: GridCity) -> None:
    proposed = grid.proposed(moved_east("q1-1", grid))
    with pytest.raises(TopologyRefused) as caught:
        change_set_approve(proposed, grid.people["supervisor"], 2)
    kinds = {finding["kind"] for finding in caught.value.findings}
    assert kinds == {"gap", "overlap"}
    assert "m²" in str(caught.value)
    assert grid.base("q1-1").version == 1
    keys = [finding["key"] for finding in caught.value.findings]
    with pytest.raises(TopologyRefused):
        change_set_approve(proposed, grid.people["supervisor"], 2, acknowledged=keys[:1])
    approved = change_set_approve(proposed, grid.people["supervisor"], 2, acknowledged=keys)
    assert (approved.status, approved.acknowledged) == ("approved", sorted(keys))
    assert invariants_broken(grid.city) == [], "it is known that these overlap"


def test_ground_at_the_edge_of_the_city_is_not_lost_unnoticed(grid: GridCity) -> None:
    proposed = grid.proposed(grid.edit("q0-0", cells(0.2, 0, 0.8)))
    (finding,) = ChangeSet.objects.get(pk=proposed.pk).findings
    assert finding["kind"] == "gap"
    with pytest.raises(TopologyRefused):
        change_set_approve(proposed, grid.people["supervisor"], 2)
    assert change_set_approve(proposed, grid.people["supervisor"], 2, acknowledged=[finding["key"]]).version == 3


def test_an_ended_place_leaves_no_hole(grid: GridCity) -> None:
    proposed = grid.proposed(grid.edit("q1-1", None))
    with pytest.raises(TopologyRefused) as caught:
        change_set_approve(proposed, grid.people["supervisor"], 2)
    assert [f["kind"] for f in caught.value.findings] == ["gap"]


def test_what_was_wrong_before_hinders_nobody(grid: GridCity) -> None:
    grown(grid.place("q1-1"), BEGAN + timedelta(days=9), cells(1, 1, 1.3))  # overlaps q2-1
    bulge = shapely.Polygon([corner(1, 1), corner(2, 1), corner(1.5, 0.9)])
    edits = [
        grid.edit("q1-0", shapely.difference(grid.shape("q1-0"), bulge)),
        grid.edit("q1-1", shapely.union(grid.shape("q1-1"), bulge)),
    ]
    approved = grid.approved(*edits)
    assert [(f["kind"], f["is_new"]) for f in approved.findings] == [("overlap", False)]


def test_the_city_grows_where_nobody_was(grid: GridCity) -> None:
    approved = grid.approved(grid.edit("q4-0", cells(4, 0)))
    assert approved.findings == []
    place = grid.place("q4-0")
    assert (place.is_published, place.is_illustrative) == (True, False)
    assert not approved.descents.exists()


def test_an_overlap_with_somebody_elses_place_is_theirs_to_accept(grid: GridCity) -> None:
    boss = User.objects.create_user("grid-boss")
    Assignment.objects.create(user=boss, role="supervisor", place=grid.place("q0-0"))
    proposed = grid.proposed(grid.edit("q0-0", cells(0, 0, 1.2)), user="local")
    (finding,) = ChangeSet.objects.get(pk=proposed.pk).findings
    with pytest.raises(TopologyRefused):
        change_set_approve(proposed, boss, 2, acknowledged=[finding["key"]])
    assert change_set_approve(proposed, grid.people["supervisor"], 2, acknowledged=[finding["key"]]).version == 3


def test_a_base_replaced_since_the_proposal_is_a_conflict(grid: GridCity) -> None:
    slow = grid.proposed(*grid.shifted(0, 0, 0.1))
    grid.approved(*grid.shifted(1, 0, 0.1), user="colleague")
    with pytest.raises(StaleEdit) as caught:
        change_set_approve(slow, grid.people["supervisor"], 2)
    assert set(caught.value.conflicts) == {"q1-0"}
    draft = grid.save(*grid.shifted(2, 2, 0.1)).change_set
    grid.approved(*grid.shifted(2, 2, 0.2), user="colleague")
    with pytest.raises(StaleEdit):
        change_set_propose(draft, grid.people["planner"], 1)


def test_two_sound_sets_that_clash_where_they_meet(grid: GridCity) -> None:
    """Each takes the same free ground at the edge; the second is refused though none of its bases has changed."""
    free = shapely.Polygon([corner(2, 3), corner(2, 3.2), corner(1.5, 3.1)]).union(
        shapely.Polygon([corner(2, 3), corner(2, 3.2), corner(2.5, 3.1)])
    )
    first = grid.proposed(grid.edit("q1-2", shapely.union(grid.shape("q1-2"), free)))
    second = grid.proposed(grid.edit("q2-2", shapely.union(grid.shape("q2-2"), free)), user="colleague")
    change_set_approve(first, grid.people["supervisor"], 2)
    with pytest.raises(TopologyRefused) as caught:
        change_set_approve(second, grid.people["supervisor"], 2)
    assert [f["codes"] for f in caught.value.findings if f["is_overlap"]] == [["q1-2", "q2-2"]]


# ---------------------------------------------------------------- days


def test_a_day_may_be_set(grid: GridCity) -> None:
    approved = grid.approved(*grid.shifted(0, 0, 0.1), valid_from=tomorrow())
    assert approved.valid_from == tomorrow()
    assert edition_as_of(grid.place("q0-0"), NOBODY, today()).version == 1
    assert edition_as_of(grid.place("q0-0"), NOBODY, tomorrow()).version == 2
    assert grid.base("q0-0").version == 2, "what comes next is based on what comes"
    later = grid.approved(*grid.shifted(0, 0, 0.2), user="colleague")
    assert later.valid_from == tomorrow(), "not before the edition it replaces begins"
    assert invariants_broken(grid.city) == []


def test_a_day_before_the_base_began_is_refused(grid: GridCity) -> None:
    slow = grid.proposed(*grid.shifted(0, 0, 0.1), valid_from=BEGAN + timedelta(days=1))
    Boundary.objects.filter(pk=grid.base("q1-0").pk).update(valid=(BEGAN + timedelta(days=2), None))
    with pytest.raises(InvalidInput) as caught:
        change_set_approve(slow, grid.people["supervisor"], 2)
    assert caught.value.code == "too_early"


def test_a_change_in_the_past_must_fit_all_days_since(grid: GridCity) -> None:
    """Free ground was given to one place in 2025; given to its neighbour from 2024 on, it would belong to both since."""
    free = cells(1.5, 3, 1, 0.5)
    grid.approved(grid.edit("q1-2", shapely.union(grid.shape("q1-2"), free)), valid_from=BEGAN + timedelta(days=400))
    early = grid.proposed(
        grid.edit("q2-2", shapely.union(grid.shape("q2-2"), free)), valid_from=BEGAN + timedelta(days=10)
    )
    with pytest.raises(TopologyRefused) as caught:
        change_set_approve(early, grid.people["supervisor"], 2)
    assert [f["codes"] for f in caught.value.findings if f["is_overlap"]] == [["q1-2", "q2-2"]]


def test_two_approvals_on_one_day_leave_the_last(grid: GridCity) -> None:
    grid.approved(*grid.shifted(0, 0, 0.1))
    grid.approved(*grid.shifted(0, 0, 0.2), user="colleague")
    editions = list(Boundary.objects.filter(place=grid.place("q0-0")).order_by("version"))
    assert [e.status for e in editions] == ["approved", "withdrawn", "approved"]
    assert editions[0].valid.upper == editions[2].valid.lower == today()
    assert invariants_broken(grid.city) == []


def test_any_day_reconstructs_exactly(grid: GridCity) -> None:
    """After every approval the partition is written down; in the end each day gives what was approved then."""
    system = system_user()

    def now(day: Any) -> dict[str, Any]:
        partition, settlements, _ = partition_read(grid.city, system, as_of=day)
        return {**polygons_of(partition), **settlements}

    written = {BEGAN: now(BEGAN)}
    steps: list[Callable[[], list[Any]]] = [
        lambda: grid.shifted(0, 0, 0.2),
        lambda: grid.split(2, 1, "q2-1b"),
        lambda: grid.merge(0, 2),
        lambda: [grid.edit("s1", cells(0.2, 0.2, 1.5, 1.5))],
        lambda: grid.shifted(0, 0, -0.2),
        lambda: [grid.edit("q0-2", cells(0, 2)), grid.edit("q1-2", cells(1, 2), from_codes=("q0-2",), is_revival=True)],
    ]
    for number, step in enumerate(steps):
        day = BEGAN + timedelta(days=30 * (number + 1))
        edits = step()
        grid.approved(*edits, valid_from=day, user=("planner", "colleague")[number % 2])
        written[day] = now(day)
        for edit in edits:
            if edit.geometry is None:
                assert edit.code not in written[day]
            else:
                assert shapely.equals(written[day][edit.code], edit.geometry)
    assert days_of_change(grid.city, NOBODY) == sorted(written)
    for day, shapes in written.items():
        for then in (day, day + timedelta(days=29)):
            back = now(then)
            assert set(back) == set(shapes)
            assert all(
                shapely.equals_exact(shapely.normalize(back[code]), shapely.normalize(shapes[code])) for code in shapes
            )
    seen = shapes_read(grid.city, NOBODY, as_of=BEGAN + timedelta(days=70)).neighbourhoods
    assert set(seen) == set(written[BEGAN + timedelta(days=60)]) - {"s1"}, "new places are seen as their predecessors"
    assert not shapes_read(grid.city, NOBODY, as_of=BEGAN - timedelta(days=1)).neighbourhoods
    assert invariants_broken(grid.city) == []


def test_the_partition_shares_arcs_also_where_a_neighbour_lacks_a_vertex(grid: GridCity) -> None:
    grid.approved(*grid.split(0, 0, "q0-0b"))
    partition, _, _ = partition_read(grid.city, NOBODY)
    outside = [users for users in partition.users if len(users) == 1]
    assert {len(users) for users in partition.users} == {1, 2}
    assert {"q0-0b", "q0-1"} in [set(users) for users in partition.users]
    assert all(code.startswith(("q0", "q3")) or code.endswith(("-0", "-2")) for (code,) in outside)


def test_an_import_repeated_after_editing_undoes_nothing(grid: GridCity) -> None:
    grid.approved(*grid.shifted(0, 0, 0.1))
    grid.approved(*grid.merge(1, 1))
    then = shapes_read(grid.city, NOBODY).neighbourhoods
    for code, shape in (("q0-0", cells(0, 0)), ("q2-1", cells(2, 1))):
        again = boundary_approve(
            place=grid.place(code), geometry_4326=shape, valid_from=BEGAN, source="import", certainty="modelled"
        )
        assert again.version == 1
    assert shapes_read(grid.city, NOBODY).neighbourhoods == then
    corrected = boundary_approve(
        place=grid.place("q0-0"),
        geometry_4326=cells(0, 0, 0.9),
        valid_from=BEGAN + timedelta(days=5),
        source="import",
        certainty="surveyed",
    )
    assert grid.base("q0-0") == corrected, "another boundary from an earlier day on is a correction, and stands"
    statuses = grid.place("q0-0").boundaries.order_by("version").values_list("status", flat=True)
    assert list(statuses) == ["approved", "withdrawn", "approved"]


# ---------------------------------------------------------------- in the admin


def test_the_admin_shows_change_sets_and_leaves_their_drafts_alone(grid: GridCity) -> None:
    root = User.objects.create_superuser("grid-root")
    client = Client()
    client.force_login(root)
    proposed = grid.proposed(*grid.shifted(0, 0, 0.1), title="A title to find")
    assert "A title to find" in client.get("/admin/geo/changeset/?q=title+to+find").content.decode()
    page = client.get(f"/admin/geo/changeset/{proposed.pk}/change/")
    assert page.status_code == 200
    assert "q0-0 v1" in page.content.decode()
    draft = proposed.changes.first().boundary
    address = f"/admin/geo/boundary/{draft.pk}/"
    assert "_save" not in client.get(f"{address}change/").content.decode()
    assert client.post(f"{address}change/", {"status": "approved"}).status_code == 403
    assert client.post(f"{address}delete/", {"post": "yes"}).status_code == 403
    draft.refresh_from_db()
    assert draft.status == "proposed"


# ---------------------------------------------------------------- two people at once


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: Any) -> Iterator[GridCity]:
    """A city that other connections see; taken away again row by row, as the other tests' data must stay."""
    with django_db_blocker.unblock():
        grid = grid_city(4, 3, "racetown")
        try:
            yield grid
        finally:
            swept(grid)


def swept(grid: GridCity) -> None:
    root = grid.city.parent
    paths = {"place__path__startswith": root.path}
    with transaction.atomic():
        sets = ChangeSet.objects.filter(**paths)
        for model in (Change, Descent, Review):
            model.objects.filter(change_set__in=sets).delete()
        Boundary.objects.filter(**paths).delete()
        sets.delete()
        Assignment.objects.filter(**paths).delete()
        for place in Place.objects.filter(path__startswith=root.path).order_by("-path"):
            place.delete()
        User.objects.filter(username__startswith="racetown-").delete()


def test_one_set_approved_by_two_is_approved_once(committed: GridCity) -> None:
    proposed = committed.proposed(*committed.shifted(0, 0, 0.1))
    results = at_once(
        *(
            lambda user=user: change_set_approve(proposed, committed.people[user], 2)
            for user in ("supervisor", "colleague", "above")
        )
    )
    assert len(losers(results)) == 2
    assert all(isinstance(loser, Conflict) for loser in losers(results))
    assert Review.objects.filter(change_set=proposed, action="approved").count() == 1
    assert invariants_broken(committed.city) == []


@pytest.mark.parametrize("attempt", range(4))
def test_sets_of_the_same_places_approved_at_once(committed: GridCity, attempt: int) -> None:
    first = committed.proposed(*committed.shifted(0, 0, 0.1), *committed.shifted(2, 0, 0.1))
    second = committed.proposed(*committed.shifted(1, 0, 0.2), user="colleague")
    results = at_once(
        lambda: change_set_approve(first, committed.people["supervisor"], 2),
        lambda: change_set_approve(second, committed.people["above"], 2),
    )
    assert [type(loser) for loser in losers(results)] == [StaleEdit]
    assert committed.base("q1-0").version in (2, 3)
    assert ChangeSet.objects.filter(place=committed.city, status="approved").count() == 1
    assert invariants_broken(committed.city) == []


@pytest.mark.parametrize("attempt", range(4))
def test_neighbouring_sets_that_take_the_same_ground_at_once(committed: GridCity, attempt: int) -> None:
    free = cells(1.5, 3, 1, 0.5)
    first = committed.proposed(committed.edit("q1-2", shapely.union(committed.shape("q1-2"), free)))
    second = committed.proposed(committed.edit("q2-2", shapely.union(committed.shape("q2-2"), free)), user="colleague")
    results = at_once(
        lambda: change_set_approve(first, committed.people["supervisor"], 2),
        lambda: change_set_approve(second, committed.people["above"], 2),
    )
    assert [type(loser) for loser in losers(results)] == [TopologyRefused]
    assert invariants_broken(committed.city) == []


def test_sets_far_apart_are_both_approved(committed: GridCity) -> None:
    first = committed.proposed(*committed.shifted(0, 0, 0.1))
    second = committed.proposed(*committed.shifted(2, 2, 0.1), user="colleague")
    results = at_once(
        lambda: change_set_approve(first, committed.people["supervisor"], 2),
        lambda: change_set_approve(second, committed.people["above"], 2),
    )
    assert losers(results) == []
    assert invariants_broken(committed.city) == []


def test_the_same_new_code_at_once_is_one_persons(committed: GridCity) -> None:
    splits = [(committed.split(i, j, "q-new"), user) for i, j, user in ((0, 0, "planner"), (2, 2, "colleague"))]
    results = at_once(*(lambda edits=edits, user=user: committed.save(*edits, user=user) for edits, user in splits))
    (loser,) = losers(results)
    assert isinstance(loser, Conflict)
    assert ChangeSet.objects.filter(place=committed.city).count() == 1
    assert invariants_broken(committed.city) == []


def test_one_draft_saved_twice_at_once_loses_nothing(committed: GridCity) -> None:
    change_set = committed.save(*committed.shifted(0, 0, 0.1)).change_set
    sets = [ChangeSet.objects.get(pk=change_set.pk) for _ in range(2)]
    edits = [committed.shifted(0, 0, 0.2), committed.shifted(0, 0, 0.3)]
    results = at_once(
        lambda: committed.save(*edits[0], change_set=sets[0], version=1),
        lambda: committed.save(*edits[1], user="colleague", change_set=sets[1], version=1),
    )
    (loser,) = losers(results)
    assert isinstance(loser, StaleEdit)
    assert set(loser.conflicts) == {"q0-0", "q1-0"}
    assert ChangeSet.objects.get(pk=change_set.pk).version == 2


def test_many_people_on_neighbouring_places(committed: GridCity) -> None:
    """Eight people save, propose and approve over and over; what they meet is told as conflicts, and all holds after."""
    users = []
    for number in range(8):
        user = User.objects.create_user(f"racetown-{number}")
        Assignment.objects.create(user=user, role="planner", place=committed.city)
        committed.people[f"n{number}"] = user
        users.append(f"n{number}")
    said: list[Any] = []

    def work(number: int) -> int:
        done = 0
        for turn in range(4):
            i, j = (number + turn) % 3, (number // 2 + turn) % 3
            try:
                by = 0.05 * (1 + (number + turn) % 5)
                proposed = committed.proposed(*committed.shifted(i, j, by), user=users[number])
                change_set_approve(proposed, committed.people[users[(number + 1) % 8]], 2)
                done += 1
            except MahallehError as error:
                said.append(error)
        return done

    results = at_once(*(lambda number=number: work(number) for number in range(8)))
    assert losers(results) == []
    assert sum(results) >= 4
    assert {error.status for error in said if error.code != "no_edits"} <= {409}, (
        "no edits: the edge lies there already"
    )
    assert ChangeSet.objects.filter(place=committed.city, status="approved").count() == sum(results)
    assert invariants_broken(committed.city) == []


def test_an_import_and_an_approval_at_once(committed: GridCity) -> None:
    proposed = committed.proposed(*committed.shifted(0, 0, 0.1))
    place = committed.place("q0-0")
    results = at_once(
        lambda: change_set_approve(proposed, committed.people["supervisor"], 2),
        lambda: boundary_approve(
            place=place, geometry_4326=cells(0, 0, 0.9), valid_from=today(), source="i", certainty="modelled"
        ),
    )
    assert all(isinstance(loser, Conflict) for loser in losers(results))
    assert Boundary.objects.filter(place=place).current().count() == 1


def test_a_deadlock_is_tried_again_and_then_said(committed: GridCity) -> None:
    """Two transactions lock two places crosswise; the database breaks one off, and its second try succeeds."""
    places = [committed.place(code) for code in ("q0-0", "q3-2")]
    both, tries = threading.Barrier(2), {0: 0, 1: 0}

    def crosswise(number: int) -> str:
        @in_one_transaction
        def write() -> str:
            tries[number] += 1
            order = places if number else places[::-1]
            Place.objects.select_for_update().get(pk=order[0].pk)
            if tries[number] == 1:
                both.wait(timeout=10)
            Place.objects.select_for_update().get(pk=order[1].pk)
            return "written"

        return write()

    assert at_once(lambda: crosswise(0), lambda: crosswise(1)) == ["written", "written"]
    assert sorted(tries.values()) == [1, 2]

    @in_one_transaction
    def unlucky() -> None:
        tries[0] += 1
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END $$")

    tries[0] = 0
    with pytest.raises(Conflict):
        unlucky()
    assert tries[0] == 2

    @in_one_transaction
    def broken() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END $$")

    with pytest.raises(OperationalError):
        broken()


def test_saving_takes_little_time_in_a_city_of_three_hundred(db: None) -> None:
    """The bound is many times what it takes, so that a busy machine does not fail it; reading the whole city would."""
    grid = grid_city(20, 15, "largetown")
    edits = [grid.shifted(9, 7, 0.1), grid.shifted(9, 7, 0.2)]
    began = timezone.now()
    saved = grid.save(*edits[0], people_of=people_by_area)
    grid.save(*edits[1], change_set=saved.change_set, version=1)
    assert timezone.now() - began < timedelta(seconds=2)
