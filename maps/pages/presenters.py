"""The city page as data: finding, ranking, legend, controls. Pure: results in, frozen words and numbers out.

Everything a reader sees of a result passes through `maps.pages.telling`, so nothing that may not be told leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.core.index import competition_rank
from analysis.results import CityCoverage, CityPriority, PlaceRow, ServiceRow
from maps.pages import classes, formats, telling
from maps.pages.forms import CityState, Show
from maps.pages.telling import Told

SETTLEMENT: Final = "settlement"


def language() -> str:
    """Return the reader's language, ``fa`` or ``en``."""
    return "en" if get_language() == "en" else "fa"


def word(name: str) -> str:
    """Return a service's name as it stands inside a sentence: English without its capital.

    A name in capitals throughout the first word, such as “GP surgery”, keeps them.
    """
    return name[:1].lower() + name[1:] if name[1:2].islower() else name


@dataclass(frozen=True, slots=True)
class Value:
    """What the colour of a place shows, how it is written, and how it is ordered (the larger the worse)."""

    need: float | None
    text: str
    bar: float
    told: Told


@dataclass(frozen=True, slots=True)
class Row:
    """One place of the ranking; every text is written out, so that three hundred rows render quickly."""

    code: str
    name: str
    is_settlement: bool
    zone: str
    rank: int | None
    rank_text: str
    move: int
    move_text: str
    move_words: str
    value: Value
    bar: int
    why: str
    people: Told
    people_text: str
    class_index: int
    css: str


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


@dataclass(frozen=True, slots=True)
class Slider:
    """A control for one number."""

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float
    text: str
    standard: float


@dataclass(frozen=True, slots=True)
class CityView:
    """All that the city page says."""

    show: Show
    service: ServiceRow | None
    layer_name: str
    finding: str
    basis: str
    rows: tuple[Row, ...]
    legend: Legend
    threshold: Slider | None
    weights: tuple[Slider, ...]
    weights_text: str
    measure_name: str
    sort: str
    is_reversed: bool
    is_changed: bool
    n_changed: int


def told_of(result: CityCoverage, row: int, column: int, is_insider: bool) -> tuple[Told, Told, Told]:
    """Return what may be told of a place and a service: uncovered share, uncovered people, mean distance."""
    values = result.values
    whole, uncovered = float(values.population[row]), float(values.uncovered_people[row, column])
    share = telling.share(uncovered, whole, is_insider)
    count = telling.WITHHELD if share.kind == "withheld" else telling.people(uncovered, is_insider)
    return share, count, telling.distance(float(values.mean_distance_m[row, column]), whole, is_insider)


def city_totals(result: CityCoverage, column: int, is_insider: bool) -> tuple[float, float]:
    """Return the people uncovered in a city, and the people counted, over the neighbourhoods where both may be told.

    Settlements lie over neighbourhoods: adding them would count the same people twice. Where a city has only
    settlements, they are added.
    """
    uncovered = counted = 0.0
    for row in counted_rows(result.places):
        share, count, _distance = told_of(result, row, column, is_insider)
        if share.kind == "none" or count.exact is None:
            continue
        uncovered += count.exact
        counted += float(result.values.population[row])
    return uncovered, counted


def counted_rows(places: Sequence[PlaceRow]) -> list[int]:
    """Return the rows that may be added up: neighbourhoods, or all places where there are none."""
    neighbourhoods = [i for i, place in enumerate(places) if place.kind != SETTLEMENT]
    return neighbourhoods or list(range(len(places)))


