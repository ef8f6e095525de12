"""An index by the values of earlier dates: its method as it is now, applied to what was known then."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser

from analysis.indices.computing import CityIndex, index_compute
from analysis.indices.documents import is_few
from analysis.models import Indicator, IndicatorValue
from analysis.services import coverage_compute
from geo.querysets import User

MOST_DATES: Final = 12
_FEWEST_DRAWS: Final = 100


def index_years(result: CityIndex, *, user: User) -> dict[str, Any] | None:
    """Apply the method and the weights of an index to the stored values of each earlier date.

    What is computed from coverage, and places and their boundaries, are of today at each date. A place that had no value at all
    on a date has no score.

    Parameters
    ----------
    result
        An index of what everybody may see.
    user
        As for `analysis.indices.computing.index_compute`.

    Returns
    -------
    dict or None
        ``dates``, ascending, the last one with all values that the index has: the ``day`` on which a year begins, and ``is_before``
        where it is what was there before that year, else what was measured of it; ``places``: by code the ``scores`` and ``ranks``, None
        where there is none; ``stored`` and ``of_today``: codes of indicators; ``known``: of each day, how many of the stored
        values there were, and ``most``, how many there could be. None where fewer than two dates have values.

    Notes
    -----
    Scores of different dates can be compared under frozen goalposts alone; by other ways to normalise they say where a place
    stood among the places of that date.
    """
    indicators = result.matrix.indicators
    of_today = [one.code for one in indicators if one.origin in Indicator.COMPUTED]
    stored = [one.code for one in indicators if one.origin not in Indicator.COMPUTED]
    dates = _dates(result, stored)
    if len(dates) < 2:
        return None
    weights = {
        one.code: float(weight)
        for one, weight in zip(indicators, result.priority.weights, strict=True)
        if weight > 0
    }  # fmt: skip
    asked = replace(
        result.question, weights=weights, weighting="given", vary_weights=0.0, vary_methods=False, draws=_FEWEST_DRAWS
    )
    city = result.matrix.city
    covered = coverage_compute(city=city, user=AnonymousUser(), question=asked.question)
    columns, has_few = [], False
    for day, is_before in dates:
        question = replace(asked, until=day, is_before=is_before)
        then = index_compute(city=city, user=user, question=question, covered=covered, is_public=True)
        has_few |= any(is_few(then.matrix, i, k) for i in range(len(then.matrix.places)) for k in range(len(weights)))
        known = {one.code: k for k, one in enumerate(then.matrix.indicators)}
        has = then.priority.present
        rows = {place.code: i for i, place in enumerate(then.matrix.places)}
        # Who had no value brought by people then would be ranked by what is of today alone.
        told = {
            code: i
            for code, i in rows.items()
            if not stored or any(has[i, known[one]] for one in stored if one in known)
        }
        order = sorted((-round(float(then.priority.score[i]), 9), code) for code, i in told.items())
        scores = [score for score, _ in order]
        columns.append(
            (
                {code: float(then.priority.score[i]) for code, i in told.items()},
                {code: scores.index(score) + 1 for score, code in order},
                int(sum(has[:, known[one]].sum() for one in stored if one in known)),
            )
        )
    return {
        "dates": [{"day": day.isoformat(), "is_before": is_before} for day, is_before in dates],
        "places": {
            place.code: {
                "scores": [_rounded(scores.get(place.code), has_few) for scores, _, _ in columns],
                "ranks": [ranks.get(place.code) for _, ranks, _ in columns],
            }
            for place in result.matrix.places
        },
        "stored": stored,
        "of_today": of_today,
        "known": [known for _, _, known in columns],
        "most": len(stored) * len(result.matrix.places),
    }


def _rounded(score: float | None, has_few: bool) -> float | None:
    """Round to a decimal, or to whole points where a value of few people could be read from it."""
    return None if score is None else round(score, 0 if has_few else 1)


def _dates(result: CityIndex, stored: list[str]) -> list[tuple[date, bool]]:
    """Return when values of the index are of, the newest ones if there are many; of a year, what was there before comes first."""
    found = (
        IndicatorValue.objects.in_force()
        .visible_to(AnonymousUser())
        .within(result.matrix.city)
        .filter(
            kind__in=(IndicatorValue.Kind.BASELINE, IndicatorValue.Kind.MEASURED),
            indicator__code__in=stored,
            place__in=[place.id for place in result.matrix.places],
        )
    )
    if result.question.until is not None:
        found = found.filter(year_begins_on__lte=result.question.until)
    told = set(found.order_by().values_list("year_begins_on", "kind").distinct())
    dates = [(day, kind == IndicatorValue.Kind.BASELINE) for day, kind in told]
    return sorted(dates, key=lambda one: (one[0], not one[1]))[-MOST_DATES:]


__all__ = ["index_years"]
