"""How a place stands in an index, as its page tells it. Pure: an explanation in, frozen words out."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.core.explaining import Neighbour
from analysis.indicators import IndicatorMatrix
from analysis.indices.explanations import NEIGHBOURS_WITHIN_M, Explanation
from analysis.models import Indicator
from maps.pages import formats
from maps.pages.reader import language, word
from maps.why.wording import kind_text, name_in_sentence, names_text, value_text

CSS = {
    "robustly-worst": "sure-worst",
    "depends-on-choices": "depends",
    "robustly-fine": "sure-fine",
    "no-data": "c-none",
}
MOST_PARTS = 10
MOST_APART = 6
MOST_NEAR = 8
_TOLD = 0.05


@dataclass(frozen=True, slots=True)
class PartRow:
    """What one indicator adds to the score.

    Attributes
    ----------
    bar, mean_x
        In per cent of the longest bar; the mean of the places that are ranked.
    origin
        How it came about, its day and source.
    """

    code: str
    name: str
    definition: str
    domain: str
    points: float
    points_text: str
    bar: float
    mean_x: float
    value_text: str
    mean_text: str
    weight_text: str
    error_text: str
    date_text: str
    source: str
    is_missing: bool


@dataclass(frozen=True, slots=True)
class ApartRow:
    """What one indicator does between a place and a neighbour in rank; the bar is signed, in per cent of the longest."""

    name: str
    points_text: str
    bar: float
    is_theirs: bool
    own_text: str
    their_text: str


@dataclass(frozen=True, slots=True)
class NeighbourView:
    """A neighbour in rank."""

    code: str
    name: str
    rank_text: str
    sentence: str
    rows: tuple[ApartRow, ...]


@dataclass(frozen=True, slots=True)
class NearRow:
    """A place near the line."""

    code: str
    name: str
    rank_text: str
    points_text: str
    is_inside: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class WhyView:
    """All that the page says at once.

    Attributes
    ----------
    low_x, width, mark_x, line_x
        Of the bar of ranks, on 100 units from the first rank to the last; the line is after the first so many.
    nothing
        The parts that add less.
    has_parts
        Whether the method divides its score among indicators: else `PartRow.bar` is the indicator's own score.
    """

    code: str
    name: str
    is_settlement: bool
    finding: str
    why: str
    css: str
    message: str
    rank_text: str
    of_text: str
    line_text: str
    interval_text: str
    chance_text: str
    score_text: str
    reliability_text: str
    low_x: float
    width: float
    mark_x: float
    line_x: float
    parts: tuple[PartRow, ...]
    nothing: tuple[PartRow, ...]
    nothing_text: str
    has_parts: bool
    missing: str
    above: NeighbourView | None
    below: NeighbourView | None
    tied: str
    near: tuple[NearRow, ...]
    near_text: str
    around: str
    surrounded: str


def why_view(found: Explanation) -> WhyView:
    """Present how a place stands."""
    lang = language()
    result, i = found.result, found.place
    matrix, priority, sure = result.matrix, result.priority, result.uncertainty
    place, count = matrix.places[i], len(matrix.places)
    low, high, rank = int(sure.low_rank[i]), int(sure.high_rank[i]), int(priority.rank[i])
    step = 100 / max(count, 2)
    reliability = float(priority.reliability[i])
    rows = part_rows(found)
    shown = [row for k, row in enumerate(rows) if row.is_missing or (k < MOST_PARTS and row.points >= _TOLD)]
    nothing = tuple(row for row in rows if row not in shown)
    missing = [name_in_sentence(matrix.indicators[k]) for k in np.flatnonzero(~priority.present[i]).tolist()]
    return WhyView(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == "settlement",
        finding=finding_text(found),
        why=why_text(found),
        css=CSS[sure.message[i]],
        message=message_text(sure.message[i], found.line, lang),
        rank_text=formats.number(rank, lang),
        of_text=formats.number(count, lang),
        line_text=formats.number(found.line, lang),
        interval_text=interval_text(low, high, lang),
        chance_text=formats.percent(float(sure.chance_first[i, 0]), lang),
        score_text=formats.number(float(priority.score[i]), lang, 1),
        reliability_text=formats.percent(reliability, lang),
        low_x=(low - 1) * step,
        width=(high - low + 1) * step,
        mark_x=(rank - 0.5) * step,
        line_x=found.line * step,
        parts=tuple(shown),
        nothing=nothing,
        nothing_text=ngettext(
            "%(n)s more indicator adds less or nothing", "%(n)s more indicators add less or nothing", len(nothing)
        )
        % {"n": formats.number(len(nothing), lang)},
        has_parts=priority.parts is not None,
        missing=_("Nothing is known here of: %(names)s. The other indicators stand in for them.")
        % {"names": formats.listing(missing, lang)}
        if missing
        else "",
        above=_neighbour(found, found.standing.above, lang),
        below=_neighbour(found, found.standing.below, lang),
        tied=ngettext("%(places)s has the same rank.", "%(places)s have the same rank.", len(found.standing.tied))
        % {"places": names_text(result, found.standing.tied, lang)}
        if found.standing.tied
        else "",
        near=tuple(_near_rows(found, lang)),
        near_text=_near_text(found, lang),
        around=_around_text(found, lang),
        surrounded=_surrounded_text(found, lang),
    )


# ---- the finding


def interval_text(low: int, high: int, lang: str) -> str:
    """Return where a rank lies in nine draws of ten."""
    if low == high:
        return formats.number(low, lang)
    return _("%(low)s to %(high)s") % {"low": formats.number(low, lang), "high": formats.number(high, lang)}


def message_text(message: str, line: int, lang: str) -> str:
    """Return in words how sure it is that a place is among the first so many."""
    values = {"n": formats.number(line, lang)}
    return {
        "robustly-worst": _("among the first %(n)s, whatever is chosen") % values,
        "depends-on-choices": _("depends on what is chosen"),
        "robustly-fine": _("not among the first %(n)s, whatever is chosen") % values,
        "no-data": _("no data"),
    }[message]


def finding_text(found: Explanation) -> str:
    """Say where a place stands, and how sure that is."""
    result, i = found.result, found.place
    sure = result.uncertainty
    return standing_text(
        name=result.matrix.places[i].name,
        rank=int(result.priority.rank[i]),
        count=len(result.matrix.places),
        low=int(sure.low_rank[i]),
        high=int(sure.high_rank[i]),
        line=found.line,
        message=sure.message[i],
    )


def standing_text(*, name: str, rank: int, count: int, low: int, high: int, line: int, message: str) -> str:
    """Say where a place stands among others, and how sure that is.

    Parameters
    ----------
    low, high
        The ranks between which it lies in nine draws of ten.
    line
        After the first so many.
    message
        Of `analysis.core.uncertainty`.
    """
    lang = language()
    values = {
        "place": formats.isolated(name, lang),
        "rank": formats.number(rank, lang),
        "n": formats.number(count, lang),
        "low": formats.number(low, lang),
        "high": formats.number(high, lang),
        "line": formats.number(line, lang),
    }
    if count == 1:
        return _("%(place)s is the only place that is ranked: there is nothing to compare it with.") % values
    if message == "no-data":
        return _("Nothing is known of %(place)s by these indicators, so it comes last without a score.") % values
    where = {
        "robustly-worst": _("%(place)s ranks %(rank)s of %(n)s and is robustly among the worst %(line)s"),
        "robustly-fine": _("%(place)s ranks %(rank)s of %(n)s and is robustly not among the worst %(line)s"),
        "depends-on-choices": _(
            "%(place)s ranks %(rank)s of %(n)s; whether it is among the worst %(line)s depends on what is chosen"
        ),
    }[message] % values
    if low == high:
        return _("%(where)s: it keeps its rank in 90%% of rankings.") % {"where": where}
    return _("%(where)s: between %(low)s and %(high)s in 90%% of rankings.") % {**values, "where": where}


def why_text(found: Explanation) -> str:
    """Say what most of a place's points come from."""
    lang, result, i = language(), found.result, found.place
    parts = result.priority.parts
    if parts is None:
        scores = np.nan_to_num(result.scores[i]) * result.priority.weights
        order = [int(k) for k in np.argsort(-scores, kind="stable")[:3] if scores[k] > 0]
        names = [name_in_sentence(result.matrix.indicators[k]) for k in order]
        return _("It is worst in: %(names)s.") % {"names": formats.listing(names, lang)} if names else ""
    order = [int(k) for k in np.argsort(-parts[i], kind="stable") if parts[i, k] >= _TOLD]
    if not order:
        return _("Nothing that is measured here is lacking.")
    half, names = 0.0, []
    for k in order:
        names.append(name_in_sentence(result.matrix.indicators[k]))
        half += float(parts[i, k])
        if half >= float(parts[i].sum()) / 2:
            break
    if len(names) == len(order) == 1:
        return _("All of its points in the index come from: %(names)s.") % {"names": names[0]}
    if len(names) > 5:
        rest = len(names) - 4
        names = [*names[:4], ngettext("%(n)s more", "%(n)s more", rest) % {"n": formats.number(rest, lang)}]
    return _("More than half of its points in the index come from: %(names)s.") % {
        "names": formats.listing(names, lang)
    }


