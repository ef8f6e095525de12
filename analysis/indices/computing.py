"""The index of priority: indicators of a city treated, scored, weighted and put together, and how sure its ranks are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from analysis.caching import content_key
from analysis.core.data_weighting import weights_from_scores
from analysis.core.index import Aggregation, Priority, aggregate
from analysis.core.indicator_draws import Indicators
from analysis.core.normalising import Normalisation, normalise, winsorise
from analysis.core.rank_draws import Choices, Within
from analysis.core.uncertainty import RankUncertainty, rank_uncertainty
from analysis.core.weighting import equal_weights
from analysis.forms import number, one_of
from analysis.indicators import IndicatorMatrix, IndicatorRow, matrix_read
from analysis.models import Run
from analysis.results import CityCoverage, Question, number_or_none
from analysis.version import code_version
from geo.errors import InvalidInput
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]
Treatment = Literal["none", "winsorise"]
Weighting = Literal["given", "equal", "entropy", "critic", "merec"]

TREATMENTS: Final = get_args(Treatment)
NORMALISATIONS: Final = get_args(Normalisation)
WEIGHTINGS: Final = get_args(Weighting)
AGGREGATIONS: Final = get_args(Aggregation)

MOST_DRAWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class IndexQuestion:
    """How an index is to be made.

    Attributes
    ----------
    weights
        Code of an indicator to its weight: what is named is in the index. Where nothing is named, all are, and weigh the same.
    weighting
        ``given`` for the weights above; else how they are found.
    normalisation
        ``goalpost`` takes the indicators' own, which each must have.
    vary_weights
        Share by which each weight may be otherwise, 0 to 1; 0 for weights that are certain.
    vary_methods
        Whether other ways to normalise and aggregate might have been chosen as well.
    first
        Chances are told of being among the first so many.
    kinds
        Of places that are ranked; all where empty.
    until
        Stored values of later years do not count: an index as it would have been.
    is_before
        Of the year that begins then, only what was there before counts.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    weighting: Weighting = "given"
    treatment: Treatment = "none"
    normalisation: Normalisation = "goalpost"
    aggregation: Aggregation = "arithmetic"
    vary_weights: float = 0.25
    vary_methods: bool = True
    draws: int = 10_000
    seed: int = 1
    first: int = 10
    kinds: tuple[str, ...] = ()
    until: date | None = None
    is_before: bool = False
    question: Question = field(default_factory=Question)


@dataclass(frozen=True, slots=True, eq=False)
class CityIndex:
    """An index of priority of a city's places.

    Attributes
    ----------
    scores
        Shape ``(places, indicators)``: 0 to 1, 1 is the worst need; NaN where missing.
    is_moved
        Shape ``(places, indicators)``: values that were moved because they stood out.
    left_out
        Indicators that nobody chose and that have no goalposts to score them by.
    taken_as_exact
        Indicators with values of which no error is known.
    indicators, choices
        What went into the rankings drawn: values as they were treated, and what might have been chosen.
    """

    matrix: IndicatorMatrix
    question: IndexQuestion
    scores: Floats
    is_moved: NDArray[np.bool_]
    priority: Priority
    uncertainty: RankUncertainty
    left_out: tuple[IndicatorRow, ...]
    taken_as_exact: tuple[IndicatorRow, ...]
    duration_ms: float
    indicators: Indicators
    choices: Choices

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever reads the result should know, in English."""
        found = list(self.matrix.warnings)
        for text, rows in (
            ("Left out, because they have no goalposts", self.left_out),
            ("Taken as exact, because no error is known", self.taken_as_exact),
        ):
            if rows:
                found.append(f"{text}: {', '.join(one.code for one in rows)}.")
        return tuple(found)


def index_compute(
    *,
    city: Place,
    user: User,
    question: IndexQuestion | None = None,
    covered: CityCoverage | None = None,
    is_public: bool = False,
) -> CityIndex:
    """Rank a city's places by indicators, and tell how sure each rank is.

    Parameters
    ----------
    covered, is_public
        As for `analysis.indicators.matrix_read`.

    Raises
    ------
    Forbidden, NotFound
        As `analysis.indicators.matrix_read`.
    InvalidInput
        Where an indicator is not known or has no goalposts, a number is out of range, or weights cannot be used.
    """
    started = time.perf_counter()
    asked = question or IndexQuestion()
    check_question(asked)
    matrix = matrix_read(
        city=city,
        user=user,
        codes=tuple(asked.weights),
        kinds=asked.kinds,
        until=asked.until,
        is_before=asked.is_before,
        question=asked.question,
        covered=covered,
        is_public=is_public,
    )
    left_out: tuple[IndicatorRow, ...] = ()
    if asked.normalisation == "goalpost":
        matrix, left_out = _with_goalposts(matrix, is_chosen=bool(asked.weights))
    scores, values, is_moved = scores_of(matrix, asked)
    weights = _weights(asked, matrix, scores)
    priority = aggregate(scores, weights, asked.aggregation)
    indicators = Indicators(
        values,
        [one.direction for one in matrix.indicators],  # type: ignore[misc]
        _goalposts(matrix),
        np.where(np.isnan(matrix.errors), 0.0, matrix.errors),
    )
    choices = _choices(asked, matrix)
    uncertainty = rank_uncertainty(
        indicators,
        weights,
        choices,
        first=[min(asked.first, len(matrix.places))],
        draws=asked.draws,
        seed=asked.seed,
    )
    took_ms = (time.perf_counter() - started) * 1000
    return CityIndex(
        matrix,
        asked,
        scores,
        is_moved,
        priority,
        uncertainty,
        left_out,
        _taken_as_exact(matrix),
        took_ms,
        indicators,
        choices,
    )


def scores_of(matrix: IndicatorMatrix, asked: IndexQuestion) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Score the values of indicators, each column by itself.

    Returns
    -------
    tuple of ndarray
        Shape ``(places, indicators)`` each: scores from 0 to 1, of which 1 is the worst need; values as they were scored; and
        which of them were moved because they stood out.

    Raises
    ------
    InvalidInput
        Where goalposts are asked for and an indicator has none.
    """
    values, is_moved = matrix.values.copy(), np.zeros(matrix.values.shape, dtype=bool)
    scores = np.empty_like(values)
    for k, one in enumerate(matrix.indicators):
        if asked.treatment == "winsorise":
            treated = winsorise(values[:, k])
            values[:, k], is_moved[:, k] = treated.values, treated.is_moved
        goalposts = one.goalposts if asked.normalisation == "goalpost" else None
        scores[:, k] = normalise(values[:, k], one.direction, asked.normalisation, goalposts)  # type: ignore[arg-type]
    return scores, values, is_moved


