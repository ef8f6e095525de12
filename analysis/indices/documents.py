"""An index as one JSON-safe document: what pages, workbooks and published editions tell of it, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from analysis.caching import content_key
from analysis.disclosure import is_unit_of_people, public_share, suppressed
from analysis.indicators import IndicatorMatrix, IndicatorRow
from analysis.indices.computing import CityIndex, IndexQuestion, index_parameters, index_rows
from analysis.models import Indicator
from analysis.results import number_or_none
from analysis.version import code_version

Document = Mapping[str, Any]

FORMAT: Final = 1
"""Of documents; editions that were published stay in theirs, so that whoever reads them can tell."""


def index_document(result: CityIndex, *, is_public: bool = False) -> dict[str, Any]:
    """Return all that is told of an index.

    Parameters
    ----------
    is_public : bool
        Withhold values about few people (`analysis.disclosure`): they are None, their indicators are named in ``withheld`` of
        the place, and scores are rounded to whole points, so that they do not tell them either.

    Returns
    -------
    dict
        ``places``, the first one first, each with ``values``, ``errors``, ``told_on``, ``scores`` and ``contributions`` by code of
        an indicator; ``indicators``, the codebook; ``method``; what there is to note.
    """
    matrix = result.matrix
    parameters, inputs = index_parameters(result), dict(matrix.inputs)
    row_of = {place.code: i for i, place in enumerate(matrix.places)}
    places = [_place(result, row_of[row["code"]], row, is_public) for row in index_rows(result)]
    if any(place["withheld"] for place in places):
        # With its other contributions, a score to a decimal would tell what is withheld.
        places = [{**place, "score": float(round(place["score"]))} for place in places]
    return {
        "format": FORMAT,
        "city": {
            "code": matrix.city.code,
            "name_fa": matrix.city.name_fa,
            "name_en": matrix.city.name_en,
            "is_illustrative": matrix.city.is_illustrative,
        },
        "places": places,
        "indicators": codebook(result),
        "method": {name: value for name, value in parameters.items() if name != "indicators"},
        "left_out": _names(result.left_out),
        "taken_as_exact": _names(result.taken_as_exact),
        "moved": int(result.is_moved.sum()),
        "sources": _sources(inputs),
        "code_version": code_version(),
        "input_hash": content_key(parameters, inputs),
        "is_public": is_public,
    }


def codebook(result: CityIndex) -> list[dict[str, Any]]:
    """Return what each indicator of an index is, with its weight and how many places are without it."""
    absent = (~result.priority.present).sum(axis=0).tolist()
    return [
        {**told, "short_fa": one.short_fa, "short_en": one.short_en, "measure": one.measure, "missing": int(missing)}
        for told, one, missing in zip(
            index_parameters(result)["indicators"], result.matrix.indicators, absent, strict=True
        )
    ]


def question_to_json(question: IndexQuestion) -> dict[str, Any]:
    """Return a question as it is kept."""
    return {
        "weights": dict(question.weights),
        "weighting": question.weighting,
        "treatment": question.treatment,
        "normalisation": question.normalisation,
        "aggregation": question.aggregation,
        "vary_weights": question.vary_weights,
        "vary_methods": question.vary_methods,
        "draws": question.draws,
        "seed": question.seed,
        "first": question.first,
        "kinds": list(question.kinds),
        "until": question.until.isoformat() if question.until else None,
        "is_before": question.is_before,
    }


def _place(result: CityIndex, i: int, row: dict[str, Any], is_public: bool) -> dict[str, Any]:
    matrix = result.matrix
    codes = [one.code for one in matrix.indicators]
    told = {
        **row,
        "errors": {
            code: number_or_none(float(matrix.errors[i, k]))
            for k, code in enumerate(codes)
            if np.isfinite(matrix.values[i, k])
        },
        "told_on": {code: day.isoformat() for k, code in enumerate(codes) if (day := matrix.told_on.get((i, k)))},
        "withheld": [],
    }
    few = [code for k, code in enumerate(codes) if is_few(matrix, i, k)] if is_public else []
    if not few:
        return told
    hidden = dict.fromkeys(few)
    told["withheld"] = few
    for name in ("values", "errors", "scores"):
        told[name] = {**told[name], **hidden}
    if row["contributions"] is not None:
        told["contributions"] = {code: round(part, 1) for code, part in row["contributions"].items()} | hidden
    return told


def is_few(matrix: IndicatorMatrix, i: int, k: int) -> bool:
    """Tell whether a value counts few people, or is a share that tells of few: then it is not told to the public."""
    value, one = float(matrix.values[i, k]), matrix.indicators[k]
    if not np.isfinite(value):
        return False
    if is_unit_of_people(one.unit):
        return suppressed(value)
    is_share = one.origin == Indicator.Origin.COVERAGE and one.measure == Indicator.Measure.UNCOVERED_SHARE
    return is_share and public_share(value, float(matrix.people[i])) is None


def _names(rows: Iterable[IndicatorRow]) -> list[dict[str, str]]:
    return [{"code": one.code, "short_fa": one.short_fa, "short_en": one.short_en} for one in rows]


def _sources(inputs: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the releases that were read, each once."""
    services, people = inputs.get("services") or {}, inputs.get("population")
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for one in [*([people] if people else []), *services.values(), *(inputs.get("travel") or {}).values()]:
        found.setdefault(
            (str(one["layer"]), int(one["release"] or 0)),
            {name: one[name] for name in ("layer", "release", "reference_date", "source")},
        )
    return list(found.values())


__all__ = ["Document", "codebook", "index_document", "is_few", "question_to_json"]
