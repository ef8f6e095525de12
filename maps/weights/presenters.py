"""Institutions' weights side by side, as their page tells it. Pure: results in, frozen words out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.indicators import IndicatorRow
from analysis.indices.weighing import WeightComparison
from interventions.models import WeightSet
from maps.pages import formats
from maps.pages.measured import Choice
from maps.pages.reader import language
from maps.weights import words
from maps.weights.charts import Orders, orders_drawn
from maps.weights.set_presenters import labels_of, use_address

CSS: Final = ("spread-none", "spread-some", "spread-wide")
MOST_INDICATORS: Final = 8


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place with its rank by each set.

    Attributes
    ----------
    ranks
        The rank by each set in words, and whether it is among the first there.
    joint
        The rank by all sets together; empty where there is one set.
    """

    code: str
    name: str
    is_settlement: bool
    ranks: tuple[tuple[str, bool], ...]
    joint: str
    spread: str
    css: str


@dataclass(frozen=True, slots=True)
class IndicatorView:
    """An indicator with its weight in each set; widths are of 100."""

    name: str
    cells: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class CompareView:
    """The page of several sets."""

    finding: str
    basis: str
    columns: tuple[str, ...]
    has_joint: bool
    rows: tuple[PlaceView, ...]
    fills: Mapping[str, str]
    key: tuple[tuple[str, str, str], ...]
    chart: Orders | None
    chart_more: str
    indicators: tuple[IndicatorView, ...]
    indicator_finding: str
    pairs: tuple[tuple[str, str, str, str], ...]
    joined: str
    joint_use: str
    notices: tuple[str, ...]


def kinds_view(chosen: str) -> tuple[Choice, ...]:
    """Present which places can be ranked."""
    kinds = (("settlement", _("informal settlements")), ("neighbourhood", _("neighbourhoods")), ("", _("all places")))
    return tuple(Choice(code, word, code == chosen) for code, word in kinds)


def compare_view(
    found: WeightComparison, sets: Sequence[WeightSet], *, city: str, kind: str, known: Sequence[IndicatorRow]
) -> CompareView:
    """Present several sets side by side, or what one leads to."""
    lang = language()
    labels = labels_of(sets)
    names = [labels[one.pk] for one in sets]
    matrix, ranks, spread = found.matrix, found.ranks, found.agreement.spread
    count = len(matrix.places)
    order = np.argsort(found.joint.rank if found.joint else ranks[0], kind="stable").tolist()
    classes = [CSS[_class(int(value), count)] for value in spread]
    texts = [[formats.number(int(rank), lang) for rank in row] for row in ranks]
    is_several = len(sets) > 1
    rows = tuple(
        PlaceView(
            code=matrix.places[i].code,
            name=matrix.places[i].name,
            is_settlement=matrix.places[i].kind == "settlement",
            ranks=tuple((texts[k][i], bool(found.agreement.first[k, i])) for k in range(len(sets))),
            joint=formats.number(int(found.joint.rank[i]), lang) if found.joint else "",
            spread=formats.number(int(spread[i]), lang),
            css=classes[i] if is_several else "",
        )
        for i in order
    )
    chart = None
    if is_several and count > 1:
        chart = orders_drawn(
            ranks, [one.code for one in matrix.places], [one.name for one in matrix.places], names, texts,
            is_rtl=lang == "fa",
        )  # fmt: skip
    joint_use = ""
    if found.joint_shares is not None:
        together = {one.code: float(share) for one, share in zip(matrix.indicators, found.joint_shares, strict=True)}
        joint_use = use_address(city, {code: share for code, share in together.items() if share > 0}, kind, known)
    return CompareView(
        finding=_finding(found, sets, names, lang),
        basis=_basis(found, len(sets), lang),
        columns=tuple(names),
        has_joint=found.joint is not None,
        rows=rows,
        fills={place.code: classes[i] for i, place in enumerate(matrix.places)} if is_several else _firsts(found),
        key=_key(classes, count, lang) if is_several else (),
        chart=chart,
        chart_more=_chart_more(chart, count, lang),
        indicators=_indicators(found, lang),
        indicator_finding=_indicator_finding(found, names, lang),
        pairs=tuple(_pairs(found, names, lang)) if len(sets) > 2 else (),
        joined=_("All together: the geometric means of their comparisons.")
        if found.joined == "comparisons"
        else _("All together: the mean of their shares, each institution counting the same."),
        joint_use=joint_use,
        notices=tuple(_notices(found, lang)),
    )