def check_question(asked: IndexQuestion) -> None:
    """Refuse methods that are not known, and numbers out of range.

    Raises
    ------
    InvalidInput
        With the name of the field (``bad_method``, ``bad_number``).
    """
    one_of(asked.treatment, "treatment", TREATMENTS)
    one_of(asked.normalisation, "normalisation", NORMALISATIONS)
    one_of(asked.weighting, "weighting", WEIGHTINGS)
    one_of(asked.aggregation, "aggregation", AGGREGATIONS)
    number(asked.vary_weights, "vary_weights", 0.0, 1.0)
    number(asked.draws, "draws", 100, MOST_DRAWS)
    number(asked.first, "first", 1, 10_000)
    number(asked.seed, "seed", 0, 2**63 - 1)


def _with_goalposts(matrix: IndicatorMatrix, *, is_chosen: bool) -> tuple[IndicatorMatrix, tuple[IndicatorRow, ...]]:
    """Return those that have goalposts, and the others; who chose the indicators chose them all."""
    kept = [k for k, one in enumerate(matrix.indicators) if one.goalposts is not None]
    lacking = tuple(one for one in matrix.indicators if one.goalposts is None)
    if lacking and (is_chosen or not kept):
        raise InvalidInput(
            f"The indicator {lacking[0].code!r} has no goalposts.",
            code="no_goalposts",
            where=lacking[0].code,
            remedy="Leave it out, bring goalposts for it, or normalise in another way.",
            details={"code": lacking[0].name},
        )
    return matrix.only(kept) if lacking else matrix, lacking


def _goalposts(matrix: IndicatorMatrix) -> Floats | None:
    known = [one.goalposts for one in matrix.indicators if one.goalposts is not None]
    return np.array(known) if len(known) == len(matrix.indicators) else None


def _weights(asked: IndexQuestion, matrix: IndicatorMatrix, scores: Floats) -> Floats:
    if asked.weighting == "given" and asked.weights:
        return np.array([asked.weights[one.code] for one in matrix.indicators])
    if asked.weighting in ("given", "equal"):
        return equal_weights(len(matrix.indicators)).shares
    return weights_from_scores(scores, asked.weighting).shares  # type: ignore[arg-type]  # the other two are answered above


