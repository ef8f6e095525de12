"""The city page as data: finding, ranking, legend, controls. Pure: results in, frozen words and numbers out.

Everything a reader sees of a result passes through `maps.pages.telling`, so nothing that may not be told leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.results import CityCoverage, CityPriority, ServiceRow, TravelRow
from maps.pages import classes, formats, measured, telling
from maps.pages.controls import Slider, threshold_slider, weight_slider, weights_text
from maps.pages.figures import (
    SETTLEMENT,
    Value,
    city_totals,
    counted_rows,
    ranks_of,
    score_text,
    told_of,
    values_of,
)
from maps.pages.forms import CityState, Show
from maps.pages.legend import Legend, classes_of, css_class, legend_of
from maps.pages.reader import language, word
from maps.pages.telling import Told


@dataclass(frozen=True, slots=True)
class Row:
    """One place of the ranking; every text is written out, so that three hundred rows render quickly."""

    code: str
    name: str
    is_settlement: bool
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
    travel: TravelRow
    sort: str
    is_reversed: bool
    is_changed: bool


def city_view(
    result: CityPriority, standard: CityPriority, state: CityState, column: int | None, *, is_insider: bool
) -> CityView:
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
    people = [telling.people(float(count), is_insider) for count in covered.values.population]
    return CityView(
        show=state.show,
        service=service,
        layer_name="" if service is None else service.layer_name_en if language() == "en" else service.layer_name_fa,
        finding=finding(result, rows, state.show, column, is_insider),
        basis=_basis(covered),
        rows=tuple(_sorted(rows, state)),
        legend=legend_of(covered, values, people, ruler, state.show, service),
        threshold=threshold_slider(
            service, is_time=covered.travel.is_time and not measured.goes_straight(service, covered.travel)
        )
        if service
        else None,
        weights=tuple(
            weight_slider(s, own.weight) for s, own in zip(covered.services, standard.coverage.services, strict=True)
        ),
        weights_text=weights_text(covered.services),
        measure_name=measure_name(state.show),
        travel=covered.travel,
        sort=state.sort,
        is_reversed=state.is_reversed,
        is_changed=state.is_changed,
    )


def measure_name(show: Show) -> str:
    """Return the heading of the column that the colour shows."""
    return {"priority": _("Priority"), "coverage": _("Covered"), "uncovered": _("People not covered")}[show]


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
        rank=rank,
        rank_text=formats.number(rank, lang),
        move=move,
        move_text=f"▲{steps}" if move > 0 else f"▼{steps}" if move < 0 else "",
        move_words=(_("up %(n)s") if move > 0 else _("down %(n)s")) % {"n": steps} if move else "",
        value=value,
        bar=round(value.bar),
        why=_why(result, i, show, column, value, is_insider),
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


def _why(result: CityPriority, i: int, show: Show, column: int | None, value: Value, is_insider: bool) -> str:
    lang = language()
    if show == "priority":
        return (
            formats.listing([word(service.name) for service in main_reasons(result, i)], lang)
            if value.told.value
            else ""
        )
    if column is None:
        return ""
    share, count, distance = told_of(result.coverage, i, column, is_insider)
    if share.kind in ("none", "withheld"):
        return _("no residents counted") if share.kind == "none" else ""
    if show == "coverage":
        is_time = result.coverage.travel.is_time and result.coverage.services[column].kind != "utility"
        return (
            _("on average %(distance)s away") % {"distance": distance.as_distance(lang, is_time=is_time)}
            if distance.value is not None
            else ""
        )
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
    needy = [row for row in rows if row.rank is not None and row.value.need]
    worst = min(
        needy, key=lambda row: (row.rank, -(row.people.value or 0.0)), default=None
    )  # among equals, where most people live
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
    words = {"city": city, "service": word(service.name), "distance": measured.limit_phrase(service, covered.travel)}
    if counted <= 0:
        return _("Nobody is counted in %(city)s, so who lives near the %(service)s is not known.") % words
    if uncovered <= 0:
        return _("Everybody counted in %(city)s lives within %(distance)s of the nearest %(service)s.") % words
    words |= {
        "people": formats.number(_round_people(uncovered), lang),
        "share": formats.percent(uncovered / counted, lang),
        "place": formats.isolated(worst.name, lang) if worst else "",
    }
    if worst is None:
        return (
            _("%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s.")
            % words
        )
    if show == "coverage":
        return (
            _(
                "%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s; "
                "the share is highest in %(place)s."
            )
            % words
        )
    return (
        _(
            "%(people)s people, %(share)s of %(city)s, live more than %(distance)s from the nearest %(service)s; "
            "the largest number in %(place)s."
        )
        % words
    )


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
        parts.append(
            ngettext("%(n)s neighbourhood", "%(n)s neighbourhoods", neighbourhoods)
            % {"n": formats.number(neighbourhoods, lang)}
        )
    if settlements:
        parts.append(
            ngettext("%(n)s informal settlement", "%(n)s informal settlements", settlements)
            % {"n": formats.number(settlements, lang)}
        )
    if covered.population and covered.population.reference_date:
        parts.append(_("population of %(date)s") % {"date": formats.day(covered.population.reference_date, lang)})
    return " · ".join(parts)


# ---- for the browser


def results_json(view: CityView) -> dict[str, Any]:
    """Return the page's results for programs: the same rows, in the same order, with the same things left out."""
    return {
        "show": view.show,
        "service": view.service.code if view.service else None,
        "travel": {"code": view.travel.code, "is_time": view.travel.is_time},
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


__all__ = [
    "SETTLEMENT",
    "CityView",
    "Row",
    "city_view",
    "classes_of",
    "finding",
    "language",
    "main_reasons",
    "results_json",
    "row_json",
    "told_of",
    "values_of",
    "word",
]
