"""What the address of an index asks for: read once, into a question of the analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from analysis.forms import MAX_WEIGHT, number, one_of
from analysis.indices.computing import AGGREGATIONS, NORMALISATIONS, TREATMENTS, WEIGHTINGS, IndexQuestion
from analysis.indices.editions import LONGEST_NOTE, LONGEST_TITLE
from geo.errors import InvalidInput

KINDS: Final = ("settlement", "neighbourhood", "")
"""Of places that are ranked; the empty one for all."""

VARIED: Final = ("0", "0.1", "0.25", "0.5", "1")
FIRST_MOST: Final = 1000
PREFIX: Final = "w-"
"""Before the code of an indicator, in the name of the field of its weight."""


def index_question_from(parameters: Mapping[str, str], kind: str) -> IndexQuestion:
    """Return the question that an address asks.

    Parameters
    ----------
    kind
        Of places, where the address names none.

    Raises
    ------
    InvalidInput
        Where a choice is not known, or a number out of range.
    """
    asks = bool(parameters)
    weights = {
        name.removeprefix(PREFIX)[:80]: number(value, name, 0, MAX_WEIGHT)
        for name, value in parameters.items()
        if name.startswith(PREFIX) and value.strip()
    }
    if weights and not any(weights.values()):
        raise InvalidInput("All weights are zero.", code="bad_weight", remedy="Give at least one a weight.")
    kinds = one_of(parameters.get("kind", kind), "kind", KINDS)
    chosen: dict[str, Any] = {
        name: one_of(parameters.get(name, choices[0]), name, choices)
        for name, choices in (
            ("treatment", TREATMENTS),
            ("normalisation", NORMALISATIONS),
            ("weighting", WEIGHTINGS),
            ("aggregation", AGGREGATIONS),
        )
    }
    return IndexQuestion(
        weights={code: weight for code, weight in weights.items() if weight > 0},
        vary_weights=float(one_of(parameters.get("vary", "0.25"), "vary", VARIED)),
        vary_methods=parameters.get("methods") == "1" if asks else True,
        first=round(number(parameters.get("first", "") or "3", "first", 1, FIRST_MOST)),
        kinds=(kinds,) if kinds else (),
        **chosen,
    )


def index_query(question: IndexQuestion) -> str:
    """Return the address's part that asks the same question again.

    Examples
    --------
    >>> index_query(IndexQuestion(weights={"early-care": 2.0}, kinds=("settlement",), first=3))[:47]
    'kind=settlement&w-early-care=2&weighting=given&'
    """
    asked = {
        "kind": question.kinds[0] if question.kinds else "",
        **{f"{PREFIX}{code}": f"{weight:g}" for code, weight in question.weights.items()},
        "weighting": question.weighting,
        "treatment": question.treatment,
        "normalisation": question.normalisation,
        "aggregation": question.aggregation,
        "vary": f"{question.vary_weights:g}",
        **({"methods": "1"} if question.vary_methods else {}),
        "first": str(question.first),
    }
    return urlencode(asked)


class PublishForm(forms.Form):
    """What is written to a published index."""

    title_fa = forms.CharField(
        label=_("Persian title"),
        max_length=LONGEST_TITLE,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "fa", "dir": "rtl"}),
        help_text=_("The finding in a sentence; it stays as you write it."),
    )
    title_en = forms.CharField(
        label=_("English title"),
        max_length=LONGEST_TITLE,
        widget=forms.Textarea(attrs={"rows": 2, "lang": "en", "dir": "ltr"}),
    )
    note = forms.CharField(
        label=_("What is new since the edition before"),
        max_length=LONGEST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    reversals_seen = forms.BooleanField(label=_("I have read where the order does not hold"), required=False)


__all__ = ["KINDS", "PREFIX", "VARIED", "PublishForm", "index_query", "index_question_from"]
