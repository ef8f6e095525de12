"""The form of an institution's weights, and what they lead to while somebody types. Pure: what was typed in, words out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.indicators import IndicatorRow
from analysis.indices.weighing import DomainWeights, WeightComparison
from interventions.models import Organisation, WeightSet
from interventions.selectors import organisation_labels
from maps.indices.forms import PREFIX
from maps.pages import formats
from maps.pages.reader import language
from maps.pages.typed import Typed
from maps.weights import words
from maps.weights.forms import POINTS_PREFIX, TICK, domains_of, pair_field, pairs_of

SLIDER_MOST = 5.0
SLIDER_STEP = 0.5


@dataclass(frozen=True, slots=True)
class FieldView:
    """An indicator in each of the three ways.

    Attributes
    ----------
    step
        Of the slider; ``any`` for a weight that lies between its steps.
    """

    code: str
    name: str
    definition: str
    slider: str
    weight: str
    weight_text: str
    most: str
    step: str
    points_field: str
    points: str
    points_wrong: str
    is_ticked: bool
    note: str


@dataclass(frozen=True, slots=True)
class PairView:
    """A comparison of two domains."""

    field: str
    a: str
    b: str
    a_name: str
    b_name: str
    steps: int
    text: str
    is_open: bool
    is_odd: bool


@dataclass(frozen=True, slots=True)
class FormView:
    """The form."""

    organisations: tuple[tuple[str, str, bool], ...]
    hows: tuple[tuple[str, str, str, bool], ...]
    domains: tuple[tuple[str, str, tuple[FieldView, ...]], ...]
    pairs: tuple[PairView, ...]


@dataclass(frozen=True, slots=True)
class ShareView:
    """What a domain or an indicator weighs; `width` is of 100."""

    name: str
    text: str
    width: float


@dataclass(frozen=True, slots=True)
class LiveView:
    """What the weights lead to.

    Attributes
    ----------
    problem
        Why nothing can be said yet.
    points
        Of 100, how many are left.
    consistency, is_consistent
        Of comparisons.
    odd_field
        The comparison that is most at odds with the others, where they contradict each other too much.
    """

    problem: str
    points: str
    is_points_right: bool
    consistency: str
    is_consistent: bool
    odd_field: str
    shares: tuple[ShareView, ...]
    first: str


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """What two versions say otherwise of an indicator."""

    name: str
    theirs: str
    mine: str


def form_view(
    known: Sequence[IndicatorRow], organisations: Sequence[Organisation], typed: Typed, odd_field: str = ""
) -> FormView:
    """Present the form."""
    values, ticked = typed.values, set(typed.lists.get(TICK, []))
    counted = {one.domain for one in known if one.code in ticked}
    return FormView(
        organisations=tuple(
            (str(pk), label, str(pk) == values.get("organisation"))
            for pk, label in organisation_labels(tuple(organisations))
        ),
        hows=tuple((how, str(name), str(text), how == values.get("how")) for how, (name, text) in words.HOWS.items()),
        domains=tuple(
            (code, words.domain_name(code), tuple(_field_view(one, typed, ticked) for one in rows))
            for code, rows in domains_of(known).items()
        ),
        pairs=tuple(_pair_view(a, b, typed, counted, odd_field) for a, b in pairs_of(known)),
    )


def _field_view(one: IndicatorRow, typed: Typed, ticked: set[str]) -> FieldView:
    lang, values = language(), typed.values
    weight = _float(values.get(PREFIX + one.code, ""))
    is_between = weight > SLIDER_MOST or weight % SLIDER_STEP > 1e-9
    return FieldView(
        code=one.code,
        name=one.short,
        definition=one.definition or one.name,
        slider=PREFIX + one.code,
        weight=f"{weight:.6g}",
        weight_text=formats.number(weight, lang, 1 if weight % 1 else 0),
        most=f"{max(SLIDER_MOST, weight):.6g}",
        step="any" if is_between else f"{SLIDER_STEP:g}",
        points_field=POINTS_PREFIX + one.code,
        points=_bare(values.get(POINTS_PREFIX + one.code, "")),
        points_wrong=typed.wrong.get(POINTS_PREFIX + one.code, ""),
        is_ticked=one.code in ticked,
        note="" if one.goalposts is not None else _("no goalposts: counts only where scores need none"),
    )


def _pair_view(a: str, b: str, typed: Typed, counted: set[str], odd_field: str) -> PairView:
    field = pair_field(a, b)
    steps = round(max(-8.0, min(8.0, _float(typed.values.get(field, "")))))
    return PairView(
        field, a, b, words.domain_name(a), words.domain_name(b), steps, words.pair_text(a, b, steps),
        a in counted and b in counted, field == odd_field,
    )  # fmt: skip


def _float(text: str) -> float:
    """Return what a slider sends; sliders send ASCII, and what is none of theirs stands as nothing."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if np.isfinite(value) else 0.0


