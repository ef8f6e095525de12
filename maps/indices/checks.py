"""What the ranks of an index depend on, how they lie in the city, and whether their order holds, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from analysis.core.pattern import KINDS
from analysis.indices.checks import IndexPattern, IndexSensitivity
from analysis.indices.computing import CityIndex
from analysis.indices.documents import Document
from analysis.models import Indicator
from maps.indices.presenters import named
from maps.pages import formats
from maps.pages.reader import language

NOTABLE: Final = 0.05
LEVEL: Final = 0.05
MOST_LEAST: Final = 3

CLUSTER_CSS: Final = {
    "high-high": "lisa-hh",
    "low-low": "lisa-ll",
    "high-low": "lisa-hl",
    "low-high": "lisa-lh",
    "none": "lisa-no",
}


@dataclass(frozen=True, slots=True)
class FactorView:
    """What has to do with the ranks, and how much.

    Attributes
    ----------
    alone_width, whole_width
        Of its bars, on 100 units.
    """

    name: str
    alone_text: str
    whole_text: str
    range_text: str
    alone_width: float
    whole_width: float


@dataclass(frozen=True, slots=True)
class SensitivityView:
    """What the ranks depend on.

    Attributes
    ----------
    places
        Names of places whose ranks depend on choices, each with what its own rank depends on most.
    """

    sentence: str
    together: str
    factors: tuple[FactorView, ...]
    places: tuple[tuple[str, str], ...]
    basis: str


def factor_name(code: str) -> str:
    """Return what a factor is called."""
    if code.startswith("weights-"):
        return _("weights of indicators: %(domain)s") % {
            "domain": Indicator.Domain(code.removeprefix("weights-")).label
        }
    return {
        "normalisation": _("how values become scores"),
        "aggregation": _("how scores are put together"),
        "errors": _("errors of the values"),
    }[code]


def sensitivity_view(result: CityIndex, asked: IndexSensitivity) -> SensitivityView:
    """Present what the ranks of an index depend on, what counts most first."""
    lang, found = language(), asked.found
    indices = found.indices
    order = sorted(range(len(found.factors)), key=lambda f: -float(indices.total[0, f]))
    factors = []
    for f in order:
        alone, whole = (float(np.clip(part[0, f], 0, 1)) for part in (indices.first, indices.total))
        low, high = (float(np.clip(part[0, f], 0, 1)) for part in (indices.total_low, indices.total_high))
        factors.append(
            FactorView(
                factor_name(found.factors[f]),
                formats.percent(alone, lang),
                formats.percent(whole, lang),
                _("%(low)s to %(high)s") % {"low": formats.percent(low, lang), "high": formats.percent(high, lang)},
                100 * alone,
                100 * max(whole, alone),
            )
        )
    n = found.base_draws * (len(found.factors) + 2)
    names = {i: result.matrix.places[i].name for i in asked.places}
    return SensitivityView(
        sentence=_depends(indices.variance[0], found.factors, order, indices.total[0]),
        together=_together(float(np.clip(indices.first[0].sum(), 0, 1)), lang),
        factors=tuple(factors) if indices.variance[0] > 0 else (),
        places=tuple(
            (names[i], _most_of(found.factors, indices.total[1 + at], float(indices.variance[1 + at])))
            for at, i in enumerate(asked.places)
        ),
        basis=_("%(n)s rankings were worked out for this.") % {"n": formats.number(n, lang)},
    )


def _depends(variance: float, factors: Sequence[str], order: Sequence[int], total: Any) -> str:
    if variance <= 0:
        return _("The ranks are the same whatever is chosen.")
    lang = language()
    most = [factor_name(factors[f]) for f in order[:2] if total[f] >= NOTABLE]
    least = [factor_name(factors[f]) for f in order if total[f] < NOTABLE]
    first = _("The ranks depend most on %(factors)s.") % {"factors": formats.listing(most, lang)}
    if not least:
        return first
    if len(least) > MOST_LEAST:
        return f"{first} " + _("Nothing else makes more than a little difference.")
    rest = _("Hardly any difference is made by %(factors)s.") % {"factors": formats.listing(least, lang)}
    return f"{first} {rest}"


def _together(alone: float, lang: str) -> str:
    """Say how much of the variance no factor makes by itself."""
    return _(
        "%(alone)s of how much the ranks change is owed to single choices, the rest to several choices together."
    ) % {"alone": formats.percent(alone, lang)}  # fmt: skip


def _most_of(factors: Sequence[str], total: Any, variance: float) -> str:
    if variance <= 0:
        return _("nothing that is drawn here")
    order = sorted(range(len(factors)), key=lambda f: -float(total[f]))[:2]
    return formats.listing([factor_name(factors[f]) for f in order if total[f] >= NOTABLE], language())


# ---- pattern


@dataclass(frozen=True, slots=True)
class ClusterRow:
    """A place of a cluster, or one unlike its neighbours."""

    code: str
    name: str
    css: str
    kind_text: str
    score_text: str
    neighbours_text: str
    p_text: str


@dataclass(frozen=True, slots=True)
class PatternView:
    """How scores lie in the city."""

    sentence: str
    clusters: str
    numbers: str
    notice: str
    rows: tuple[ClusterRow, ...]
    key: tuple[tuple[str, str, str], ...]
    fills: Mapping[str, str]


def cluster_name(kind: str) -> str:
    """Return what a kind of cluster is called."""
    return {
        "high-high": _("high need among high need"),
        "low-low": _("low need among low need"),
        "high-low": _("high need among low need"),
        "low-high": _("low need among high need"),
        "none": _("no more alike than chance would make it"),
    }[kind]


def pattern_view(found: IndexPattern) -> PatternView:
    """Present how scores lie in the city, and the places that are alike or unlike their neighbours."""
    lang, whole = language(), found.whole
    kinds = [KINDS[number] for number in found.kind.tolist()]
    counts = {kind: sum(one == kind for one in kinds) for kind in CLUSTER_CSS}
    order = sorted(
        (i for i, kind in enumerate(kinds) if kind != "none"),
        key=lambda i: (list(CLUSTER_CSS).index(kinds[i]), -float(found.scores[i])),
    )
    lags = found.neighbours.weights @ np.nan_to_num(found.scores)
    rows = tuple(
        ClusterRow(
            found.places[i].code,
            found.places[i].name,
            CLUSTER_CSS[kinds[i]],
            cluster_name(kinds[i]),
            formats.number(float(found.scores[i]), lang, 1),
            formats.number(float(lags[i]), lang, 1),
            p_text(float(found.clusters.p_false_discovery[i]), lang),
        )
        for i in order
    )
    islands = len(found.neighbours.islands)
    return PatternView(
        sentence=_pattern_sentence(whole.i, whole.expected, whole.p_permuted),
        clusters=_clusters_sentence(counts, lang),
        numbers=_("Moran's I %(i)s (by chance %(expected)s), p %(p)s, %(n)s places")
        % {
            "i": formats.number(whole.i, lang, 2),
            "expected": formats.number(whole.expected, lang, 2),
            "p": p_text(whole.p_permuted, lang),
            "n": formats.number(whole.places, lang),
        },
        notice=ngettext(
            "%(n)s place touches no other and is not looked at.",
            "%(n)s places touch no other and are not looked at.",
            islands,
        )
        % {"n": formats.number(islands, lang)}
        if islands
        else "",
        rows=rows,
        key=tuple((CLUSTER_CSS[kind], cluster_name(kind), formats.number(n, lang)) for kind, n in counts.items() if n),
        fills={place.code: CLUSTER_CSS[kind] for place, kind in zip(found.places, kinds, strict=True)},
    )


def _pattern_sentence(i: float, expected: float, p: float) -> str:
    if p > LEVEL:
        return _("Places of high need do not lie together more than chance would make them.")
    if i > expected:
        return _("Places of high need lie together: a place is like its neighbours.")
    return _("Places are unlike their neighbours: high need lies beside low need.")


def _clusters_sentence(counts: Mapping[str, int], lang: str) -> str:
    high, low = counts["high-high"], counts["low-low"]
    odd = counts["high-low"] + counts["low-high"]
    parts = [
        text % {"n": formats.number(n, lang)}
        for n, text in (
            (high, ngettext("%(n)s place of high need among such", "%(n)s places of high need among such", high)),
            (low, ngettext("%(n)s place of low need among such", "%(n)s places of low need among such", low)),
            (odd, ngettext("%(n)s place unlike its neighbours", "%(n)s places unlike their neighbours", odd)),
        )
        if n
    ]
    if not parts:
        return _("No single place is more like its neighbours, or less, than chance would make it.")
    return _("Beyond chance: %(found)s.") % {"found": formats.listing(parts, lang)}


def p_text(p: float, lang: str) -> str:
    """Write a p-value: three decimals, and below the smallest as less.

    Examples
    --------
    >>> p_text(0.0004, "en"), p_text(0.0312, "en")
    ('< 0.001', '0.031')
    """
    return f"< {formats.number(0.001, lang, 3)}" if p < 0.001 else formats.number(p, lang, 3)


# ---- reversals


@dataclass(frozen=True, slots=True)
class ReversalsView:
    """Whether the order of places holds when something else changes."""

    sentence: str
    by_places: tuple[str, ...]
    by_indicators: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether there is anything that must be seen."""
        return bool(self.by_places or self.by_indicators)


