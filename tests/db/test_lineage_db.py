"""Lineage as stored: splits, merges, reshapes and restorations, with shares of land and of people, for any reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.core.measuring import area_m2
from geo.core.partition import polygons_of
from geo.core.topology import findings
from geo.errors import Conflict, Forbidden, InvalidInput, MahallehError, NotFound
from geo.models import Assignment, Boundary, Change, ChangeSet, Descent, Place
from geo.querysets import system_user
from geo.selectors import (
    change_sets_read,
    codes_taken,
    history_read,
    invariants_broken,
    partition_read,
    shapes_read,
)
from geo.services import (
    CodeTaken,
    Saved,
    boundary_restore,
    change_set_approve,
    change_set_propose,
    change_set_restore,
    change_set_withdraw,
    to_shapely,
)
from tests.db.grid_city import BEGAN, GridCity, cells, code_of, corner, grid_city, people_by_area, today

pytestmark = pytest.mark.django_db

NOBODY = AnonymousUser()


@pytest.fixture
def grid() -> GridCity:
    return grid_city()


def rows_of(change_set: ChangeSet) -> dict[tuple[str, str], Descent]:
    found = change_set.descents.select_related("predecessor", "successor")
    return {(row.predecessor.code, row.successor.code if row.successor else ""): row for row in found}


def people_in_the_west(geometries: Any) -> Any:
    """A hundred people a hectare west of the middle of the first column, none east of it."""
    west = shapely.box(48, 33, corner(0.25, 0)[0], 34)
    return area_m2(shapely.intersection(np.asarray(geometries, dtype=object), west)) / 100


# ---------------------------------------------------------------- split


def test_a_split_makes_a_place_that_shows_when_approved(grid: GridCity) -> None:
    saved = grid.save(*grid.split(0, 0, "q0-0b"), people_of=people_by_area)
    new = Place.objects.get(code="q0-0b")
    assert (new.is_published, new.parent, new.kind) == (False, grid.city, "neighbourhood")
    assert not Place.objects.visible_to(NOBODY).filter(pk=new.pk).exists()
    rows = rows_of(saved.change_set)
    assert {pair: (row.kind, round(row.share_of_predecessor, 3)) for pair, row in rows.items()} == {
        ("q0-0", "q0-0"): ("split", 0.5),
        ("q0-0", "q0-0b"): ("split", 0.5),
    }
    assert rows["q0-0", "q0-0b"].share_of_successor == pytest.approx(1)
    assert rows["q0-0", "q0-0b"].share_of_people == pytest.approx(0.5)
    proposed = change_set_propose(saved.change_set, grid.people["planner"], 1)
    assert not Place.objects.visible_to(NOBODY).filter(pk=new.pk).exists()
    change_set_approve(proposed, grid.people["supervisor"], 2)
    new.refresh_from_db()
    assert new.is_published
    assert set(shapes_read(grid.city, NOBODY).neighbourhoods) >= {"q0-0", "q0-0b"}
    history = history_read(new, NOBODY)
    assert [(d.predecessor.code, d.kind) for d in history.came_from] == [("q0-0", "split")]
    assert [d.successor.code for d in history_read(grid.place("q0-0"), NOBODY).became] == ["q0-0b"]
    assert invariants_broken(grid.city) == []


def test_people_are_shared_by_where_they_live(grid: GridCity) -> None:
    saved = grid.save(*grid.split(0, 0, "q0-0b"), people_of=people_in_the_west)
    rows = rows_of(saved.change_set)
    assert rows["q0-0", "q0-0"].share_of_people == pytest.approx(1)
    assert rows["q0-0", "q0-0b"].share_of_people == pytest.approx(0)
    change = saved.change_set.changes.get(place__code="q0-0")
    assert change.lost_m2 > 4000
    assert change.people_lost == pytest.approx(0)


def test_without_anybody_who_counts_people_are_left_unsaid(grid: GridCity) -> None:
    saved = grid.save(*grid.split(0, 0, "q0-0b"))
    assert {row.share_of_people for row in rows_of(saved.change_set).values()} == {None}
    assert set(saved.change_set.changes.values_list("people_gained", "people_lost")) == {(None, None)}


def test_a_split_of_a_hidden_place_stays_hidden(grid: GridCity) -> None:
    Place.objects.filter(code="q0-0").update(is_published=False)
    grid.approved(*grid.split(0, 0, "q0-0b"))
    assert not Place.objects.get(code="q0-0b").is_published


def test_a_split_inherits_what_is_invented_and_where_it_lies(grid: GridCity) -> None:
    Place.objects.filter(code="q0-0").update(is_illustrative=True, zone="urban")
    grid.save(*grid.split(0, 0, "q0-0b"))
    new = Place.objects.get(code="q0-0b")
    assert (new.is_illustrative, new.zone) == (True, "urban")
    assert (new.boundaries.get().source, new.boundaries.get().certainty) == ("survey", "modelled")


def test_roles_in_the_place_hold_in_its_parts(grid: GridCity) -> None:
    grid.approved(*grid.split(0, 0, "q0-0b"))
    given_roles = Assignment.objects.filter(place__code="q0-0b").values_list("user__username", "role")
    assert list(given_roles) == [("gridtown-local", "planner")]


def test_a_settlement_is_split_by_itself(grid: GridCity) -> None:
    edits = [grid.edit("s1", cells(0.6, 0.6, 0.4, 0.8)), grid.edit("s2", cells(1, 0.6, 0.4, 0.8), from_codes=("s1",))]
    saved = grid.save(*edits, grid.edit("s3", cells(0.7, 0.7, 0.2, 0.2), kind="settlement"))
    assert Place.objects.get(code="s2").kind == "settlement"
    assert set(rows_of(saved.change_set)) == {("s1", "s1"), ("s1", "s2")}, "s3 lies over s1 and comes from nowhere"


# ---------------------------------------------------------------- merge


def test_a_merge_ends_a_place(grid: GridCity) -> None:
    approved = grid.approved(*grid.merge(0, 0), people_of=people_by_area)
    rows = rows_of(approved)
    assert {pair: (row.kind, round(row.share_of_successor, 2)) for pair, row in rows.items()} == {
        ("q0-0", "q0-0"): ("merge", 0.5),
        ("q1-0", "q0-0"): ("merge", 0.5),
    }
    assert {round(row.share_of_predecessor, 6) for row in rows.values()} == {1.0}
    gone = grid.place("q1-0")
    assert grid.base("q1-0") is None
    assert gone.is_published, "what it was can still be looked up"
    assert gone.boundaries.get().valid.upper == today()
    assert "q1-0" not in shapes_read(grid.city, NOBODY).neighbourhoods
    assert "q1-0" in shapes_read(grid.city, NOBODY, as_of=today() - timedelta(days=1)).neighbourhoods
    assert [d.successor.code for d in history_read(gone, NOBODY).became] == ["q0-0"]
    change = approved.changes.get(place=gone)
    assert (change.kind, change.gained_m2, change.boundary) == ("ends", 0, None)
    assert change.lost_m2 == pytest.approx(change.people_lost * 100)
    assert invariants_broken(grid.city) == []


def test_a_place_merged_away_and_made_again_is_the_same_place(grid: GridCity) -> None:
    number = grid.place("q1-0").pk
    grid.approved(*grid.merge(0, 0), valid_from=BEGAN + timedelta(days=30))
    back = [grid.edit("q0-0", cells(0, 0)), grid.edit("q1-0", cells(1, 0), from_codes=("q0-0",), is_revival=True)]
    grid.approved(*back, user="colleague")
    assert grid.place("q1-0").pk == number
    assert [e.version for e in history_read(grid.place("q1-0"), NOBODY).editions] == [2, 1]
    assert invariants_broken(grid.city) == []


# ---------------------------------------------------------------- reshape, names


def test_a_reshape_says_what_went_where(grid: GridCity) -> None:
    rows = rows_of(grid.approved(*grid.shifted(0, 0, 0.2)))
    assert {row.kind for row in rows.values()} == {"reshape"}
    assert rows["q1-0", "q0-0"].share_of_predecessor == pytest.approx(0.1, rel=0.01)
    assert rows["q1-0", "q0-0"].share_of_predecessor + rows["q1-0", "q1-0"].share_of_predecessor == pytest.approx(1)


def test_ground_that_goes_to_nobody_is_said(grid: GridCity) -> None:
    edits = [grid.edit("q0-0", cells(0.5, 0, 0.5)), *grid.shifted(2, 2, 0.1)]
    rows = rows_of(grid.save(*edits).change_set)
    assert rows["q0-0", ""].share_of_predecessor == pytest.approx(0.5)
    assert rows["q0-0", ""].successor is None


def test_a_new_name_waits_for_the_approval(grid: GridCity) -> None:
    edit = grid.edit("q0-0", grid.shape("q0-0"), name_fa="نام نو", name_en="New name")
    proposed = grid.proposed(edit)
    assert grid.place("q0-0").name_en == "Q 0 0"
    change_set_approve(proposed, grid.people["supervisor"], 2)
    place = grid.place("q0-0")
    assert (place.name_fa, place.name_en) == ("نام نو", "New name")
    assert Place.objects.matching("New name").filter(pk=place.pk).exists()


def test_a_new_place_takes_its_name_at_once(grid: GridCity) -> None:
    saved = grid.save(*grid.split(0, 0, "q0-0b"))
    west, east = grid.split(0, 0, "q0-0b")
    grid.save(west, replace(east, name_en="Second"), change_set=saved.change_set, version=1)
    assert Place.objects.get(code="q0-0b").name_en == "Second"


# ---------------------------------------------------------------- restore


def test_an_old_edition_comes_back_as_a_new_draft(grid: GridCity) -> None:
    old = grid.base("q0-0")
    both = [grid.base("q0-0"), grid.base("q1-0")]
    grid.approved(*grid.shifted(0, 0, 0.2), valid_from=BEGAN + timedelta(days=30))
    saved = boundary_restore(old, grid.people["planner"], people_of=people_by_area)
    edition = saved.change_set.changes.get().boundary
    assert (edition.version, edition.status, edition.source) == (3, "draft", "import")
    assert to_shapely(edition.geometry).equals_exact(to_shapely(old.geometry), 0)
    assert [r.action for r in saved.change_set.reviews.all()] == ["restored"]
    assert {f["kind"] for f in saved.findings if f["is_new"]} == {"gap"}, "the neighbour has moved since"
    assert grid.base("q0-0").version == 2
    edits = [grid.edit(e.place.code, to_shapely(e.geometry)) for e in both]
    again = grid.save(*edits, change_set=saved.change_set, version=1)
    proposed = change_set_propose(again.change_set, grid.people["planner"], 2)
    change_set_approve(proposed, grid.people["supervisor"], 3)
    assert to_shapely(grid.base("q0-0").geometry).equals_exact(to_shapely(old.geometry), 0)
    assert old.pk != grid.base("q0-0").pk
    assert invariants_broken(grid.city) == []


def test_restoring_asks_for_the_same_rights(grid: GridCity) -> None:
    old = grid.base("q0-0")
    grid.approved(*grid.shifted(0, 0, 0.2))
    for user in ("viewer", "supervisor", "neighbour"):
        with pytest.raises(Forbidden):
            boundary_restore(old, grid.people[user])
    draft = Boundary.objects.get(pk=grid.save(*grid.shifted(2, 2, 0.1)).change_set.changes.first().boundary_id)
    with pytest.raises(NotFound):
        boundary_restore(draft, grid.people["local"])
    with pytest.raises(InvalidInput):
        boundary_restore(grid.base("q0-0"), grid.people["planner"])
    with pytest.raises(NotFound):
        boundary_restore(Boundary(pk=2**40, place=grid.city), grid.people["planner"])


def test_an_ended_place_is_restored(grid: GridCity) -> None:
    old = grid.base("s1")
    grid.approved(grid.edit("s1", None))
    assert grid.base("s1") is None
    saved = boundary_restore(old, grid.people["planner"])
    proposed = change_set_propose(saved.change_set, grid.people["planner"], 1)
    change_set_approve(proposed, grid.people["supervisor"], 2)
    assert grid.base("s1").version == 2
    assert invariants_broken(grid.city) == []


# ---------------------------------------------------------------- undoing a change set


def undone(grid: GridCity, change_set: ChangeSet, user: str = "planner", **more: Any) -> Saved:
    return change_set_restore(change_set, grid.people[user], people_of=people_by_area, **more)


def decided(grid: GridCity, saved: Saved) -> ChangeSet:
    proposed = change_set_propose(saved.change_set, grid.people["planner"], saved.change_set.version)
    return change_set_approve(proposed, grid.people["supervisor"], proposed.version)


def drawn_now(grid: GridCity) -> dict[str, Any]:
    found = shapes_read(grid.city, system_user())
    return {**found.neighbourhoods, **found.settlements}


def same_shapes(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(one[code].equals_exact(other[code], 0) for code in one)


def test_a_split_undone_ends_the_new_place(grid: GridCity) -> None:
    before = drawn_now(grid)
    approved = grid.approved(*grid.split(0, 0, "q0-0b"))
    saved = undone(grid, approved, comment="it was one place")
    assert (saved.overtaken, saved.change_set.status) == ((), "draft")
    assert [(r.action, r.comment) for r in saved.change_set.reviews.all()] == [("restored", "it was one place")]
    assert "q0-0b" in drawn_now(grid), "a draft changes nothing"
    rows = rows_of(decided(grid, saved))
    assert {pair: (row.kind, round(row.share_of_predecessor, 6)) for pair, row in rows.items()} == {
        ("q0-0", "q0-0"): ("merge", 1.0),
        ("q0-0b", "q0-0"): ("merge", 1.0),
    }
    assert rows["q0-0b", "q0-0"].share_of_people == pytest.approx(1)
    assert same_shapes(drawn_now(grid), before)
    assert invariants_broken(grid.city) == []


def test_a_merge_undone_revives_the_place(grid: GridCity) -> None:
    before, number = drawn_now(grid), grid.place("q1-0").pk
    approved = grid.approved(*grid.merge(0, 0))
    rows = rows_of(decided(grid, undone(grid, approved)))
    assert {pair: (row.kind, round(row.share_of_predecessor, 2)) for pair, row in rows.items()} == {
        ("q0-0", "q0-0"): ("split", 0.5),
        ("q0-0", "q1-0"): ("split", 0.5),
    }
    assert same_shapes(drawn_now(grid), before)
    assert (grid.place("q1-0").pk, grid.place("q1-0").is_published) == (number, True)
    assert "q1-0" in shapes_read(grid.city, NOBODY).neighbourhoods
    assert invariants_broken(grid.city) == []


def test_a_merge_of_settlements_undone_says_where_their_land_comes_from(grid: GridCity) -> None:
    grid.approved(grid.edit("s2", cells(1.2, 0.6, 0.8, 0.8), kind="settlement"))
    before = drawn_now(grid)
    both = shapely.union(grid.shape("s1"), grid.shape("s2"))
    approved = grid.approved(grid.edit("s1", both, from_codes=("s2",)), grid.edit("s2", None))
    rows = rows_of(decided(grid, undone(grid, approved)))
    assert set(rows) == {("s1", "s1"), ("s1", "s2")}
    assert sum(row.share_of_predecessor for row in rows.values()) == pytest.approx(1)
    assert same_shapes(drawn_now(grid), before)


def test_what_was_changed_again_since_is_named(grid: GridCity) -> None:
    first = grid.approved(*grid.shifted(0, 0, 0.2), valid_from=BEGAN + timedelta(days=30))
    grid.approved(*grid.shifted(1, 0, 0.1), user="colleague", valid_from=BEGAN + timedelta(days=60))
    saved = undone(grid, first)
    assert saved.overtaken == ("q1-0",)
    assert any(f["is_new"] for f in saved.findings), "the third place has moved since"
    day = BEGAN + timedelta(days=90)
    assert undone(grid, first, valid_from=day, title="Back").change_set.valid_from == day


def test_an_undoing_can_be_undone_and_once_undone_nothing_is_left(grid: GridCity) -> None:
    approved = grid.approved(*grid.split(0, 0, "q0-0b"))
    after = drawn_now(grid)
    back = decided(grid, undone(grid, approved))
    with pytest.raises(InvalidInput) as caught:
        undone(grid, approved)
    assert caught.value.code == "nothing_to_undo"
    decided(grid, undone(grid, back))
    assert same_shapes(drawn_now(grid), after)
    assert invariants_broken(grid.city) == []


def test_only_what_was_approved_is_undone_and_by_whom_it_may_be_edited(grid: GridCity) -> None:
    draft = grid.save(*grid.shifted(2, 2, 0.1)).change_set
    with pytest.raises(Conflict) as caught:
        undone(grid, draft)
    assert caught.value.code == "not_approved"
    approved = grid.approved(*grid.shifted(0, 0, 0.2))
    for user in ("viewer", "supervisor", "local", "neighbour"):
        with pytest.raises((Forbidden, NotFound)):
            undone(grid, approved, user)
    with pytest.raises(NotFound):
        change_set_restore(ChangeSet(pk=2**40, place=grid.city), grid.people["planner"])
    assert ChangeSet.objects.filter(place=grid.city).count() == 2


# ---------------------------------------------------------------- codes


def test_the_code_of_an_ended_place_makes_no_new_place(grid: GridCity) -> None:
    grid.approved(*grid.merge(0, 0))
    with pytest.raises(CodeTaken) as caught:
        grid.save(*grid.split(2, 2, "q1-0"))
    assert (caught.value.status, caught.value.free_code) == (409, "q1-0-2")
    assert caught.value.members()["free_code"] == "q1-0-2"
    assert "q1-0-2" in caught.value.remedy
    assert not Place.objects.within(grid.city).filter(code="q1-0-2").exists()
    assert grid.save(*grid.split(2, 2, caught.value.free_code)).change_set.version == 1


def test_codes_in_drafts_of_others_and_given_up_ones_are_taken_too(grid: GridCity) -> None:
    saved = grid.save(*grid.split(0, 0, "q-new"))
    assert {"q-new", "s1", "q3-2"} <= set(codes_taken(grid.city))
    change_set_withdraw(saved.change_set, grid.people["planner"], 1)
    assert "q-new" in codes_taken(grid.city)
    with pytest.raises(CodeTaken):
        grid.save(*grid.split(2, 2, "q-new"), user="colleague")


def test_a_place_that_somebody_draws_is_not_revived(grid: GridCity) -> None:
    grid.save(*grid.split(0, 0, "q-new"))
    west, east = grid.split(2, 2, "q-new")
    with pytest.raises(Conflict, match="somebody else is drawing"):
        grid.save(west, replace(east, is_revival=True), user="colleague")


def test_change_sets_come_newest_first(grid: GridCity) -> None:
    made = [grid.save(*grid.shifted(i, j, 0.1)).change_set.pk for i, j in ((2, 2), (0, 0), (0, 1))]
    old = ChangeSet.objects.get(pk=made[2])
    ChangeSet.objects.filter(pk=old.pk).update(created_at=old.created_at - timedelta(days=3))
    read = change_sets_read(grid.city, grid.people["planner"])
    assert [each.pk for each in read] == [made[1], made[0], made[2]]
    assert [each.n_places for each in read] == [2, 2, 2]


# ---------------------------------------------------------------- any sequence


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["shift", "split", "merge", "restore", "withdraw"]),
        st.integers(0, 3),
        st.integers(0, 2),
        st.floats(-0.3, 0.3).filter(lambda x: abs(x) > 0.02),
    ),
    min_size=3,
    max_size=7,
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_whatever_is_done_the_city_stays_tiled_and_every_day_comes_back(steps: list[Any]) -> None:
    with transaction.atomic():
        walked(steps)
        transaction.set_rollback(True)


def walked(steps: list[Any]) -> None:
    grid = grid_city(4, 3, "walktown")
    whole = cells(0, 0, 4, 3)
    written = {}
    for number, step in enumerate(steps):
        day = BEGAN + timedelta(days=10 * (number + 1))
        try:
            done(grid, step, number, day)
        except MahallehError as error:
            # a step may not be possible where earlier ones have been, and says so
            if error.status not in (400, 409):
                raise
        tiles = shapes_read(grid.city, system_user(), as_of=day).neighbourhoods
        written[day] = tiles
        assert findings(tiles, outline=whole) == []
        assert area_m2(list(tiles.values())).sum() == pytest.approx(float(area_m2(whole)[0]), rel=1e-6)
    for day, tiles in written.items():
        back = polygons_of(partition_read(grid.city, NOBODY, as_of=day)[0])
        assert set(back) == set(tiles)
        assert all(shapely.hausdorff_distance(back[code], tiles[code]) < 1e-6 for code in tiles)
    shares = Descent.objects.filter(change_set__place=grid.city).values("change_set", "predecessor")
    for row in shares.order_by().annotate(total=Sum("share_of_predecessor")):
        assert row["total"] == pytest.approx(1, abs=1e-9)
    assert invariants_broken(grid.city) == []


def done(grid: GridCity, step: Any, number: int, day: Any) -> None:
    """Take one step with whatever places are there."""
    what, i, j, by = step
    shapes = shapes_read(grid.city, system_user(), as_of=day).neighbourhoods
    codes = sorted(shapes)
    code = codes[(i * 3 + j) % len(codes)]
    shape = shapes[code]
    neighbours = [c for c in codes if c != code and shapely.intersection(shape, shapes[c]).length > 1e-4]
    other = neighbours[number % len(neighbours)]
    if what == "split":
        west, south, east, north = shape.bounds
        middle = (west + east) / 2 + by * (east - west)
        left, right = (
            shapely.intersection(shape, shapely.box(*box))
            for box in ((west, south, middle, north), (middle, south, east, north))
        )
        edits = [grid.edit(code, left), grid.edit(f"w{number}", right, from_codes=(code,))]
    elif what == "merge":
        edits = [
            grid.edit(code, shapely.union(shape, shapes[other]), from_codes=(other,)),
            grid.edit(other, None),
        ]
    elif what == "restore":
        old = Boundary.objects.filter(place__code=code, place__parent=grid.city).order_by("version").first()
        saved = boundary_restore(old, grid.people["planner"])
        proposed = change_set_propose(saved.change_set, grid.people["planner"], 1)
        change_set_approve(proposed, grid.people["supervisor"], 2)
        return
    else:
        shared = shapely.line_merge(shapely.intersection(shape, shapes[other]))
        bulge = shapely.intersection(shared.interpolate(0.5, normalized=True).buffer(abs(by) / 4000), shapes[other])
        edits = [
            grid.edit(code, shapely.union(shape, bulge)),
            grid.edit(other, shapely.difference(shapes[other], bulge)),
        ]
    if what == "withdraw":
        grid.save(*edits)
    else:
        grid.approved(*edits, valid_from=day, user=("planner", "colleague")[number % 2])


def test_codes_of_the_grid_are_what_the_tests_say(grid: GridCity) -> None:
    assert set(shapes_read(grid.city, NOBODY).neighbourhoods) == {code_of(i, j) for i in range(4) for j in range(3)}
    assert not Change.objects.filter(change_set__place=grid.city).exists()
