"""A question of an index, written as the address that asks it: what `maps.indices.forms.index_question_from` reads. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from analysis.indices.computing import IndexQuestion
from maps.indices.forms import PREFIX


def query_of(question: IndexQuestion, weights: Mapping[str, float] | None = None) -> str:
    """Return the query string of a question, without a question mark.

    Parameters
    ----------
    weights
        By code of an indicator, instead of those of the question: they are then taken as given.

    Examples
    --------
    >>> query_of(IndexQuestion(first=3, kinds=("settlement",), vary_weights=0.25), {"water": 1.25, "sewer": 0.0})
    'kind=settlement&w-water=1.25&weighting=given&treatment=none&normalisation=goalpost&aggregation=arithmetic&vary=0.25&methods=1&first=3'
    """
    told = question.weights if weights is None else weights
    pairs = [
        ("kind", question.kinds[0] if question.kinds else ""),
        *((PREFIX + code, f"{weight:.9g}") for code, weight in told.items() if weight > 0),
        ("weighting", question.weighting if weights is None else "given"),
        ("treatment", question.treatment),
        ("normalisation", question.normalisation),
        ("aggregation", question.aggregation),
        ("vary", f"{question.vary_weights:g}"),
        *([("methods", "1")] if question.vary_methods else []),
        ("first", str(question.first)),
    ]
    return urlencode(pairs)


__all__ = ["query_of"]