def city_view(result: CityPriority, standard: CityPriority, state: CityState, column: int | None, *, is_insider: bool) -> CityView:
    """Present a city.

    Parameters
    ----------
    result : CityPriority
        For the reader's question.
    standard : CityPriority
        For the city's own thresholds and weights: the ruler of the classes, and what ranks are compared with.
    column : int or None
        The chosen service; None where the city has none.
    is_insider : bool
        Whether exact small counts may be told.
    """
    covered = result.coverage
    service = covered.services[column] if column is not None else None
    values = values_of(result, state.show, column, is_insider)
    needs = [value.need for value in values]
    standard_needs = [value.need for value in values_of(standard, state.show, column, is_insider)]
    ruler = classes_of(state.show, standard_needs)
    ranks, ranks_before = ranks_of(needs), ranks_of(standard_needs)
    before = {place.code: rank for place, rank in zip(standard.coverage.places, ranks_before, strict=True)}
    rows = [
        _row(result, i, state.show, column, value, rank, before.get(covered.places[i].code), ruler, is_insider)
        for i, (value, rank) in enumerate(zip(values, ranks, strict=True))
    ]
    legend = _legend(covered, rows, ruler, state.show, service)
    changed = sum(s.threshold_m != s.standard_m for s in covered.services) + sum(
        a.weight != b.weight for a, b in zip(covered.services, standard.coverage.services, strict=False)
    )
    return CityView(
        show=state.show,
        service=service,
        layer_name="" if service is None else service.layer_name_en if language() == "en" else service.layer_name_fa,
        finding=finding(result, rows, state.show, column, is_insider),
        basis=_basis(covered),
        rows=tuple(_sorted(rows, state)),
        legend=legend,
        threshold=threshold_slider(service) if service else None,
        weights=tuple(_weight_slider(s, own.weight) for s, own in zip(covered.services, standard.coverage.services, strict=True)),
        weights_text=_weights_text(covered.services),
        measure_name=measure_name(state.show),
        sort=state.sort,
        is_reversed=state.is_reversed,
        is_changed=state.is_changed,
        n_changed=changed,
    )


def measure_name(show: Show) -> str:
    """Return the heading of the column that the colour shows."""
    return {"priority": _("Priority"), "coverage": _("Covered"), "uncovered": _("People not covered")}[show]


def values_of(result: CityPriority, show: Show, column: int | None, is_insider: bool) -> list[Value]:
    """Return what the colour of each place shows."""
    covered, lang = result.coverage, language()
    found: list[Value] = []
    most = float(np.nanmax(covered.values.uncovered_people[:, column], initial=1.0)) if column is not None else 1.0
    for i in range(len(covered.places)):
        if show == "priority":
            told = _score(result, i, is_insider)
            found.append(Value(told.value, _("withheld") if told.kind == "withheld" else score_text(told.value), told.value or 0.0, told))
        elif column is None:
            found.append(Value(None, formats.DASH, 0.0, telling.NOTHING))
        else:
            share, count, _distance = told_of(covered, i, column, is_insider)
            if show == "coverage":
                good = telling.complement(share)
                found.append(Value(share.value, good.as_percent(lang), 100 * (good.value or 0.0), good))
            else:
                need = None if count.value is None or share.kind == "none" else count.value / 2 if count.kind == "below" else count.value
                text = formats.DASH if share.kind == "none" else count.as_people(lang)
                found.append(Value(need, text, 100 * (need or 0.0) / max(most, 1.0), count))
    return found


def score_text(score: float | None, decimals: int = 1) -> str:
    """Write a score of 100 points; none and a full one without decimals."""
    return formats.number(score, language(), decimals if score is not None and 0.05 <= score < 99.95 else 0)


def _score(result: CityPriority, row: int, is_insider: bool) -> Told:
    whole = float(result.coverage.values.population[row])
    if result.priority.reliability[row] <= 0:
        return telling.NOTHING
    if telling.people(whole, is_insider).kind == "below":
        return telling.WITHHELD
    return Told(float(result.priority.score[row]))


def ranks_of(needs: Sequence[float | None]) -> list[int | None]:
    """Rank needs, 1 for the greatest; a place without a value has no rank.

    Examples
    --------
    >>> ranks_of([0.2, None, 0.9, 0.2])
    [2, None, 1, 2]
    """
    present = [i for i, need in enumerate(needs) if need is not None]
    ranks: list[int | None] = [None] * len(needs)
    if present:
        for i, rank in zip(present, competition_rank(np.array([needs[i] for i in present], dtype=np.float64)).tolist(), strict=True):
            ranks[i] = rank
    return ranks


