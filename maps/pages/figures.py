"""From results to what may be told of each place: the number the colour shows, its text, its rank. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from analysis.core.index import competition_rank
from analysis.disclosure import SMALL_COUNT
from analysis.results import CityCoverage, CityPriority, PlaceRow
from maps.pages import formats, telling
from maps.pages.forms import Show
from maps.pages.reader import language
from maps.pages.telling import Told

SETTLEMENT: Final = "settlement"


@dataclass(frozen=True, slots=True)
class Value:
    """What the colour of a place shows, how it is written, and how it is ordered (the larger the worse)."""

    need: float | None
    text: str
    bar: float
    told: Told


def told_of(result: CityCoverage, row: int, column: int, is_insider: bool) -> tuple[Told, Told, Told]:
    """Return what may be told of a place and a service: uncovered share, uncovered people, mean distance."""
    values = result.values
    whole, uncovered = float(values.population[row]), float(values.uncovered_people[row, column])
    share = telling.share(uncovered, whole, is_insider)
    count = telling.people_of(uncovered, whole, is_insider)
    return share, count, telling.distance(float(values.mean_distance_m[row, column]), whole, is_insider)


def city_totals(result: CityCoverage, column: int, is_insider: bool) -> tuple[float, float]:
    """Return the people uncovered in a city, and the people counted, from what may be told of its neighbourhoods.

    Where only a bound may be told, nobody or everybody is counted as uncovered, whichever is nearer; so no difference of
    totals tells what the rows do not. Settlements lie over neighbourhoods: adding them would count the same people twice.
    Where a city has only settlements, they are added.
    """
    uncovered = counted = 0.0
    for row in counted_rows(result.places):
        share, count, _distance = told_of(result, row, column, is_insider)
        if share.kind in ("none", "withheld"):
            continue
        whole = float(result.values.population[row])
        counted += whole
        uncovered += 0.0 if share.kind == "below" else whole if share.kind == "above" else count.value or 0.0
    return uncovered, counted


def counted_rows(places: Sequence[PlaceRow]) -> list[int]:
    """Return the rows that may be added up: neighbourhoods, or all places where there are none."""
    neighbourhoods = [i for i, place in enumerate(places) if place.kind != SETTLEMENT]
    return neighbourhoods or list(range(len(places)))


def values_of(result: CityPriority, show: Show, column: int | None, is_insider: bool) -> list[Value]:
    """Return what the colour of each place shows."""
    covered, lang = result.coverage, language()
    found: list[Value] = []
    most = float(np.nanmax(covered.values.uncovered_people[:, column], initial=1.0)) if column is not None else 1.0
    if show == "priority":
        for score, told in zip(result.priority.score.tolist(), scores_of(result, is_insider), strict=True):
            text = _("withheld") if told.kind == "withheld" else score_text(told.value)
            found.append(Value(None if told.value is None else score, text, told.value or 0.0, told))
        return found
    for i in range(len(covered.places)):
        if column is None:
            found.append(Value(None, formats.DASH, 0.0, telling.NOTHING))
        else:
            share, count, _distance = told_of(covered, i, column, is_insider)
            if show == "coverage":
                good = telling.complement(share)
                found.append(Value(share.value, good.as_percent(lang), 100 * (good.value or 0.0), good))
            else:
                need = None if share.kind == "none" else count.value
                if need is not None and count.kind == "below":
                    need /= 2  # between nobody and the bound, so that it ranks below whoever is told exactly
                text = formats.DASH if share.kind == "none" else count.as_people(lang)
                found.append(Value(need, text, 100 * (need or 0.0) / max(most, 1.0), count))
    return found


def score_text(score: float | None, decimals: int = 1) -> str:
    """Write a score of 100 points; a whole one without decimals."""
    is_whole = score is None or score < 0.05 or score >= 99.95 or score == int(score)
    return formats.number(score, language(), 0 if is_whole else decimals)


def hidden_parts(result: CityCoverage) -> NDArray[np.bool_]:
    """Return for each place and service whether the public is told only a bound of it, shape ``(places, services)``."""
    whole = result.values.population[:, None]
    uncovered = np.clip(result.values.uncovered_people, 0.0, whole)
    few: NDArray[np.bool_] = np.zeros(uncovered.shape, dtype=bool)
    for count in (uncovered, whole - uncovered):
        few |= (count >= telling.NOBODY) & (count < SMALL_COUNT)
    return few


def scores_of(result: CityPriority, is_insider: bool) -> list[Told]:
    """Return what may be told of each place's priority score.

    Nothing where no service could be measured, or too few people live. The public is told tenths, and whole points where
    a part of the score concerns few people, so that the part cannot be worked out from the rest.
    """
    coarse: NDArray[np.bool_] = np.any(hidden_parts(result.coverage) & (result.priority.weights > 0), axis=1)
    found = []
    for row, score in enumerate(result.priority.score.tolist()):
        if result.priority.reliability[row] <= 0:
            found.append(telling.NOTHING)
        elif telling.people(float(result.coverage.values.population[row]), is_insider).kind == "below":
            found.append(telling.WITHHELD)
        elif is_insider:
            found.append(Told(score))
        else:
            found.append(Told(float(round(score)) if coarse[row] else round(score, 1)))
    return found


def ranks_of(needs: Sequence[float | None]) -> list[int | None]:
    """Rank needs, 1 for the greatest; a place without a value has no rank.

    Examples
    --------
    >>> ranks_of([0.2, None, 0.9, 0.2])
    [2, None, 1, 2]
    """
    present = [i for i, need in enumerate(needs) if need is not None]
    ranks: list[int | None] = [None] * len(needs)
    if present:
        for i, rank in zip(
            present, competition_rank(np.array([needs[i] for i in present], dtype=np.float64)).tolist(), strict=True
        ):
            ranks[i] = rank
    return ranks
