"""What changed, as pages tell it: the finding, the map's colours, the matrix of areas, a strip for each value. Rows in, words out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.models import Indicator
from geo.models import Place
from interventions.models import AREA_DEPTH
from interventions.selectors.national import SideBySide
from interventions.selectors.outcomes import (
    AREA_KINDS,
    AREA_VERDICTS,
    AreaRow,
    Changed,
    ChangeRow,
    Done,
    IndicatorRow,
    OverallRow,
    ValueRow,
)
from maps.actions.presenters import money
from maps.outcomes.wording import (
    GLYPHS,
    kinds_name,
    number_text,
    signed,
    unit_name,
    value_text,
    verdict_name,
    year_text,
)
from maps.pages import formats
from maps.pages.reader import language, word

CLASSES: Final = ("better", "unclear", "mixed", "worse", "unknown")
"""Classes of the map, in the order of its key."""
COLOURS: Final = ("#542788", "#f7f7f7", "#8c96a3", "#e08214", "#e4e8ec")
"""The ends and the middle of ColorBrewer's PuOr; grey for what is both, pale for what was not measured."""

WIDTH: Final = 240.0
MARGIN: Final = 10.0
WHISKER: Final = 1.96
"""Standard errors on either side that 95 in 100 true values lie in."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A change on a line on which better is always to the right: the mark, and how far it may be off."""

    x: float
    low: float | None
    high: float | None
    verdict: str
    title: str


@dataclass(frozen=True, slots=True)
class LineView:
    """An indicator in a place."""

    name: str
    address: str
    note: str
    before: str
    before_error: str
    after: str
    after_error: str
    change: str
    beyond: str
    verdict: str
    verdict_text: str
    glyph: str
    target: str
    target_share: str
    strip: Strip | None


@dataclass(frozen=True, slots=True)
class GroupView:
    """An indicator in the places of a kind.

    Attributes
    ----------
    zero, ends
        Where nothing changed, and what the ends of the line stand for.
    """

    kind: str
    mean: str
    lines: tuple[LineView, ...]
    zero: float
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class IndicatorView:
    """An indicator with its places."""

    code: str
    name: str
    domain: str
    definition: str
    direction: str
    summary: str
    is_open: bool
    groups: tuple[GroupView, ...]


@dataclass(frozen=True, slots=True)
class CellView:
    """A cell of the matrix."""

    glyph: str
    text: str
    title: str
    css: str


@dataclass(frozen=True, slots=True)
class AreaView:
    """A row of the matrix: an area over all indicators."""

    code: str
    name: str
    address: str
    is_settlement: bool
    verdict: str
    verdict_text: str
    glyph: str
    note: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class PartView:
    """A part of a place: its areas by what became of them, and what was needed and done there."""

    name: str
    address: str
    counts: tuple[tuple[str, str], ...]
    bars: tuple[tuple[str, float, float], ...]
    bar_title: str
    needs: str
    undecided: str
    finished: str
    late: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True, slots=True)
class ChangedView:
    """The page."""

    finding: str
    beyond: str
    done: tuple[str, ...]
    year: str
    columns: tuple[tuple[str, str], ...]
    is_wide: bool
    areas: tuple[AreaView, ...]
    indicators: tuple[IndicatorView, ...]
    parts: tuple[PartView, ...]
    fills: Mapping[str, str]
    key: tuple[tuple[str, str, str, str], ...]
    has_withheld: bool
    sources: tuple[str, ...]