def _class(spread: int, places: int) -> int:
    """Return how far institutions are apart about a place: hardly, somewhat, or widely."""
    return 0 if spread <= max(1, places // 10) else 1 if spread <= max(3, 3 * places // 10) else 2


def _firsts(found: WeightComparison) -> dict[str, str]:
    return {
        place.code: "spread-wide" if found.agreement.first[0, i] else "spread-none"
        for i, place in enumerate(found.matrix.places)
    }


def _key(classes: Sequence[str], places: int, lang: str) -> tuple[tuple[str, str, str], ...]:
    near, far = (formats.number(n, lang) for n in (max(1, places // 10), max(3, 3 * places // 10)))
    texts = (
        _("agreed: ranks differ by %(n)s at most") % {"n": near},
        _("disputed: by up to %(n)s") % {"n": far},
        _("widely disputed: by more"),
    )
    return tuple((css, text, formats.number(classes.count(css), lang)) for css, text in zip(CSS, texts, strict=True))


def _who(sets: Sequence[WeightSet], names: Sequence[str], lang: str) -> str:
    if len(sets) <= 2:
        return formats.listing([formats.isolated(name, lang) for name in names], lang)
    n = formats.number(len(sets), lang)
    if len({one.organisation_id for one in sets}) == len(sets):
        return ngettext("%(n)s institution", "%(n)s institutions", len(sets)) % {"n": n}
    return ngettext("%(n)s set of weights", "%(n)s sets of weights", len(sets)) % {"n": n}


def _finding(found: WeightComparison, sets: Sequence[WeightSet], names: Sequence[str], lang: str) -> str:
    places, ranks = found.matrix.places, found.ranks
    if len(sets) == 1:
        first = [i for i in np.argsort(ranks[0], kind="stable").tolist() if found.agreement.first[0, i]]
        told = formats.listing([formats.isolated(places[i].name, lang) for i in first[: found.first]], lang)
        return _("%(who)s puts %(places)s first; no other institution is beside it.") % {
            "who": formats.isolated(names[0], lang),
            "places": told,
        }
    who = _who(sets, names, lang)
    spread = found.agreement.spread
    if not spread.any():
        return _("%(who)s put all places in the same order.") % {"who": who}
    at = int(np.lexsort((ranks.min(axis=0), -spread))[0])
    a, b = int(np.argmin(ranks[:, at])), int(np.argmax(ranks[:, at]))
    values = {
        "who": who,
        "n": formats.number(min(int(found.agreement.first_of_all.sum()), found.first), lang),
        "k": formats.number(found.first, lang),
        "place": formats.isolated(places[at].name, lang),
        "high": formats.number(int(ranks[a, at]), lang),
        "low": formats.number(int(ranks[b, at]), lang),
        "a": formats.isolated(names[a], lang),
        "b": formats.isolated(names[b], lang),
    }
    if not found.agreement.first_of_all.any():
        agreed = _("%(who)s agree on none of the %(k)s worst places") % values
    elif int(found.agreement.first_of_all.sum()) >= found.first:
        agreed = _("%(who)s agree on the %(k)s worst places") % values
    else:
        agreed = _("%(who)s agree on %(n)s of the %(k)s worst places") % values
    rest = _("they differ most about %(place)s: rank %(high)s for %(a)s, %(low)s for %(b)s.") % values
    return _("%(first)s; %(rest)s") % {"first": agreed, "rest": rest}


def _basis(found: WeightComparison, sets: int, lang: str) -> str:
    parts = [
        ngettext("%(n)s set of weights", "%(n)s sets of weights", sets) % {"n": formats.number(sets, lang)},
        ngettext("%(n)s place", "%(n)s places", len(found.matrix.places))
        % {"n": formats.number(len(found.matrix.places), lang)},
        ngettext("%(n)s indicator", "%(n)s indicators", len(found.matrix.indicators))
        % {"n": formats.number(len(found.matrix.indicators), lang)},
        words.concordance_text(found.agreement.concordance),
    ]
    return " · ".join(filter(None, parts))


def _chart_more(chart: Orders | None, places: int, lang: str) -> str:
    if chart is None or places <= len(chart.lines):
        return ""
    return _("Drawn are the first %(n)s of %(all)s places; the table has all.") % {
        "n": formats.number(len(chart.lines), lang),
        "all": formats.number(places, lang),
    }


def _by_difference(found: WeightComparison) -> list[int]:
    gaps = found.shares.max(axis=0) - found.shares.min(axis=0)
    order: list[int] = np.argsort(-gaps, kind="stable").tolist()
    return order


def _indicators(found: WeightComparison, lang: str) -> tuple[IndicatorView, ...]:
    most = float(found.shares.max()) or 1.0
    return tuple(
        IndicatorView(
            found.matrix.indicators[k].short,
            tuple((formats.percent(float(share), lang), 100 * float(share) / most) for share in found.shares[:, k]),
        )
        for k in _by_difference(found)[:MOST_INDICATORS]
    )


def _indicator_finding(found: WeightComparison, names: Sequence[str], lang: str) -> str:
    if len(names) < 2:
        return ""
    k = _by_difference(found)[0]
    column = found.shares[:, k]
    a, b = int(np.argmax(column)), int(np.argmin(column))
    if column[a] - column[b] < 0.0005:
        return _("They weigh every indicator alike.")
    return _("They differ most about the weight of “%(name)s”: %(high)s for %(a)s, %(low)s for %(b)s.") % {
        "name": found.matrix.indicators[k].short,
        "high": formats.percent(float(column[a]), lang),
        "low": formats.percent(float(column[b]), lang),
        "a": formats.isolated(names[a], lang),
        "b": formats.isolated(names[b], lang),
    }


def _pairs(found: WeightComparison, names: Sequence[str], lang: str) -> Iterator[tuple[str, str, str, str]]:
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            tau = float(found.agreement.taus[i, j])
            yield names[i], names[j], words.tau_text(tau), formats.number(tau, lang, 2)


def _notices(found: WeightComparison, lang: str) -> Iterator[str]:
    for text, items in (
        (_("Left out, because they have no goalposts: %(names)s."), [one.short for one in found.left_out]),
        (_("Left out, because the city has no values of them: %(names)s."), list(found.unknown)),
    ):
        if items:
            yield text % {"names": formats.listing(items, lang)}


__all__ = ["CompareView", "IndicatorView", "PlaceView", "compare_view", "kinds_view"]
