"""Reads of partitions, editions, change sets and lineage, as one person may see them."""

from geo.selectors.change_sets import change_set_read, change_sets_read
from geo.selectors.histories import PlaceHistory, days_of_change, edition_as_of, history_read
from geo.selectors.invariants import invariants_broken
from geo.selectors.partitions import (
    EDITED_KINDS,
    CityShapes,
    codes_taken,
    drawn_editions,
    lasting_shapes,
    near_shapes,
    partition_read,
    partition_state,
    shapes_read,
)

__all__ = [
    "EDITED_KINDS",
    "CityShapes",
    "PlaceHistory",
    "change_set_read",
    "change_sets_read",
    "codes_taken",
    "days_of_change",
    "drawn_editions",
    "edition_as_of",
    "history_read",
    "invariants_broken",
    "lasting_shapes",
    "near_shapes",
    "partition_read",
    "partition_state",
    "shapes_read",
]