def changed_view(found: Changed, address: Callable[[str], str], *, beside: SideBySide | None = None) -> ChangedView:
    """Present what changed.

    Parameters
    ----------
    address
        Gives the address of a place's page by its path; empty where it has none.
    beside
        Needs and actions of the same parts.
    """
    rows = {(row.indicator, row.path): row for row in found.rows}
    return ChangedView(
        finding=finding(found),
        beyond=_beyond(found),
        done=done_sentences(found.done, found),
        year=year_text(found.year),
        columns=tuple((one.name.code, one.name.name) for one in found.indicators) if found.areas else (),
        is_wide=is_wide(found),
        areas=tuple(_area(area, found, rows, address) for area in sorted(found.areas, key=_area_order)),
        indicators=tuple(view for one in found.indicators if (view := _indicator(one, found, address)).groups),
        parts=_parts(found, address, beside),
        fills={area.place.code: f"c-change-{area.verdict}" for area in found.areas},
        key=_key(found),
        has_withheld=any(row.is_withheld for row in found.rows),
        sources=_sources(found),
    )


def is_wide(found: Changed) -> bool:
    """Tell whether a place holds more than a county: its areas are counted and not listed."""
    return found.place.path.count("/") < AREA_DEPTH - 1


# ---- sentences


def finding(found: Changed) -> str:
    """Say how many areas became really better and worse."""
    lang = language()
    counts = found.counts()
    measured = sum(counts.values()) - counts["unknown"]
    words = {
        "year": year_text(found.year),
        "place": formats.isolated(found.place.name, lang),
        "all": formats.number(measured, lang),
        "better": formats.number(counts["better"], lang),
        "worse": formats.number(counts["worse"] + counts["mixed"], lang),
    }
    if not found.rows:
        return _("%(place)s: nothing was entered for %(year)s yet.") % words
    if not measured:
        return (
            _("%(place)s: what changed in %(year)s has not been measured yet.") % words
            if not any(row.change for row in found.rows)
            else _whole(found, words)
        )
    text = ngettext(
        "In %(year)s, %(better)s of %(all)s measured area of %(place)s became really better",
        "In %(year)s, %(better)s of %(all)s measured areas of %(place)s became really better",
        measured,
    )
    if counts["worse"] + counts["mixed"]:
        text += ngettext(
            ", and something became really worse in %(worse)s",
            ", and something became really worse in %(worse)s",
            counts["worse"] + counts["mixed"],
        )
    return text % words + "."


def _whole(found: Changed, words: Mapping[str, str]) -> str:
    told = [row for row in found.rows if row.change]
    better = sum(row.verdict == "better" for row in told)
    lang = language()
    return ngettext(
        "In %(year)s, %(n)s of %(all)s measured value in %(place)s became really better.",
        "In %(year)s, %(n)s of %(all)s measured values in %(place)s became really better.",
        len(told),
    ) % {**words, "n": formats.number(better, lang), "all": formats.number(len(told), lang)}


def _beyond(found: Changed) -> str:
    """Say which indicators became better by more than where nothing was done."""
    names = {one.pk: one for one in found.indicators}
    lang = language()
    real = [(key, mean) for key, mean in found.overall.items() if mean.estimate.verdict in ("better", "worse")]
    if not real:
        if not found.overall:
            return ""
        return _("On average nothing changed by more where something was done than in comparison places.")
    return " ".join(
        _("%(indicator)s: where something was done it changed by %(change)s more than in comparison places (%(kind)s).")
        % {
            "indicator": formats.isolated(names[key[0]].name.name, lang),
            "change": difference_text(mean.estimate.value, names[key[0]].unit),
            "kind": word(kinds_name(key[1])),
        }
        for key, mean in real[:3]
        if key[0] in names
    )


def difference_text(value: float, unit: str) -> str:
    """Write a difference: of shares in points, else in the unit."""
    if unit == "%":
        return _("%(change)s percentage points") % {"change": signed(value)}
    return f"{signed(value)} {unit_name(unit)}"


