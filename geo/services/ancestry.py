"""What a change set gives and takes: differences of each place, and which place comes from which."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geo.core.lineage import People, difference, lineage
from geo.models import Descent, Place
from geo.services.edits import Edit

PeopleOf = People
"""Gives the people inside each of some geometries in EPSG:4326; this app does not know any."""


@dataclass(frozen=True, slots=True)
class DescentRow:
    """One line of lineage, by codes; the successor is empty where ground goes to nobody."""

    kind: str
    predecessor: str
    successor: str
    share_of_predecessor: float
    share_of_successor: float
    share_of_people: float | None


@dataclass(frozen=True, slots=True)
class Ancestry:
    """What follows from a change set.

    Attributes
    ----------
    differences : mapping of str to dict
        By code: ``gained_m2, lost_m2, people_gained, people_lost``; people are None where nobody counts them.
    descents : tuple of DescentRow
        Lineage. A place that only gives or takes ground from nobody has none.
    """

    differences: Mapping[str, dict[str, float | None]]
    descents: tuple[DescentRow, ...]


def ancestry_of(
    edits: Sequence[Edit],
    before: Mapping[str, shapely.Geometry],
    kinds: Mapping[str, str],
    people_of: PeopleOf | None,
) -> Ancestry:
    """Compare what edits make with what they are based on.

    Parameters
    ----------
    edits : sequence of Edit
        As they are stored.
    before : mapping of str to Geometry
        The editions in force by code, in EPSG:4326; new places have none.
    kinds : mapping of str to str
        Kind of each place.
    people_of : callable, optional
        Counts people.
    """
    after = {edit.code: edit.geometry for edit in edits if edit.geometry is not None}
    new, ended = set(after) - set(before), set(before) - set(after)
    descents: list[DescentRow] = []
    for codes in _groups(edits, kinds):
        old = {code: before[code] for code in sorted(codes & set(before))}
        heirs = {code: after[code] for code in sorted(codes & set(after))}
        if len(old.keys() | heirs.keys()) < 2:
            continue  # a place that grows or shrinks by itself comes from itself alone
        rows = lineage(old, heirs, people=people_of)
        descents += [
            DescentRow(
                kind=_kind(row.predecessor, row.successor, rows, new, ended),
                predecessor=row.predecessor,
                successor=row.successor,
                share_of_predecessor=min(max(row.share_of_predecessor_area, 0.0), 1.0),
                share_of_successor=min(max(row.share_of_successor_area, 0.0), 1.0),
                share_of_people=row.share_of_predecessor_people,
            )
            for row in rows
        ]
    return Ancestry(_differences([edit.code for edit in edits], before, after, people_of), tuple(descents))


def _groups(edits: Sequence[Edit], kinds: Mapping[str, str]) -> list[set[str]]:
    """Return codes among which ground passes on: all neighbourhoods; of settlements, which lie freely, those that say so."""
    groups = [{edit.code for edit in edits if kinds[edit.code] == Place.Kind.NEIGHBOURHOOD}]
    loose: list[set[str]] = []
    for edit in edits:
        if kinds[edit.code] == Place.Kind.SETTLEMENT:
            linked = {edit.code, *(code for code in edit.from_codes if kinds.get(code) == Place.Kind.SETTLEMENT)}
            for other in [group for group in loose if group & linked]:
                linked |= other
                loose.remove(other)
            loose.append(linked)
    return [*groups, *loose]


def _kind(predecessor: str, successor: str, rows: Iterable[Any], new: set[str], ended: set[str]) -> str:
    """Return how a place came by its ground: by a split, where its origin also made a new place; by a merge, where one ended."""
    if any(row.predecessor == predecessor and row.successor in new for row in rows):
        return Descent.Kind.SPLIT
    if predecessor in ended or any(row.successor == successor and row.predecessor in ended for row in rows):
        return Descent.Kind.MERGE
    return Descent.Kind.RESHAPE


def _differences(
    codes: Sequence[str],
    before: Mapping[str, shapely.Geometry],
    after: Mapping[str, shapely.Geometry],
    people_of: PeopleOf | None,
) -> dict[str, dict[str, float | None]]:
    found = [difference(before.get(code), after.get(code)) for code in codes]
    people: list[float | None] = [None] * (2 * len(found))
    if people_of is not None and found:
        pieces = np.array([d.gained for d in found] + [d.lost for d in found], dtype=object)
        people = [float(value) for value in people_of(pieces)]
    return {
        code: {
            "gained_m2": d.gained_m2,
            "lost_m2": d.lost_m2,
            "people_gained": people[index],
            "people_lost": people[len(found) + index],
        }
        for index, (code, d) in enumerate(zip(codes, found, strict=True))
    }