def classes_of(show: Show, standard_needs: Sequence[float | None]) -> classes.Classes:
    """Return the classes of a measure; for counts and scores from the city's standard question."""
    if show == "coverage":
        return classes.SHARE
    return classes.quantile(standard_needs, "priority" if show == "priority" else "deficit")


def css_class(ruler: classes.Classes, index: int) -> str:
    """Return the CSS class that paints a class."""
    return "c-none" if index == classes.NO_DATA else f"c-{ruler.ramp}-{ruler.step(index)}"


def _row(
    result: CityPriority,
    i: int,
    show: Show,
    column: int | None,
    value: Value,
    rank: int | None,
    before: int | None,
    ruler: classes.Classes,
    is_insider: bool,
) -> Row:
    covered, lang = result.coverage, language()
    place = covered.places[i]
    people = telling.people(float(covered.values.population[i]), is_insider)
    index = ruler.of(value.need)
    move = before - rank if before is not None and rank is not None else 0
    steps = formats.number(abs(move), lang) if move else ""
    return Row(
        code=place.code,
        name=place.name,
        is_settlement=place.kind == SETTLEMENT,
        zone=place.zone,
        rank=rank,
        rank_text=formats.number(rank, lang),
        move=move,
        move_text=f"▲{steps}" if move > 0 else f"▼{steps}" if move < 0 else "",
        move_words=(_("up %(n)s") if move > 0 else _("down %(n)s")) % {"n": steps} if move else "",
        value=value,
        bar=round(value.bar),
        why=_why(result, i, show, column, is_insider),
        people=people,
        people_text=people.as_people(lang),
        class_index=index,
        css=css_class(ruler, index),
    )


def main_reasons(result: CityPriority, row: int, most: int = 2) -> list[ServiceRow]:
    """Return the services that contribute most to a place's score, the heaviest first; none that adds nothing."""
    contributions = result.priority.contributions[row]
    order = np.argsort(-contributions, kind="stable")[:most]
    return [result.coverage.services[k] for k in order.tolist() if contributions[k] > 0.05]


def _why(result: CityPriority, i: int, show: Show, column: int | None, is_insider: bool) -> str:
    lang = language()
    if show == "priority":
        return formats.listing([word(service.name) for service in main_reasons(result, i)], lang) if _score(result, i, is_insider).value else ""
    if column is None:
        return ""
    share, count, distance = told_of(result.coverage, i, column, is_insider)
    if share.kind in ("none", "withheld"):
        return _("no residents counted") if share.kind == "none" else ""
    if show == "coverage":
        return _("on average %(distance)s away") % {"distance": distance.as_distance(lang)} if distance.value is not None else ""
    return _("%(share)s of its people") % {"share": share.as_percent(lang)} if count.value else ""


def _sorted(rows: list[Row], state: CityState) -> list[Row]:
    def key(row: Row) -> tuple[Any, ...]:
        missing = row.rank is None
        if state.sort == "name":
            return (row.name,)
        if state.sort == "people":
            return (row.people.value is None, -(row.people.value or 0.0), row.name)
        if state.sort == "value":
            value = row.value.told.value
            return (value is None, -(value or 0.0), row.name)
        return (missing, row.rank or 0, -(row.people.value or 0.0), row.name)  # among equals, where most people live

    ordered = sorted(rows, key=key)
    if state.is_reversed:
        known = [row for row in ordered if state.sort == "name" or row.rank is not None]
        return known[::-1] + [row for row in ordered if row not in known]
    return ordered


# ---- words