# ---- parts of the score


def part_rows(found: Explanation) -> list[PartRow]:
    """Present what each indicator adds, the most first, what is missing last."""
    lang, result, i = language(), found.result, found.place
    matrix, priority = result.matrix, result.priority
    bars = priority.parts if priority.parts is not None else 100.0 * np.nan_to_num(result.scores)
    means = bars.mean(axis=0)
    longest = max(float(bars[i].max()), float(means.max()), 1e-9)
    order = sorted(range(len(matrix.indicators)), key=lambda k: (not priority.present[i, k], -bars[i, k], k))
    found_rows = []
    for k in order:
        one, is_missing = matrix.indicators[k], not bool(priority.present[i, k])
        service = found.services.get(one.code)
        column = matrix.values[:, k]
        mean = float(np.nanmean(column)) if not np.isnan(column).all() else None
        error = float(matrix.errors[i, k])
        told = matrix.told_on.get((i, k))
        found_rows.append(
            PartRow(
                code=one.code,
                name=one.short,
                definition=one.definition or one.name,
                domain=str(Indicator.Domain(one.domain).label),
                points=float(bars[i, k]),
                points_text=formats.DASH if is_missing else formats.number(float(bars[i, k]), lang, 1),
                bar=100 * float(bars[i, k]) / longest,
                mean_x=100 * float(means[k]) / longest,
                value_text=_("missing") if is_missing else kind_text(one, value_text(one.unit, float(column[i]), lang)),
                mean_text=value_text(one.unit, mean, lang, 0 if one.unit == "%" else None),
                weight_text=formats.percent(float(priority.weights[k]), lang, 1),
                error_text="" if is_missing else _error_text(error, lang, one.unit),
                date_text=formats.day(told or (service.reference_date if service else None), lang)
                if not is_missing
                else "",
                source="" if is_missing else service.source_text if service else _sources_text(matrix, one.code, lang),
                is_missing=is_missing,
            )
        )
    return found_rows


