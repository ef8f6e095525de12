"""What the colours of a city's map mean: classes with their people, a histogram, and a title. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.results import CityCoverage, ServiceRow, TravelRow
from maps.pages import classes, formats, measured
from maps.pages.figures import SETTLEMENT, Value, counted_rows
from maps.pages.forms import Show
from maps.pages.reader import language, word
from maps.pages.telling import Told


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One class of the legend."""

    css: str
    bounds: str
    people: str
    places: str


@dataclass(frozen=True, slots=True)
class HistogramBar:
    """One bar of the legend's histogram, in per cent of its width and height."""

    x: float
    width: float
    height: float
    css: str

    @property
    def top(self) -> float:
        """Where the bar begins, from above."""
        return 100 - self.height


@dataclass(frozen=True, slots=True)
class Tick:
    """A class bound below the histogram."""

    x: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colours mean."""

    title: str
    classes: tuple[LegendClass, ...]
    bars: tuple[HistogramBar, ...]
    ticks: tuple[Tick, ...]
    has_settlements: bool
    without_value: str
    colours: tuple[str, ...]


def classes_of(show: Show, standard_needs: Sequence[float | None]) -> classes.Classes:
    """Return the classes of a measure; for counts and scores from the city's standard question."""
    if show == "coverage":
        return classes.SHARE
    return classes.quantile(standard_needs, "priority" if show == "priority" else "deficit")


def css_class(ruler: classes.Classes, index: int) -> str:
    """Return the CSS class that paints a class."""
    return "c-none" if index == classes.NO_DATA else f"c-{ruler.ramp}-{ruler.step(index)}"


def _bound_text(need: float, show: Show) -> str:
    """Write a class bound as the table writes values: coverage is told as who is covered, though need orders it."""
    lang = language()
    if show == "coverage":
        return formats.percent(1 - need, lang)
    return formats.number(need, lang, 0 if need == int(need) else 1)


def legend_of(
    covered: CityCoverage,
    values: Sequence[Value],
    people: Sequence[Told],
    ruler: classes.Classes,
    show: Show,
    service: ServiceRow | None,
) -> Legend:
    """Return the legend of a map.

    Parameters
    ----------
    values, people : sequences
        Of each place, in the order of the results. People of settlements are left out where neighbourhoods hold them already.
    ruler : Classes
        Which colour a value has.
    """
    lang = language()
    counted = counted_rows(covered.places)
    needs = [values[i].need for i in counted]
    told = [people[i].exact or 0.0 for i in counted]
    index_of = [ruler.of(need) for need in needs]
    bins = classes.histogram(needs, told, ruler)
    missing = sum(value.need is None for value in values)
    tallest = max((b.people for b in bins), default=0.0) or 1.0
    low, width = ruler.bounds[0], ruler.bounds[-1] - ruler.bounds[0]
    is_flipped = show == "coverage"

    def x(need: float) -> float:
        at = round(100 * (need - low) / width, 2)
        return 100 - at if is_flipped else at

    found: list[LegendClass] = []
    for index in range(ruler.count):
        members = [count for count, found_index in zip(told, index_of, strict=True) if found_index == index]
        ends = [_bound_text(need, show) for need in ruler.bounds[index : index + 2]]
        found.append(
            LegendClass(
                css=css_class(ruler, index),
                bounds=_("%(low)s to %(high)s") % {"low": ends[is_flipped], "high": ends[not is_flipped]},
                people=_("%(people)s people") % {"people": formats.number(sum(members), lang)},
                places=ngettext("%(n)s place", "%(n)s places", len(members))
                % {"n": formats.number(len(members), lang)},
            )
        )
    return Legend(
        title=_legend_title(show, service, covered.travel),
        classes=tuple(found[::-1] if is_flipped else found),
        bars=tuple(
            HistogramBar(
                x=min(x(b.low), x(b.high)),
                width=round(abs(x(b.high) - x(b.low)), 2),
                height=round(100 * b.people / tallest, 1),
                css=css_class(ruler, b.class_index),
            )
            for b in bins
        ),
        ticks=_ticks(sorted((x(bound), _bound_text(bound, show)) for bound in ruler.bounds)),
        has_settlements=any(place.kind == SETTLEMENT for place in covered.places),
        without_value=formats.number(missing, lang) if missing else "",
        colours=ruler.colours,
    )


def _ticks(places: Sequence[tuple[float, str]], apart: float = 9.0) -> tuple[Tick, ...]:
    """Return the ticks of an axis from 0 to 100, without those that would touch; the two ends always stay."""
    first, *inner = places
    last = inner.pop()
    kept = [Tick(*first, "start")]
    for at, text in inner:
        if at - kept[-1].x >= apart and last[0] - at >= apart:
            kept.append(Tick(at, text, "middle"))
    return (*kept, Tick(*last, "end"))


def _legend_title(show: Show, service: ServiceRow | None, travel: TravelRow) -> str:
    if show == "priority" or service is None:
        title = _("Priority score, from 0 (no need) to 100 (everybody lacks everything)")
        how = measured.travel_name(travel.code)
        return title if travel.code == "straight" else _("%(title)s; distances %(how)s") % {"title": title, "how": how}
    words = {"service": word(service.name), "distance": measured.limit_phrase(service, travel)}
    if show == "coverage":
        return _("Share of people within %(distance)s of the nearest %(service)s") % words
    return _("People more than %(distance)s from the nearest %(service)s") % words