def _choices(asked: IndexQuestion, matrix: IndicatorMatrix) -> Choices:
    """Return what might have been chosen as well: the first of each is what was."""
    weights = Within(asked.vary_weights) if asked.vary_weights else None
    if not asked.vary_methods:
        return Choices(weights, (asked.normalisation,), (asked.aggregation,))
    possible = [name for name in NORMALISATIONS if name != "goalpost" or _goalposts(matrix) is not None]
    others = [name for name in possible if name != asked.normalisation]
    # VIKOR measures against the extremes of the moment; it is a choice to make, not one that is made by chance.
    ways = [name for name in ("arithmetic", "geometric", "topsis") if name != asked.aggregation]
    return Choices(weights, (asked.normalisation, *others), (asked.aggregation, *ways))  # type: ignore[arg-type]


def _taken_as_exact(matrix: IndicatorMatrix) -> tuple[IndicatorRow, ...]:
    unknown = (np.isnan(matrix.errors) & ~np.isnan(matrix.values)).any(axis=0)
    return tuple(
        one for one, is_unknown in zip(matrix.indicators, np.atleast_1d(unknown).tolist(), strict=True) if is_unknown
    )


# ---- records


def index_parameters(result: CityIndex) -> dict[str, Any]:
    """Return how an index was made, with its codebook."""
    asked = result.question
    return {
        "treatment": asked.treatment,
        "normalisation": asked.normalisation,
        "weighting": asked.weighting,
        "aggregation": asked.aggregation,
        "vary_weights": asked.vary_weights,
        "vary_methods": asked.vary_methods,
        "draws": asked.draws,
        "seed": asked.seed,
        "first": result.uncertainty.first[0],
        "kinds": list(asked.kinds),
        "until": asked.until.isoformat() if asked.until else None,
        **({"is_before": True} if asked.is_before else {}),
        "indicators": [
            {
                "code": one.code, "name_fa": one.name_fa, "name_en": one.name_en, "definition_fa": one.definition_fa,
                "definition_en": one.definition_en, "domain": one.domain, "origin": one.origin, "unit": one.unit,
                "direction": one.direction, "goalposts": list(one.goalposts) if one.goalposts else None,
                "weight": float(weight),
                "sources_fa": [fa for fa, _ in result.matrix.sources.get(one.code, ())],
                "sources_en": [en for _, en in result.matrix.sources.get(one.code, ())],
            }
            for one, weight in zip(result.matrix.indicators, result.priority.weights, strict=True)
        ],
    }  # fmt: skip


def index_rows(result: CityIndex) -> list[dict[str, Any]]:
    """Return the places with their ranks, the first one first: JSON-safe, a missing value is None."""
    matrix, priority, sure = result.matrix, result.priority, result.uncertainty
    codes = [one.code for one in matrix.indicators]
    order = np.argsort(priority.rank, kind="stable")
    return [
        {
            "code": matrix.places[i].code,
            "kind": matrix.places[i].kind,
            "name_fa": matrix.places[i].name_fa,
            "name_en": matrix.places[i].name_en,
            "rank": int(priority.rank[i]),
            "score": float(priority.score[i]),
            "reliability": float(priority.reliability[i]),
            "rank_median": int(sure.median_rank[i]),
            "rank_low": int(sure.low_rank[i]),
            "rank_high": int(sure.high_rank[i]),
            "chance_first": float(sure.chance_first[i, 0]),
            "message": sure.message[i],
            "values": {code: number_or_none(float(matrix.values[i, k])) for k, code in enumerate(codes)},
            "scores": {code: number_or_none(float(result.scores[i, k])) for k, code in enumerate(codes)},
            "contributions": None
            if priority.parts is None
            else {code: float(priority.parts[i, k]) for k, code in enumerate(codes)},
        }
        for i in order.tolist()
    ]


def index_record(result: CityIndex, *, author: Any = None) -> Run:
    """Keep an index as a run: what went in, how it was made, what came out."""
    parameters, inputs = index_parameters(result), dict(result.matrix.inputs)
    return Run.objects.create(
        kind=Run.Kind.INDEX,
        city=result.matrix.city,
        parameters=parameters,
        inputs=inputs,
        input_hash=content_key(parameters, inputs),
        code_version=code_version(),
        seed=result.question.seed,
        warnings=list(result.warnings),
        result={"places": index_rows(result)},
        duration_ms=result.duration_ms,
        author=author if author is not None and author.pk else None,
    )


__all__ = [
    "AGGREGATIONS", "MOST_DRAWS", "NORMALISATIONS", "TREATMENTS", "WEIGHTINGS", "CityIndex", "IndexQuestion", "check_question",
    "index_compute", "index_parameters", "index_record", "index_rows", "scores_of",
]  # fmt: skip