def _bare(text: str) -> str:
    """Return points as they were typed, in the reader's digits, without the zeros that say nothing."""
    if text.strip() == "0":
        return ""
    return formats.digits(text, "fa").replace(".", "٫") if language() == "fa" else text


# ---- what it leads to


def live_view(
    *,
    how: str,
    points: float,
    problem: str = "",
    compared: DomainWeights | None = None,
    shares: Mapping[str, float] | None = None,
    known: Sequence[IndicatorRow] = (),
    ranked: WeightComparison | None = None,
) -> LiveView:
    """Present what weights lead to.

    Parameters
    ----------
    points
        That are left of 100.
    shares
        By code of indicator, summing to 1.
    """
    is_points = how == WeightSet.How.ALLOCATION
    return LiveView(
        problem=problem,
        points=points_text(points) if is_points else "",
        is_points_right=abs(points) < 1e-6,
        consistency=words.consistency_text(compared.consistency, compared.domains) if compared else "",
        is_consistent=compared is None or compared.consistency.is_consistent,
        odd_field=_odd_field(compared) if compared else "",
        shares=share_views(shares, known) if shares else (),
        first=_first_text(ranked) if ranked else "",
    )


def _odd_field(compared: DomainWeights) -> str:
    found = compared.consistency
    if found.is_consistent or found.most_at_odds is None:
        return ""
    a, b = sorted(found.most_at_odds)
    return pair_field(compared.domains[a], compared.domains[b])


def points_text(left: float) -> str:
    """Say how many points are left."""
    lang = language()
    amount = abs(left)
    text = formats.number(amount, lang, 0 if abs(amount - round(amount)) < 1e-9 else 1)
    count = 1 if amount == 1 else 2
    if amount < 1e-6:
        return _("All 100 points are divided.")
    if left > 0:
        return ngettext("%(n)s point is left.", "%(n)s points are left.", count) % {"n": text}
    return ngettext("%(n)s point too many is given.", "%(n)s points too many are given.", count) % {"n": text}


def share_views(shares: Mapping[str, float], known: Sequence[IndicatorRow]) -> tuple[ShareView, ...]:
    """Present what each domain weighs, the largest first."""
    lang = language()
    sums = {code: sum(shares.get(one.code, 0.0) for one in rows) for code, rows in domains_of(known).items()}
    most = max(sums.values(), default=1.0) or 1.0
    return tuple(
        ShareView(words.domain_name(code), formats.percent(share, lang), 100 * share / most)
        for code, share in sorted(sums.items(), key=lambda one: -one[1])
        if share > 0
    )


def _first_text(ranked: WeightComparison) -> str:
    lang = language()
    rank = ranked.rankings[0].rank
    order = np.argsort(rank, kind="stable")[: ranked.first].tolist()
    names = formats.listing([formats.isolated(ranked.matrix.places[i].name, lang) for i in order], lang)
    return ngettext("%(places)s comes first.", "%(places)s come first.", len(order)) % {"places": names}


def difference_views(
    theirs: Mapping[str, float], mine: Mapping[str, float], known: Sequence[IndicatorRow]
) -> tuple[DifferenceView, ...]:
    """Present where two versions weigh otherwise, in shares of all weight."""
    lang = language()
    a, b = shares_of(theirs), shares_of(mine)
    return tuple(
        DifferenceView(
            one.short,
            formats.percent(a.get(one.code, 0.0), lang, 1),
            formats.percent(b.get(one.code, 0.0), lang, 1),
        )
        for one in known
        if abs(a.get(one.code, 0.0) - b.get(one.code, 0.0)) >= 0.0005
    )


def shares_of(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights such that they sum to 1."""
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


__all__ = [
    "DifferenceView", "FieldView", "FormView", "LiveView", "PairView", "ShareView", "difference_views", "form_view", "live_view",
    "points_text", "share_views", "shares_of",
]  # fmt: skip