def reversals_view(document: Document) -> ReversalsView:
    """Present the rank reversals that a document of an index tells."""
    lang, told = language(), document["reversals"]
    names = {place["code"]: formats.isolated(named(place), lang) for place in document["places"]}
    shorts = {one["code"]: named(one, "short") for one in document["indicators"]}
    found = told["found"]
    tried = formats.number(told["asked"], lang)
    by_places = [one for one in found if one["change"] != "indicator-left-out"]
    by_indicators = [one for one in found if one["change"] == "indicator-left-out"]
    if not found:
        sentence = _("The order holds: none of %(tried)s changes tried swaps two places.") % {"tried": tried}
    else:
        swapped = ngettext(
            "%(n)s of %(tried)s changes tried swaps places that it does not touch.",
            "%(n)s of %(tried)s changes tried swap places that they do not touch.",
            len(found),
        ) % {"n": formats.number(len(found), lang), "tried": tried}
        none = "" if by_places else " " + _("No place changes the order of others; only indicators do.")
        sentence = swapped + none
    return ReversalsView(
        sentence,
        tuple(_reversal_texts(by_places, names, names, lang)),
        tuple(_reversal_texts(by_indicators, names, shorts, lang)),
    )


def _reversal_texts(
    found: Sequence[Mapping[str, Any]], names: Mapping[str, str], changed: Mapping[str, str], lang: str
) -> Iterator[str]:
    for one in found:
        pairs = [
            pgettext("order of two places", "%(first)s before %(second)s")
            % {"first": names[behind], "second": names[ahead]}
            for ahead, behind in one["pairs"][:3]
        ]
        if one["count"] > len(pairs):
            pairs.append(
                ngettext("%(n)s more", "%(n)s more", one["count"] - len(pairs))
                % {"n": formats.number(one["count"] - len(pairs), lang)}
            )
        text = (
            _("If there were two places like %(name)s: %(pairs)s.")
            if one["change"] == "place-copied"
            else _("Without %(name)s: %(pairs)s.")
        )
        yield text % {"name": changed[one["code"]], "pairs": "؛ ".join(pairs) if lang == "fa" else "; ".join(pairs)}


__all__ = [
    "PatternView", "ReversalsView", "SensitivityView", "pattern_view", "reversals_view", "sensitivity_view",
]  # fmt: skip
