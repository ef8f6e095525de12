"""Services side by side: coverage of all places by all services as data. Pure, like `maps.pages.presenters`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from analysis.results import CityCoverage, CityPriority
from maps.pages import classes, formats, measured, telling
from maps.pages.figures import SETTLEMENT, city_totals, told_of
from maps.pages.legend import css_class
from maps.pages.reader import language, word


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Coverage of one place by one service."""

    text: str
    css: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One place of the heat table."""

    code: str
    name: str
    is_settlement: bool
    people_text: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatColumn:
    """One service of the heat table."""

    code: str
    name: str
    threshold_text: str
    is_verified: bool
    whole: HeatCell
    sentence: str


@dataclass(frozen=True, slots=True)
class HeatView:
    """The heat table of a city."""

    finding: str
    columns: tuple[HeatColumn, ...]
    rows: tuple[HeatRow, ...]
    key: tuple[tuple[str, str], ...]
    fills: Mapping[str, Mapping[str, str]]
    sort: str
    is_reversed: bool


def heat_view(result: CityPriority, sort: str, *, is_insider: bool) -> HeatView:
    """Present coverage of all places by all services.

    Parameters
    ----------
    sort : str
        ``rank``, ``name``, or a service's code, with ``-`` before it for the other way round.
    """
    covered, lang, ruler = result.coverage, language(), classes.SHARE
    by, is_reversed = sort.removeprefix("-"), sort.startswith("-")
    columns, fills = [], {}
    totals = [city_totals(covered, k, is_insider) for k in range(len(covered.services))]
    for k, service in enumerate(covered.services):
        uncovered, counted = totals[k]
        need = uncovered / counted if counted > 0 else None
        whole = HeatCell(formats.percent(None if need is None else 1 - need, lang), css_class(ruler, ruler.of(need)))
        sentence = _("%(people)s people are farther away than %(distance)s") % {
            "people": formats.number(round(uncovered), lang),
            "distance": measured.limit_phrase(service, covered.travel),
        }
        columns.append(
            HeatColumn(
                service.code,
                service.name,
                measured.limit_text(service, covered.travel),
                service.is_verified,
                whole,
                sentence,
            )
        )
        fills[service.code] = {
            place.code: css_class(ruler, ruler.of(told_of(covered, i, k, is_insider)[0].value))
            for i, place in enumerate(covered.places)
        }
    rows = []
    for i in _heat_order(result, by, is_reversed, is_insider):
        cells = []
        for k in range(len(covered.services)):
            share, _count, _distance = told_of(covered, i, k, is_insider)
            cells.append(HeatCell(telling.complement(share).as_percent(lang), css_class(ruler, ruler.of(share.value))))
        place = covered.places[i]
        people = telling.people(float(covered.values.population[i]), is_insider)
        rows.append(HeatRow(place.code, place.name, place.kind == SETTLEMENT, people.as_people(lang), tuple(cells)))
    ends = [formats.percent(1 - bound, lang) for bound in ruler.bounds]
    key = [
        (css_class(ruler, index), _("%(low)s to %(high)s") % {"low": ends[index + 1], "high": ends[index]})
        for index in reversed(range(ruler.count))
    ]
    return HeatView(_heat_finding(covered, totals), tuple(columns), tuple(rows), tuple(key), fills, by, is_reversed)


def _heat_order(result: CityPriority, by: str, is_reversed: bool, is_insider: bool) -> list[int]:
    covered = result.coverage
    k = covered.service_index(by)

    def key(i: int) -> tuple[object, ...]:
        if by == "name":
            return (covered.places[i].name,)
        if k is not None:
            need = told_of(covered, i, k, is_insider)[0].value
            return (need is None, -(need or 0.0), covered.places[i].name)
        return (result.priority.reliability[i] <= 0, int(result.priority.rank[i]), covered.places[i].name)

    order = sorted(range(len(covered.places)), key=key)  # type: ignore[arg-type]
    return order[::-1] if is_reversed else order


def _heat_finding(covered: CityCoverage, totals: Sequence[tuple[float, float]]) -> str:
    lang = language()
    city = formats.isolated(covered.city.name, lang)
    needs = [(uncovered / counted, k) for k, (uncovered, counted) in enumerate(totals) if counted > 0]
    if not needs:
        return _("No service of %(city)s can be measured yet.") % {"city": city}
    need, worst = max(needs)
    if need <= 0:
        return _("Everybody in %(city)s lives near every service that is measured.") % {"city": city}
    words = {
        "city": city,
        "service": word(covered.services[worst].name),
        "share": formats.percent(1 - need, lang),
        "distance": measured.limit_phrase(covered.services[worst], covered.travel),
    }
    return (
        _("What %(city)s lacks most is the %(service)s: %(share)s of people live within %(distance)s of one.") % words
    )