def done_sentences(done: Done, found: Changed) -> tuple[str, ...]:
    """Say what was done in the year: actions, money, people, needs."""
    lang = language()
    year = year_text(found.year)
    told = []
    if done.at_work:
        text = ngettext(
            "%(n)s action was at work in %(year)s: %(finished)s finished, %(late)s late",
            "%(n)s actions were at work in %(year)s: %(finished)s finished, %(late)s late",
            done.at_work,
        )
        text = text % {
            "n": formats.number(done.at_work, lang),
            "year": year,
            "finished": formats.number(done.finished, lang),
            "late": formats.number(done.late, lang),
        }
        text += _("; %(sum)s were spent on them") % {"sum": money(done.spent_irr, lang)}
        if done.people_reached:
            text += _("; at least %(people)s people were reached") % {
                "people": formats.number(done.people_reached, lang)
            }
        told.append(text + ".")
    else:
        told.append(_("No action was at work in %(year)s.") % {"year": year})
    if done.needs:
        told.append(
            ngettext(
                "%(needs)s need was reported in %(year)s; about %(answered)s of them something is decided.",
                "%(needs)s needs were reported in %(year)s; about %(answered)s of them something is decided.",
                done.needs,
            )
            % {
                "needs": formats.number(done.needs, lang),
                "year": year,
                "answered": formats.number(done.answered, lang),
            }
        )
    else:
        told.append(_("No need was reported in %(year)s.") % {"year": year})
    return tuple(told)


def _sources(found: Changed) -> tuple[str, ...]:
    told = [
        source_text(value)
        for row in found.rows
        for value in (row.baseline, row.measured, row.target)
        if value is not None
    ]
    return tuple(dict.fromkeys(told))[:20]


def source_text(value: ValueRow) -> str:
    """Return the source of a value in the language of the reader."""
    return value.source if language() == "en" else value.source_fa or value.source


# ---- areas and parts


def _area_order(area: AreaRow) -> tuple[int, int, int, str]:
    return (AREA_VERDICTS.index(area.verdict), -area.better, 0 if area.kind == "settlement" else 1, area.path)


def _area(
    area: AreaRow, found: Changed, rows: Mapping[tuple[int, str], ChangeRow], address: Callable[[str], str]
) -> AreaView:
    return AreaView(
        code=area.place.code,
        name=area.place.name,
        address=address(area.path),
        is_settlement=area.kind == "settlement",
        verdict=area.verdict,
        verdict_text=verdict_name(area.verdict),
        glyph=GLYPHS[area.verdict],
        note=_("something was done") if area.is_acted_in else _("nothing was done"),
        cells=tuple(_cell(one, rows.get((one.pk, area.path))) for one in found.indicators),
    )


def _cell(indicator: IndicatorRow, row: ChangeRow | None) -> CellView:
    if row is None:
        return CellView("", "", "", "")
    if row.is_withheld:
        return CellView("", _("withheld"), _("a small number of people"), "")
    if row.change is None:
        return CellView("", formats.DASH, verdict_name("unknown"), "")
    return CellView(
        GLYPHS[row.verdict],
        signed(row.change.value),
        f"{indicator.name.name}: {difference_text(row.change.value, indicator.unit)}, {verdict_name(row.verdict)}",
        f"c-change-{row.verdict}" if row.verdict != "unclear" else "",
    )


def _counted(rows: Sequence[ChangeRow]) -> CellView:
    """Present an indicator in the areas of a part: how many became better and worse."""
    lang = language()
    better, worse = (sum(row.verdict == verdict for row in rows) for verdict in ("better", "worse"))
    measured = sum(row.change is not None for row in rows)
    if not measured:
        return CellView("", formats.DASH if rows else "", verdict_name("unknown") if rows else "", "")
    told = [f"{GLYPHS[name]} {formats.number(n, lang)}" for name, n in (("better", better), ("worse", worse)) if n]
    css = f"c-change-{'better' if better > worse else 'worse'}" if better != worse else ""
    text = "  ".join(told) or GLYPHS["unclear"]
    title = _("%(better)s better, %(worse)s worse, of %(all)s") % {
        "better": formats.number(better, lang),
        "worse": formats.number(worse, lang),
        "all": formats.number(measured, lang),
    }
    return CellView("", f"{text} / {formats.number(measured, lang)}", title, css)