def _sources_text(matrix: IndicatorMatrix, code: str, lang: str) -> str:
    return formats.listing(
        [english if lang == "en" else persian for persian, english in matrix.sources.get(code, ())], lang
    )


def _error_text(error: float, lang: str, unit: str) -> str:
    if math.isnan(error):
        return _("error not known")
    if error == 0:
        return ""
    if unit in ("%", "share"):
        return "±" + formats.percent(error / 100 if unit == "%" else error, lang, 1)
    return "±" + formats.number(error, lang, 1)


# ---- beside whom


def _neighbour(found: Explanation, other: Neighbour | None, lang: str) -> NeighbourView | None:
    if other is None:
        return None
    result = found.result
    place = result.matrix.places[other.place]
    order = [
        int(q)
        for q in np.argsort(-np.abs(other.points_of), kind="stable")[:MOST_APART]
        if abs(other.points_of[q]) >= _TOLD
    ]
    longest = max((abs(float(other.points_of[q])) for q in order), default=1.0)
    values = {"place": formats.isolated(place.name, lang), "points": formats.number(abs(other.points), lang, 1)}
    sentence = (
        _("%(place)s has %(points)s points more.") if other.points > 0 else _("%(place)s has %(points)s points fewer.")
    ) % values
    rows = []
    for q in order:
        one, points = result.matrix.indicators[q], float(other.points_of[q])
        rows.append(
            ApartRow(
                name=one.short,
                points_text=("+" if points > 0 else "") + formats.number(points, lang, 1),
                bar=100 * abs(points) / longest,
                is_theirs=points > 0,
                own_text=value_text(one.unit, float(result.matrix.values[found.place, q]), lang),
                their_text=value_text(one.unit, float(result.matrix.values[other.place, q]), lang),
            )
        )
    return NeighbourView(place.code, place.name, formats.number(other.rank, lang), sentence, tuple(rows))