def finding(result: CityPriority, rows: Sequence[Row], show: Show, column: int | None, is_insider: bool) -> str:
    """Say in one sentence what the map shows."""
    covered, lang = result.coverage, language()
    city = formats.isolated(covered.city.name, lang)
    worst = next((row for row in sorted(rows, key=lambda r: (r.rank is None, r.rank or 0, -(r.people.value or 0.0))) if row.rank is not None and row.value.need), None)
    if show == "priority":
        if worst is None:
            return _("No place of %(city)s lacks a service that is measured here.") % {"city": city}
        reasons = main_reasons(result, covered.place_index(worst.code) or 0)
        return ngettext(
            "Need in %(city)s is greatest in %(place)s: %(score)s of 100 points, above all because the nearest %(services)s is far away.",
            "Need in %(city)s is greatest in %(place)s: %(score)s of 100 points, above all because %(services)s are far away.",
            len(reasons),
        ) % {
            "city": city,
            "place": formats.isolated(worst.name, lang),
            "score": score_text(worst.value.need, 0),
            "services": formats.listing([word(service.name) for service in reasons], lang),
        }
    if column is None:
        return _("No service of %(city)s can be measured yet.") % {"city": city}
    service = covered.services[column]
    uncovered, counted = city_totals(covered, column, is_insider)
    words = {"city": city, "service": word(service.name), "distance": formats.distance(service.threshold_m, lang)}
    if counted <= 0:
        return _("Nobody is counted in %(city)s, so who lives near the %(service)s is not known.") % words
    if uncovered <= 0:
        return _("Everybody counted in %(city)s lives within %(distance)s of the nearest %(service)s.") % words
    words |= {"people": formats.number(_round_people(uncovered), lang), "share": formats.percent(uncovered / counted, lang), "place": formats.isolated(worst.name, lang) if worst else ""}
    if worst is None:
        return _("%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s.") % words
    if show == "coverage":
        return (
            _("%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s; the share is highest in %(place)s.")
            % words
        )
    return _("%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s; the largest number in %(place)s.") % words


def _round_people(count: float) -> float:
    """Round a city's count to what the reader can hold in mind: three significant digits from ten thousand on."""
    return float(round(count, -2)) if count >= 10_000 else float(round(count))


def _basis(covered: CityCoverage) -> str:
    lang = language()
    settlements = sum(place.kind == SETTLEMENT for place in covered.places)
    neighbourhoods = len(covered.places) - settlements
    parts = []
    people = sum(float(covered.values.population[i]) for i in counted_rows(covered.places))
    if people > 0:
        parts.append(_("%(people)s people") % {"people": formats.number(_round_people(people), lang)})
    if neighbourhoods:
        parts.append(ngettext("%(n)s neighbourhood", "%(n)s neighbourhoods", neighbourhoods) % {"n": formats.number(neighbourhoods, lang)})
    if settlements:
        parts.append(ngettext("%(n)s informal settlement", "%(n)s informal settlements", settlements) % {"n": formats.number(settlements, lang)})
    if covered.population and covered.population.reference_date:
        parts.append(_("population of %(date)s") % {"date": formats.day(covered.population.reference_date, lang)})
    return " · ".join(parts)


# ---- controls


def threshold_slider(service: ServiceRow) -> Slider:
    """Return the slider of a service's threshold: from one step to three times its standard, in round steps."""
    step = 10.0 if service.standard_m <= 150 else 50.0 if service.standard_m <= 1500 else 100.0
    high = max(np.ceil(service.standard_m * 3 / step) * step, np.ceil(service.threshold_m / step) * step)
    return Slider(
        name=f"threshold-{service.code}",
        label=_("Distance limit"),
        low=step,
        high=float(high),
        step=step,
        value=service.threshold_m,
        text=formats.distance(service.threshold_m, language()),
        standard=service.standard_m,
    )


def _weight_slider(service: ServiceRow, own: float) -> Slider:
    return Slider(
        name=f"weight-{service.code}",
        label=service.name,
        low=0.0,
        high=float(max(5.0, np.ceil(own), np.ceil(service.weight))),
        step=0.5,
        value=service.weight,
        text=weight_text(service.weight),
        standard=own,
    )


def weight_text(weight: float) -> str:
    """Write a weight: no decimals where there are none."""
    return formats.number(weight, language(), 0 if weight == int(weight) else 1)


