"""Gaps: what is needed less what is decided and done, per place and sector.

Each need is in exactly one stage, the furthest that any answer to it has reached.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from interventions.core.columns import Integers, integers
from interventions.core.transitions import ActionState, ProposalState


class Stage(IntEnum):
    """How far the answer to a need has come; in this order."""

    UNANSWERED = 0
    PROPOSED = 1
    DECIDED = 2
    UNDER_WAY = 3
    DONE = 4


STAGE_OF_PROPOSAL: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        ProposalState.SUBMITTED: Stage.PROPOSED,
        ProposalState.RETURNED: Stage.PROPOSED,
        ProposalState.ACCEPTED: Stage.DECIDED,
    }
)
"""How far a need has come by a proposal that answers it; drafts, refused and withdrawn ones answer nothing."""

STAGE_OF_ACTION: Final[Mapping[str, Stage]] = MappingProxyType(
    {
        ActionState.PLANNED: Stage.DECIDED,
        ActionState.UNDER_WAY: Stage.UNDER_WAY,
        ActionState.SUSPENDED: Stage.UNDER_WAY,
        ActionState.DONE: Stage.DONE,
    }
)
"""How far a need has come by an action that answers it.

One handed over says nothing any more: who takes it over gets an action of its own, planned, which answers the same needs. So
these stay decided, come as far as that one comes, and are a gap again where it is cancelled. Cancelled ones answer nothing.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Needs:
    """Needs that count: those merged into others or rejected are left out before.

    Attributes
    ----------
    place, sector
        Numbers from 0 of the row and the column of the matrix.
    people
        People affected by each.
    severity
        From 1 to 5.
    """

    place: ArrayLike
    sector: ArrayLike
    people: ArrayLike
    severity: ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class Gaps:
    """What is needed in each place and sector, and how far it is answered.

    Attributes
    ----------
    stage
        The stage of each need.
    counts
        Needs by place, sector and stage.
    people
        People by place, sector and stage: of the need of that stage that affects most. People of several needs of one
        place are not added up, since they may be the same; so those of stages do not add up to those of all.
    severity_max
        The gravest need by place, sector and stage; 0 where there is none.
    """

    stage: Integers
    counts: Integers
    people: Integers
    severity_max: Integers

    @property
    def needs(self) -> Integers:
        """All needs, by place and sector."""
        return np.asarray(self.counts.sum(axis=2))

    @property
    def open(self) -> Integers:
        """Needs that are not met yet: unanswered, proposed, decided or under way."""
        return np.asarray(self.counts[:, :, : Stage.DONE].sum(axis=2))

    @property
    def gap(self) -> Integers:
        """Needs about which nothing is decided: all less those decided, under way and done."""
        return np.asarray(self.counts[:, :, : Stage.DECIDED].sum(axis=2))

    @property
    def people_open(self) -> Integers:
        """People of the open need that affects most, by place and sector."""
        return np.asarray(self.people[:, :, : Stage.DONE].max(axis=2))

    @property
    def people_in_gap(self) -> Integers:
        """People of the need without a decision that affects most, by place and sector."""
        return np.asarray(self.people[:, :, : Stage.DECIDED].max(axis=2))

    @property
    def people_in_gap_of_places(self) -> Integers:
        """People without a decision in each place, at least: of the sector that affects most."""
        return np.asarray(self.people_in_gap.max(axis=1, initial=0))

    @property
    def people_in_gap_of_sectors(self) -> Integers:
        """People without a decision in each sector, at least: added up over places, which must not overlap."""
        return np.asarray(self.people_in_gap.sum(axis=0))


def gaps(needs: Needs, link_need: ArrayLike, link_stage: ArrayLike, *, places: int, sectors: int) -> Gaps:
    """Put needs into the stage of their furthest answer, and count.

    Parameters
    ----------
    needs
        The needs.
    link_need, link_stage
        One row for each need and each proposal or action that answers it: the need's number and the `Stage` that the
        answer has reached. Answers that came to nothing (refused, withdrawn, cancelled) are left out before, or given
        as `Stage.UNANSWERED`, which is the same.
    places, sectors
        How many there are.

    Raises
    ------
    InvalidInput
        Where columns do not fit: ``lengths_differ`` or ``out_of_range``.

    Examples
    --------
    Three needs of health in one place: proposed, under way (and proposed too), without an answer.

    >>> needs = Needs(place=[0, 0, 0], sector=[1, 1, 1], people=[90, 40, 60], severity=[3, 5, 1])
    >>> found = gaps(needs, [0, 1, 1], [Stage.PROPOSED, Stage.UNDER_WAY, Stage.PROPOSED], places=1, sectors=2)
    >>> found.counts[0, 1].tolist(), found.open.tolist(), found.gap.tolist()
    ([1, 1, 0, 1, 0], [[0, 3]], [[0, 2]])
    >>> found.people_open.tolist(), found.people_in_gap_of_sectors.tolist()
    ([[0, 90]], [0, 90])
    """
    place = integers(needs.place, "place", least=0, most=places - 1)
    n = place.size
    sector = integers(needs.sector, "sector", n, least=0, most=sectors - 1)
    people = integers(needs.people, "people", n, least=0)
    severity = integers(needs.severity, "severity", n, least=1, most=5)
    of_need = integers(link_need, "link_need", least=0, most=n - 1)
    reached = integers(link_stage, "link_stage", of_need.size, least=0, most=Stage.DONE)
    stage = np.zeros(n, dtype=np.int64)
    np.maximum.at(stage, of_need, reached)
    shape = (places, sectors, len(Stage))
    box = (place * sectors + sector) * len(Stage) + stage
    counts = np.bincount(box, minlength=places * sectors * len(Stage)).reshape(shape)
    return Gaps(stage, counts, _largest(people, box, shape), _largest(severity, box, shape))


def _largest(values: Integers, box: Integers, shape: tuple[int, int, int]) -> Integers:
    largest = np.zeros(int(np.prod(shape)), dtype=np.int64)
    np.maximum.at(largest, box, values)
    return largest.reshape(shape)


__all__ = ["STAGE_OF_ACTION", "STAGE_OF_PROPOSAL", "Gaps", "Needs", "Stage", "gaps"]