def beside_texts(found: Explanation) -> list[str]:
    """Say in a sentence each who stands just above and below a place, and what sets them apart the most."""
    lang = language()
    told = []
    for label, other in ((_("Just above"), found.standing.above), (_("Just below"), found.standing.below)):
        view = _neighbour(found, other, lang)
        if view is None:
            continue
        values = {
            "label": label,
            "rank": view.rank_text,
            "sentence": view.sentence,
            "names": formats.listing(
                [f"{word(row.name)} (\u2066{row.points_text}\u2069)" for row in view.rows[:3]], lang
            ),
        }
        told.append(
            _("%(label)s (rank %(rank)s): %(sentence)s What makes the difference: %(names)s.") % values
            if view.rows
            else _("%(label)s (rank %(rank)s): %(sentence)s") % values
        )
    told.append(_around_text(found, lang))
    return told


# ---- the line


def _near_rows(found: Explanation, lang: str) -> list[NearRow]:
    places = found.result.matrix.places
    nearest = sorted(found.misses[:MOST_NEAR], key=lambda miss: (miss.rank, miss.place))
    return [
        NearRow(
            code=places[miss.place].code,
            name=places[miss.place].name,
            rank_text=formats.number(miss.rank, lang),
            points_text=formats.number(miss.points, lang, 1),
            is_inside=miss.is_inside,
            is_here=miss.place == found.place,
        )
        for miss in nearest
    ]


def _near_text(found: Explanation, lang: str) -> str:
    inside = [miss for miss in found.misses if miss.is_inside]
    outside = [miss for miss in found.misses if not miss.is_inside]
    values = {"n": formats.number(found.line, lang), "points": formats.number(5, lang)}
    if len(found.result.matrix.places) <= found.line:
        return _("All places are among the first %(n)s: there is no line between them.") % values
    if not found.misses:
        return _("No place is within %(points)s points of the line after the first %(n)s.") % values
    first = ngettext(
        "%(count)s place just missed the first %(n)s by less than %(points)s points",
        "%(count)s places just missed the first %(n)s by less than %(points)s points",
        len(outside),
    ) % {**values, "count": formats.number(len(outside), lang)}
    second = ngettext(
        "%(count)s place is among them by no more than that.",
        "%(count)s places are among them by no more than that.",
        len(inside),
    ) % {"count": formats.number(len(inside), lang)}
    return _("%(first)s; %(rest)s") % {"first": first, "rest": second}


def _around_text(found: Explanation, lang: str) -> str:
    bad, count = int(found.around.worst_neighbours[found.place]), int(found.around.neighbours[found.place])
    metres = formats.distance(NEIGHBOURS_WITHIN_M, lang)
    if count == 0:
        return _("No other ranked place lies within %(distance)s of it, so it has no neighbours here.") % {
            "distance": metres
        }
    values = {
        "bad": formats.number(bad, lang),
        "count": formats.number(count, lang),
        "n": formats.number(found.line, lang),
    }
    if found.around.is_surrounded[found.place]:
        return (
            _(
                "It is surrounded: %(bad)s of its %(count)s neighbours are among the first %(n)s, it is not. Its own number may "
                "miss what it shares with them."
            )
            % values
        )
    return _("Of its %(count)s neighbours %(bad)s are among the first %(n)s.") % values


def _surrounded_text(found: Explanation, lang: str) -> str:
    rows = [int(i) for i in np.flatnonzero(found.around.is_surrounded) if i != found.place]
    if not rows:
        return ""
    return ngettext(
        "%(places)s is not among the first %(n)s, but more than half of its neighbours are.",
        "%(places)s are not among the first %(n)s, but more than half of their neighbours are.",
        len(rows),
    ) % {"places": names_text(found.result, rows, lang), "n": formats.number(found.line, lang)}


__all__ = [
    "ApartRow", "NearRow", "NeighbourView", "PartRow", "WhyView", "beside_texts", "finding_text", "interval_text", "message_text", "part_rows",
    "standing_text", "why_text", "why_view",
]  # fmt: skip