def _weights_text(services: Sequence[ServiceRow]) -> str:
    lang = language()
    if len({service.weight for service in services}) <= 1:
        return _("all equal")
    heaviest = sorted(services, key=lambda s: -s.weight)[:3]
    common = sorted(service.weight for service in services)[len(services) // 2]
    parts = [f"{word(s.name)} ×{weight_text(s.weight)}" for s in heaviest if s.weight > common]
    return formats.listing(parts, lang) or _("not all equal")


# ---- legend


def _bound_text(need: float, show: Show) -> str:
    """Write a class bound as the table writes values: coverage is told as who is covered, though need orders it."""
    lang = language()
    if show == "coverage":
        return formats.percent(1 - need, lang)
    return formats.number(need, lang, 0 if need == int(need) else 1)


def _legend(covered: CityCoverage, rows: Sequence[Row], ruler: classes.Classes, show: Show, service: ServiceRow | None) -> Legend:
    lang = language()
    counted = counted_rows(covered.places)
    people = [rows[i].people.exact or 0.0 for i in counted]
    bins = classes.histogram([rows[i].value.need for i in counted], people, ruler)
    tallest = max((b.people for b in bins), default=0.0) or 1.0
    low, width = ruler.bounds[0], ruler.bounds[-1] - ruler.bounds[0]
    is_flipped = show == "coverage"

    def x(need: float) -> float:
        at = round(100 * (need - low) / width, 2)
        return 100 - at if is_flipped else at

    found = []
    for index in range(ruler.count):
        members = [i for i in counted if rows[i].class_index == index]
        ends = [_bound_text(need, show) for need in ruler.bounds[index : index + 2]]
        found.append(
            LegendClass(
                css=css_class(ruler, index),
                bounds=_("%(low)s to %(high)s") % {"low": ends[is_flipped], "high": ends[not is_flipped]},
                people=_("%(people)s people") % {"people": formats.number(sum(rows[i].people.exact or 0.0 for i in members), lang)},
                places=ngettext("%(n)s place", "%(n)s places", len(members)) % {"n": formats.number(len(members), lang)},
            )
        )
    return Legend(
        title=_legend_title(show, service),
        classes=tuple(found[::-1] if is_flipped else found),
        bars=tuple(
            HistogramBar(min(x(b.low), x(b.high)), round(abs(x(b.high) - x(b.low)), 2), round(100 * b.people / tallest, 1), css_class(ruler, b.class_index))
            for b in bins
        ),
        ticks=_ticks(sorted((x(bound), _bound_text(bound, show)) for bound in ruler.bounds)),
        has_settlements=any(place.kind == SETTLEMENT for place in covered.places),
        without_value=formats.number(sum(row.class_index == classes.NO_DATA for row in rows), lang) if any(row.class_index == classes.NO_DATA for row in rows) else "",
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


def _legend_title(show: Show, service: ServiceRow | None) -> str:
    if show == "priority" or service is None:
        return _("Priority score, from 0 (no need) to 100 (everybody lacks everything)")
    words = {"service": word(service.name), "distance": formats.distance(service.threshold_m, language())}
    if show == "coverage":
        return _("Share of people within %(distance)s of the nearest %(service)s") % words
    return _("People more than %(distance)s from the nearest %(service)s") % words


# ---- for the browser


def results_json(view: CityView) -> dict[str, Any]:
    """Return the page's results for programs: the same rows, in the same order, with the same things left out."""
    return {
        "show": view.show,
        "service": view.service.code if view.service else None,
        "thresholds_m": {view.service.code: view.service.threshold_m} if view.service else {},
        "finding": view.finding,
        "weights": view.weights_text,
        "legend": {
            "title": view.legend.title,
            "colours": list(view.legend.colours),
            "classes": [{"bounds": c.bounds, "people": c.people, "places": c.places} for c in view.legend.classes],
        },
        "places": [row_json(row) for row in view.rows],
    }


def row_json(row: Row) -> Mapping[str, Any]:
    """Return one place of the results as JSON; ``value_is`` tells an exact value from a bound."""
    return {
        "code": row.code,
        "name": row.name,
        "kind": SETTLEMENT if row.is_settlement else "neighbourhood",
        "rank": row.rank,
        "move": row.move,
        "value": None if row.value.told.value is None else round(row.value.told.value, 4),
        "value_is": row.value.told.kind,
        "text": row.value.text,
        "why": row.why,
        "people": row.people.exact if row.people.exact is None else round(row.people.exact, 1),
        "people_text": row.people_text,
        "class": row.class_index,
        "css": row.css,
    }