def _key(found: Changed) -> tuple[tuple[str, str, str, str], ...]:
    counts, lang = found.counts(), language()
    return tuple(
        (f"c-change-{name}", GLYPHS[name], verdict_name(name), formats.number(counts[name], lang))  # type: ignore[index]
        for name in CLASSES
        if name != "unknown" and counts[name]  # type: ignore[index]
    )


def _parts(found: Changed, address: Callable[[str], str], beside: SideBySide | None) -> tuple[PartView, ...]:
    lang = language()
    sums = {row.path: row.sums for row in beside.parts} if beside else {}
    views = []
    for part in sorted(found.parts, key=lambda one: (-one.counts["better"], -one.areas, one.path)):
        bars, at = [], 0.0
        for name in ("better", "unclear", "mixed", "worse"):
            width = 100 * part.counts[name] / part.areas if part.areas else 0.0  # type: ignore[index]
            if width:
                bars.append((f"c-change-{name}", at, width))
            at += width
        counts = tuple(
            (name, formats.number(part.counts[name], lang))  # type: ignore[index]
            for name in ("better", "unclear", "mixed", "worse")
        )
        of_part = sums.get(part.path)
        inside = [row for row in found.rows if row.kind in AREA_KINDS and row.path.startswith(f"{part.path}/")]
        views.append(
            PartView(
                name=part.place.name,
                address=address(part.path),
                counts=counts,
                bars=tuple(bars),
                bar_title=formats.listing([f"{verdict_name(name)} {text}" for name, text in counts], lang),
                needs=formats.number(of_part.needs_all if of_part else None, lang),
                undecided=formats.number(of_part.in_gap if of_part else None, lang),
                finished=formats.number(of_part.actions_done if of_part else None, lang),
                late=formats.number(of_part.actions_late if of_part else None, lang),
                cells=tuple(_counted([row for row in inside if row.indicator == one.pk]) for one in found.indicators),
            )
        )
    return tuple(views)


# ---- indicators


def _indicator(one: IndicatorRow, found: Changed, address: Callable[[str], str]) -> IndicatorView:
    lang = language()
    rows = [row for row in found.rows if row.indicator == one.pk]
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in ("better", "worse")}
    measured = sum(row.change is not None for row in rows)
    if measured:
        summary = _("%(better)s better, %(worse)s worse, of %(all)s") % {
            "better": formats.number(counts["better"], lang),
            "worse": formats.number(counts["worse"], lang),
            "all": formats.number(measured, lang),
        }
    else:
        summary = verdict_name("unknown")
    kinds = sorted(
        {row.kind for row in rows if row.kind not in AREA_KINDS or not is_wide(found)},
        key=lambda kind: (kind != Place.Kind.SETTLEMENT, list(Place.Kind.values).index(kind)),
    )
    return IndicatorView(
        code=one.name.code,
        name=one.name.name,
        domain=str(Indicator.Domain(one.domain).label),
        definition=one.definition_en if lang == "en" else one.definition_fa,
        direction=_("more is better") if one.is_more_better else _("less is better"),
        summary=summary,
        is_open=bool(counts["better"] or counts["worse"]),
        groups=tuple(_group(one, kind, [row for row in rows if row.kind == kind], found, address) for kind in kinds),
    )


def _group(
    one: IndicatorRow, kind: str, rows: Sequence[ChangeRow], found: Changed, address: Callable[[str], str]
) -> GroupView:
    sign = 1.0 if one.is_more_better else -1.0
    scale = _Scale([sign * at for row in rows for at in _reach(row)])
    ordered = sorted(
        rows, key=lambda row: (row.change is None, -sign * (row.change.value if row.change else 0), row.path)
    )
    means = [mean for (pk, of_kind, _around), mean in found.overall.items() if (pk, of_kind) == (one.pk, kind)]
    return GroupView(
        kind=kinds_name(kind),
        mean=_mean(means[0], one) if len(means) == 1 else "",
        lines=tuple(_line(one, row, sign, scale, found, address) for row in ordered),
        zero=scale.at(0.0),
        ends=(signed(sign * scale.low), signed(sign * scale.high)),
    )


