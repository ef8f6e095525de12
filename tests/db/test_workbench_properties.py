"""Any sequence of splits, merges, moved edges, extensions and restorations, saved and decided, keeps what must hold of a city.

Hundreds of sequences, each in a transaction that is rolled back. After every decision and for every date in between: the
union is what it was unless more was meant, nothing lies open or double, every edition is valid, shares of lineage sum to 1,
and the city as of any date is exactly what had been approved for that date.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
import shapely
from django.contrib.auth.models import User
from django.contrib.gis.db.models.functions import IsValid
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.core.measuring import width_m
from geo.core.partition import SNAP_TOLERANCE_M, Partition, add, polygons_of
from geo.core.topology import findings
from geo.errors import MahallehError
from geo.models import Assignment, Boundary, ChangeSet, Descent, Place
from geo.querysets import system_user
from geo.selectors import invariants_broken, partition_read, shapes_read
from geo.services import (
    Edit,
    PlaceSpec,
    boundary_restore,
    change_set_approve,
    change_set_propose,
    change_set_return,
    change_set_save,
    change_set_withdraw,
    place_put,
    places_import,
    to_shapely,
)
from tests.db.grid_city import BEGAN, people_by_area
from tests.load.drawing import Intention, attempted, changed, intention
from tests.unit.geo.generated_city import SIZE, WEST, city

pytestmark = pytest.mark.django_db

Shapes = Mapping[str, shapely.Geometry]

EVERYTHING = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
ON_EDGE_DEG = 2e-7
"""Within this a vertex lies on an edge: the rounding of coordinates."""


@dataclass
class Town:
    """A generated city in the database, its people, and how often each sort of step was taken to its end."""

    city: Place
    planner: User
    supervisor: User
    partition: Partition
    outline: shapely.Geometry
    taken: Counter[str] = field(default_factory=Counter)


def town(n_places: int) -> Town:
    """Make a city, all its places at once."""
    partition = city(n_places, seed=7)
    country = place_put(PlaceSpec(kind="country", code="anyland", name_fa="ک", name_en="Anyland"))
    place = place_put(PlaceSpec(kind="city", code="anytown", name_fa="شهر", name_en="Anytown", parent=country))
    items = [
        (PlaceSpec(kind="neighbourhood", code=code, name_fa=f"محله {code}", name_en=code, parent=place), shape)
        for code, shape in polygons_of(partition).items()
    ]
    places_import(items, valid_from=BEGAN, source="import", certainty="modelled")
    people = [User.objects.create_user(f"any-{role}") for role in ("planner", "supervisor")]
    for user in people:
        Assignment.objects.create(user=user, role=user.username.removeprefix("any-"), place=place)
    stored = partition_read(place, system_user())[0]
    return Town(place, people[0], people[1], stored, shapely.union_all(list(stored.polygons.values())))


@pytest.fixture
def large() -> Iterator[Town]:
    return town(300)


@pytest.fixture
def small() -> Iterator[Town]:
    return town(30)


def step(*kinds: str, fates: tuple[str, ...] = ("approved", "approved", "returned first", "withdrawn")) -> Any:
    """What is done, what is decided, what is drawn, and how many days after the step before; 0 is the same day."""
    return st.tuples(st.sampled_from(kinds), st.sampled_from(fates), st.integers(0, 2**32), st.integers(0, 40))


BEGINNING = step("edit", "edit", "extend", fates=("approved", "returned first"))
STEP = step("edit", "edit", "edit", "extend", "restore", "restore")


@settings(EVERYTHING, max_examples=100)
@given(steps=st.tuples(BEGINNING, STEP) | st.tuples(BEGINNING, STEP, STEP), asked=st.integers(0, 2))
def short_sequences(large: Town, steps: tuple[Any, ...], asked: int) -> None:
    with transaction.atomic():
        walked(large, steps, {asked})
        transaction.set_rollback(True)


@settings(EVERYTHING, max_examples=60)
@given(steps=st.lists(STEP, min_size=3, max_size=8))
def long_sequences(small: Town, steps: list[Any]) -> None:
    with transaction.atomic():
        walked(small, steps, set(range(len(steps) + 1)))
        transaction.set_rollback(True)


def test_short_sequences_in_a_city_of_300(large: Town) -> None:
    short_sequences(large)
    assert min(large.taken[kind] for kind in ("move", "split", "merge", "extend", "restore")) >= 4, large.taken


def test_long_sequences_in_a_city_of_30(small: Town) -> None:
    long_sequences(small)
    assert min(small.taken[kind] for kind in ("move", "split", "merge", "extend", "restore")) >= 6, small.taken


@dataclass
class Walk:
    """Where a sequence stands: the city as it is drawn on, what was approved for each date, and what it should cover."""

    town: Town
    partition: Partition
    expected: dict[date, dict[str, shapely.Geometry]]
    outline: shapely.Geometry
    day: date = BEGAN
    approved: list[ChangeSet] = field(default_factory=list)

    @property
    def now(self) -> dict[str, shapely.Geometry]:
        return self.expected[max(self.expected)]


def walked(made: Town, steps: Sequence[Any], asked: set[int]) -> None:
    """Take the steps, checking the city after each, and then the dates asked for by their position."""
    walk = Walk(made, made.partition, {BEGAN: dict(made.partition.polygons)}, made.outline)
    outlines = {BEGAN: made.outline}
    for number, step in enumerate(steps):
        if taken(walk, number, step):
            outlines[walk.day] = walk.outline
            walk.partition = tiling_checked(walk, walk.day, outlines[walk.day])
        else:
            as_stored(shapes_read(made.city, system_user(), as_of=walk.day).neighbourhoods, walk.now)
    days = sorted(walk.expected)
    for day in [day for index, day in enumerate(days) if index in asked]:
        if day != walk.day:  # that one has just been looked at
            tiling_checked(walk, day, outlines[day])
        # The last day before the next change, and every day after the last, are as the day of the change.
        after = days[days.index(day) + 1] - timedelta(days=1) if day != days[-1] else day + timedelta(days=9_999)
        as_stored(shapes_read(made.city, system_user(), as_of=after).neighbourhoods, walk.expected[day])
    assert not shapes_read(made.city, system_user(), as_of=BEGAN - timedelta(days=1)).neighbourhoods
    editions = Boundary.objects.filter(place__path__startswith=made.city.path + "/")
    assert not editions.exclude(IsValid("geometry")).exists()
    shares = Descent.objects.filter(change_set__place=made.city).order_by().values("change_set", "predecessor")
    for row in shares.annotate(land=Sum("share_of_predecessor"), people=Sum("share_of_people")):
        assert row["land"] == pytest.approx(1, abs=1e-9)
        assert row["people"] == pytest.approx(1, abs=1e-6)
    assert invariants_broken(made.city, days=[]) == []


def tiling_checked(walk: Walk, day: date, outline: shapely.Geometry) -> Partition:
    """The city as of a day is what was approved for it, and tiles what it should."""
    partition, _, editions = partition_read(walk.town.city, system_user(), as_of=day)
    expected = walk.expected[day]
    as_stored({code: to_shapely(edition.geometry) for code, edition in editions.items()}, expected)
    tiles = partition.polygons
    assert tiles.keys() == expected.keys()
    for code, shape in tiles.items():
        # The same but for vertices that neighbours have on its straight edges.
        if not same(shape, expected[code]):
            assert shapely.hausdorff_distance(shape.boundary, expected[code].boundary) < ON_EDGE_DEG
    assert findings(tiles, outline=outline) == []
    beyond = shapely.difference(shapely.union_all(list(tiles.values())), outline)
    parts = shapely.get_parts(beyond)
    parts = parts[shapely.get_type_id(parts) == 3]
    assert not len(parts) or width_m(parts).max() < SNAP_TOLERANCE_M
    return partition


def same(a: shapely.Geometry, b: shapely.Geometry) -> bool:
    """Compare every coordinate, up to where rings start and which way they turn."""
    return bool(shapely.equals_exact(shapely.normalize(a), shapely.normalize(b), 0))


def as_stored(found: Shapes, expected: Shapes) -> None:
    assert found.keys() == expected.keys()
    assert [code for code in found if not same(found[code], expected[code])] == []


# ---------------------------------------------------------------- steps


def taken(walk: Walk, number: int, step: Any) -> bool:
    """Take one step and tell whether the city is another; where what is there does not allow it, it must be the same."""
    what, fate, seed, days = step
    day = walk.day + timedelta(days=days)
    rng = random.Random(seed)
    try:
        with transaction.atomic():
            kind, outline, change_set = saved(walk, number, what, rng, day)
            decided(walk, change_set, fate)
    except MahallehError as error:
        if error.status not in (400, 409):
            raise
        return False
    except Nothing:
        return False
    if fate == "withdrawn":
        return False
    now = dict(walk.now)
    for change in change_set.changes.select_related("place", "boundary"):
        if change.boundary is None:
            del now[change.place.code]
        else:
            now[change.place.code] = to_shapely(change.boundary.geometry)
    walk.day = day
    walk.expected[day] = now
    walk.outline = outline
    walk.approved.append(change_set)
    walk.town.taken[kind] += 1
    return True


class Nothing(Exception):
    """There is nothing here that such a step could be taken with."""


def saved(walk: Walk, number: int, what: str, rng: random.Random, day: date) -> tuple[str, shapely.Geometry, ChangeSet]:
    """Save a step as a draft; return its kind, what the city should cover then, and the change set."""
    if what == "restore":
        return "restore", *restored(walk, rng, day)
    before = walk.partition
    if what == "extend":
        meant, after = None, extended(before, rng, f"x{number}")
        kind, outline = "extend", shapely.union_all(list(after.polygons.values()))
    else:
        meant = intention(before, some_around(before, rng), rng, f"s{number}")
        drawn = attempted(before, meant) if meant else None
        if meant is None or drawn is None:
            raise Nothing
        kind, after, outline = meant.kind, drawn, walk.outline
    if kind == "move" and not touches_inside_alone(before, after):
        outline = shapely.union_all(list(after.polygons.values()))  # a corner of the rim was moved, and so meant
    edits = [edit_of(walk, code, after.polygons.get(code), meant) for code in changed(before, after)]
    done = change_set_save(
        city=walk.town.city, user=walk.town.planner, edits=edits, valid_from=day, people_of=people_by_area
    )
    for change in done.change_set.changes.select_related("place", "boundary"):
        if change.boundary is not None:
            drawn_as = after.polygons[change.place.code]
            assert shapely.hausdorff_distance(to_shapely(change.boundary.geometry), drawn_as) < ON_EDGE_DEG
    return kind, outline, done.change_set


def decided(walk: Walk, change_set: ChangeSet, fate: str) -> None:
    """Propose a change set, and approve it, approve it at the second time, or withdraw it."""
    made = walk.town
    if fate == "withdrawn":
        change_set_withdraw(change_set, made.planner, change_set.version)
        return
    change_set = change_set_propose(change_set, made.planner, change_set.version)
    if fate == "returned first":
        change_set = change_set_return(change_set, made.supervisor, change_set.version, "why?")
        change_set = change_set_propose(change_set, made.planner, change_set.version)
    change_set_approve(change_set, made.supervisor, change_set.version)


def edit_of(walk: Walk, code: str, shape: shapely.Geometry | None, meant: Intention | None) -> Edit:
    place = Place.objects.within(walk.town.city).filter(code=code).first()
    base = Boundary.objects.lasting().filter(place=place).first() if place else None
    froms = meant.from_codes(code) if meant else ()
    if base is not None:
        return Edit(code=code, base_edition_id=base.pk, geometry=shape, from_codes=froms)
    return Edit(
        code=code,
        base_edition_id=None,
        geometry=shape,
        name_fa="نو",
        name_en="New",
        source="survey",
        from_codes=froms,
        is_revival=place is not None,
    )


def some_around(partition: Partition, rng: random.Random) -> list[str]:
    """Return a place and those it shares an edge with."""
    code = rng.choice(sorted(partition.faces))
    return sorted({code, *(user for users in partition.users if code in users for user in users)})


def extended(partition: Partition, rng: random.Random, code: str) -> Partition:
    """Add a place beside the city, west of it: what the city covers becomes more, as is meant."""
    ys = sorted(rng.uniform(33.46, 33.54) for _ in range(2))
    if ys[1] - ys[0] < 1e-3:
        raise Nothing
    return add(partition, code, shapely.box(WEST - rng.uniform(0.01, 0.05) * SIZE, ys[0], WEST + 0.002, ys[1]))


def touches_inside_alone(before: Partition, after: Partition) -> bool:
    """Tell whether the rim is the same in both."""
    rims = [
        np.sort([shapely.length(shapely.LineString(a)) for a, u in zip(p.arcs, p.users, strict=True) if len(u) == 1])
        for p in (before, after)
    ]
    return len(rims[0]) == len(rims[1]) and bool(np.array_equal(*rims))


def restored(walk: Walk, rng: random.Random, day: date) -> tuple[shapely.Geometry, ChangeSet]:
    """Draft the editions before an earlier change set again: all of its places, so that they fit."""
    made = walk.town
    if not walk.approved:
        raise Nothing
    earlier = rng.choice(walk.approved)
    changes = list(earlier.changes.select_related("place", "base", "boundary"))
    first = next((change for change in changes if change.base is not None), None)
    if first is None:
        raise Nothing
    draft = boundary_restore(first.base, made.planner, people_of=people_by_area).change_set
    edits = [
        edit_of(walk, c.place.code, to_shapely(c.base.geometry) if c.base else None, None)
        for c in changes
        if c.base is not None or c.boundary is not None
    ]
    again = change_set_save(
        city=made.city, user=made.planner, edits=edits, valid_from=day, change_set=draft, version=draft.version,
        people_of=people_by_area, is_restored=True,
    )  # fmt: skip
    for change in again.change_set.changes.select_related("place", "boundary"):
        if change.boundary is not None:
            old = next(c.base for c in changes if c.place_id == change.place_id)
            assert same(to_shapely(change.boundary.geometry), to_shapely(old.geometry)), "restored to the last decimal"
    return walk.outline, again.change_set
