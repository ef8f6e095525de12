"""Fields of roads as files have them."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.core.street_fields import roads_of_fields


@pytest.mark.parametrize(
    ("said", "way"),
    [("F", 1), ("T", -1), ("B", 0), ("yes", 1), ("-1", -1), ("1", 1), ("1.0", 1), ("no", 0), ("", 0), (None, 0), ("?", 0)],
)  # fmt: skip
def test_one_way(said: str | None, way: int) -> None:
    assert roads_of_fields({"oneway": [said]}, 1).oneway == [way]


@pytest.mark.parametrize("said", ["yes", "TRUE", "1", "true", " Yes ", "بله", "viaduct"])
def test_flags(said: str) -> None:
    roads = roads_of_fields({"bridge": [said, "no"], "tunnel": [said, None], "stairs": ["0", said]}, 2)
    assert (roads.is_bridge.tolist(), roads.is_tunnel.tolist(), roads.is_stairs.tolist()) == (
        [True, False], [True, False], [False, True],
    )  # fmt: skip


def test_numbers_that_are_none_are_not_known() -> None:
    roads = roads_of_fields({"speed": ["50", "fast", "0", "-3", "inf"], "level": ["1", "", "-1", "x", "nan"]}, 5)
    np.testing.assert_array_equal(roads.speed_kmh, [50, np.nan, np.nan, np.nan, np.nan])
    assert roads.level.tolist() == [1, 0, -1, 0, 0]


def test_without_fields_everything_is_open() -> None:
    roads = roads_of_fields({}, 2)
    assert roads.may_walk.all()
    assert not np.any([roads.is_stairs, roads.is_bridge, roads.oneway])