def _reach(row: ChangeRow) -> tuple[float, ...]:
    if row.change is None:
        return ()
    off = WHISKER * row.change.error if math.isfinite(row.change.error) else 0.0
    return (row.change.value - off, row.change.value + off)


class _Scale:
    """Where a number lies on a line that holds zero and all of some numbers."""

    def __init__(self, values: Sequence[float]) -> None:
        low, high = min((0.0, *values)), max((0.0, *values))
        room = (high - low) * 0.04 or 1.0
        self.low, self.high = low - room, high + room

    def at(self, value: float) -> float:
        return MARGIN + (value - self.low) / (self.high - self.low) * (WIDTH - 2 * MARGIN)


def _mean(mean: OverallRow, one: IndicatorRow) -> str:
    lang = language()
    words = {
        "change": difference_text(mean.estimate.value, one.unit),
        "error": f"\u2066± {number_text(mean.estimate.error)}\u2069",
        "places": formats.number(mean.places, lang),
        "compared": formats.number(mean.compared, lang),
        "verdict": verdict_name(mean.estimate.verdict),
    }
    return (
        ngettext(
            "Where something was done (%(places)s place): %(change)s (%(error)s) beyond %(compared)s comparison places: %(verdict)s.",
            "Where something was done (%(places)s places): %(change)s (%(error)s) beyond %(compared)s comparison places: %(verdict)s.",
            mean.places,
        )
        % words
    )


def _line(
    one: IndicatorRow, row: ChangeRow, sign: float, scale: _Scale, found: Changed, address: Callable[[str], str]
) -> LineView:
    lang = language()
    note = (
        _("something was done")
        if row.is_acted_in
        else _("comparison place")
        if row.is_comparison
        else _("nothing was done; not similar before")
        if row.change
        else _("nothing was done")
    )
    strip = None
    if row.change is not None:
        at = sign * row.change.value
        off = WHISKER * row.change.error if math.isfinite(row.change.error) else None
        strip = Strip(
            x=scale.at(at),
            low=scale.at(at - off) if off is not None else None,
            high=scale.at(at + off) if off is not None else None,
            verdict=row.verdict,
            title=f"{difference_text(row.change.value, one.unit)}, {verdict_name(row.verdict)}",
        )
    return LineView(
        name=row.place.name,
        address=address(row.path),
        note=note,
        before=_value(row.baseline, one, row),
        before_error=_error(row.baseline),
        after=_value(row.measured, one, row),
        after_error=_error(row.measured),
        change=signed(row.change.value) if row.change else formats.DASH,
        beyond=_effect(row, one),
        verdict=row.verdict,
        verdict_text=_("withheld") if row.is_withheld else verdict_name(row.verdict),
        glyph=GLYPHS[row.verdict],
        target=_value(row.target, one, row),
        target_share=formats.percent(max(row.target_share, 0.0), lang) if row.target_share is not None else "",
        strip=strip,
    )


def _value(value: ValueRow | None, one: IndicatorRow, row: ChangeRow) -> str:
    if row.is_withheld:
        return _("withheld")
    return value_text(value.value, one.unit) if value else formats.DASH


def _error(value: ValueRow | None) -> str:
    if value is None:
        return ""
    if value.error is None:
        return _("error not known")
    return _("full count") if value.error == 0 else f"\u2066± {number_text(value.error)}\u2069"


def _effect(row: ChangeRow, one: IndicatorRow) -> str:
    if row.effect is None:
        return ""
    return _("%(change)s beyond comparison places: %(verdict)s") % {
        "change": signed(row.effect.value),
        "verdict": verdict_name(row.effect.verdict),
    }


__all__ = [
    "CLASSES",
    "COLOURS",
    "ChangedView",
    "changed_view",
    "difference_text",
    "done_sentences",
    "finding",
    "source_text",
]
