"""The page of measures as data: a sentence, a chart and tables for each. Pure: results in, frozen words and numbers out.

Everything a reader sees of few people passes through `maps.pages.telling` or the rows of `analysis.measures.tables`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.disclosure import suppressed
from analysis.measures import answers
from analysis.measures.results import (
    CityAccess,
    CityEquity,
    CityFrequency,
    CityGroups,
    CityLand,
    FrequencyClassRow,
    ServiceAccess,
    ServiceFrequency,
    ServiceLand,
    StandardRow,
)
from analysis.results import CityCoverage, ServiceRow, TravelRow
from maps.measures import charts
from maps.measures.charts import Curve, Histogram
from maps.measures.page_forms import DECAYS, MeasuresState
from maps.pages import formats, measured, telling
from maps.pages.figures import SETTLEMENT, city_totals
from maps.pages.measured import Choice, Source, source_name
from maps.pages.reader import language, word
from maps.pages.telling import Told

_MOST_FACILITIES: Final = 25


@dataclass(frozen=True, slots=True)
class PlaceCell:
    """One place of a table of places."""

    code: str
    name: str
    is_settlement: bool
    people_text: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FacilityCell:
    """One facility of a table of facilities; ``reach_query`` shows on the city's map from where it is within the limit."""

    name: str
    reach_query: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CapacityView:
    """How much of a service people can count on."""

    sentence: str
    note: str
    chart: Histogram | None
    axis: str
    columns: tuple[str, ...]
    places: tuple[PlaceCell, ...]
    facility_columns: tuple[str, ...]
    facilities: tuple[FacilityCell, ...]
    facilities_note: str
    decays: tuple[Choice, ...]
    standard: str


@dataclass(frozen=True, slots=True)
class LandView:
    """Land of a use for each person."""

    name: str
    sentence: str
    note: str
    chart: Histogram | None
    axis: str
    columns: tuple[str, ...]
    places: tuple[PlaceCell, ...]


@dataclass(frozen=True, slots=True)
class PairBar:
    """One of two bars that are compared, in per cent of the longer one."""

    name: str
    text: str
    width: float
    css: str


@dataclass(frozen=True, slots=True)
class EquityView:
    """How unevenly people are near a service."""

    sentence: str
    curve: Curve
    curve_sentence: str
    table: tuple[tuple[str, str], ...]
    pairs: tuple[tuple[str, tuple[PairBar, ...]], ...]
    figures: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A group or a source of people: how many, and which share is covered."""

    name: str
    people_text: str
    share_text: str
    uncovered_text: str
    bar: float


@dataclass(frozen=True, slots=True)
class SharesView:
    """Shares beside each other."""

    sentence: str
    rows: tuple[ShareRow, ...]


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of departures a week: who is in it."""

    name: str
    range_text: str
    people_text: str
    share_text: str
    bar: float


@dataclass(frozen=True, slots=True)
class FrequencyView:
    """How often public transport leaves from within reach."""

    name: str
    sentence: str
    note: str
    classes: tuple[ClassRow, ...]
    columns: tuple[str, ...]
    places: tuple[PlaceCell, ...]
    sources: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class StandardCell:
    """One standard in use."""

    service: str
    kind: str
    value: str
    scope: str
    source: str
    is_verified: bool


# ---- capacity


def capacity_view(result: CityAccess, state: MeasuresState, *, is_insider: bool) -> CapacityView | None:
    """Present the capacity of the one service that was asked for; None where the answer has none."""
    if not result.services:
        return None
    lang, one, travel = language(), result.services[0], result.basis.travel
    service, step = one.service, _decimals_of(one.per_1000)
    place_rows = {row["code"]: row for row in answers.access_answer(result).rows(is_insider)["places"]}
    facility_rows = answers.access_answer(result).rows(is_insider)["facilities"]
    has_standard = one.standard is not None
    limit = measured.cost_text(one.limit_m, service, travel)
    columns = [_per_1000_title(one), _("People with none within the limit")]
    if has_standard:
        columns += [_("People whose need is not met"), _("People without room at the nearest")]

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        found = [formats.number(row["per_1000"], lang, step), _people_cell(row, "unreached_people")]
        if has_standard:
            found += [_people_cell(row, "unmet_people"), _people_cell(row, "crowded_people")]
        return tuple(found)

    order = sorted(range(len(result.basis.places)), key=lambda i: _low_first(float(one.per_1000[i])))
    standard = one.standard.value if one.standard else None
    known = [telling.people(float(count), is_insider).exact or 0.0 for count in result.population]
    return CapacityView(
        sentence=_capacity_sentence(result, one, limit, step, is_insider),
        note=_capacity_note(one, limit),
        chart=_histogram(
            one.per_1000, _once(result.basis.places, known), standard, lambda value: formats.number(value, lang, step)
        ),
        axis=_per_1000_title(one),
        columns=tuple(columns),
        places=tuple(_place_cell(result, i, cells(place_rows[result.basis.places[i].code]), is_insider) for i in order),
        facility_columns=(
            _("Capacity"),
            _("People who share it"),
            _("Capacity per 1,000 of them"),
            _("People who have it nearest"),
        ),
        facilities=_facility_cells(facility_rows, state, one),
        facilities_note=""
        if len(one.facilities) <= _MOST_FACILITIES
        else _("The %(n)s that most people share, of %(all)s; the workbook has all.")
        % {"n": formats.number(_MOST_FACILITIES, lang), "all": formats.number(len(one.facilities), lang)},
        decays=tuple(Choice("" if code == "2sfca" else code, _decay_name(code), code == one.decay) for code in DECAYS),
        standard=_standard_text(one.standard) if one.standard else "",
    )


def _capacity_sentence(result: CityAccess, one: ServiceAccess, limit: str, decimals: int, is_insider: bool) -> str:
    lang = language()
    unreached = telling.people_of(one.city_unreached_people, result.basis.people, is_insider)
    words = {
        "n": formats.number(one.city_per_1000, lang, decimals),
        "service": word(one.service.name),
        "limit": limit,
        "people": unreached.as_people(lang) if unreached.kind != "exact" else formats.number(unreached.value, lang),
        "city": formats.isolated(result.basis.city.name, lang),
    }
    if one.city_per_1000 is None:
        return _("Nobody is counted in %(city)s, so what people share of each %(service)s is not known.") % words
    text = (
        _("For every 1,000 people of %(city)s there is %(n)s of a %(service)s within reach.")
        if not one.capacity_field
        else _("For every 1,000 people of %(city)s a capacity of %(n)s is within reach (%(service)s).")
    ) % words
    if unreached.value:
        text += " " + _("%(people)s people have none within %(limit)s.") % words
    if one.city_unmet_people is not None:
        told = telling.people_of(one.city_unmet_people, result.basis.people, is_insider)
        text += " " + _("By the standard the need of %(unmet)s people is not met.") % {"unmet": told.as_people(lang)}
    return text


def _capacity_note(one: ServiceAccess, limit: str) -> str:
    lang = language()
    parts = [
        {
            "2sfca": _("Whoever lives within %(limit)s of a facility shares it alike (2SFCA)."),
            "e2sfca": _(
                "Who lives within %(limit)s of a facility shares it, the nearer the more, in three steps (E2SFCA)."
            ),
            "gaussian": _(
                "Who lives within %(limit)s of a facility shares it, less with distance, along a bell curve."
            ),
            "power": _("Who lives within %(limit)s of a facility shares it, in inverse proportion to the distance."),
        }[one.decay]
        % {"limit": limit}
    ]
    parts.append(
        _("Capacity: field “%(field)s” of the layer.") % {"field": formats.isolated(one.capacity_field, lang)}
        if one.capacity_field
        else _("Each facility counts as one, whatever its capacity.")
    )
    if one.left_out:
        parts.append(
            ngettext(
                "%(n)s facility is left out, as its capacity is not known.",
                "%(n)s facilities are left out, as their capacity is not known.",
                one.left_out,
            )
            % {"n": formats.number(one.left_out, lang)}
        )
    if one.standard is None:
        parts.append(_("No standard of capacity is set for this service; give one to see whose need is not met."))
    return " ".join(parts)


def _per_1000_title(one: ServiceAccess) -> str:
    if one.capacity_field:
        return _("Capacity within reach per 1,000 people")
    return _("Facilities within reach per 1,000 people")


def _facility_cells(
    rows: Sequence[Mapping[str, Any]], state: MeasuresState, one: ServiceAccess
) -> tuple[FacilityCell, ...]:
    lang = language()
    found = []
    for row in sorted(rows, key=lambda row: -(row["load"] or 0.0))[:_MOST_FACILITIES]:
        number = int(row["number"])
        query = state.city.query(show="coverage", service=one.service.code, facility=str(number)) if number else ""
        name = str(row["name"]) or _("number %(n)s") % {"n": formats.number(number, lang)}
        cells = (
            formats.number(row["capacity"], lang, 0 if float(row["capacity"] or 0).is_integer() else 1),
            _people_cell(row, "load"),
            formats.number(row["per_1000"], lang, 2),
            _people_cell(row, "nearest_people"),
        )
        found.append(FacilityCell(name, query, cells))
    return tuple(found)


def _decay_name(code: str) -> str:
    return {
        "2sfca": _("all within the limit alike"),
        "e2sfca": _("in three steps, 30 minutes on foot"),
        "gaussian": _("along a bell curve"),
        "power": _("in inverse proportion"),
    }[code]


# ---- land


def land_view(result: CityLand, chosen: str, *, is_insider: bool) -> LandView | None:
    """Present the land of the chosen service, or else of the first that has land; None where none has."""
    if not result.services:
        return None
    lang = language()
    one = next((each for each in result.services if each.service.code == chosen), result.services[0])
    rows = {
        row["code"]: row
        for row in answers.land_answer(result).rows(is_insider)["places"]
        if row["service"] == one.service.code
    }
    reach = measured.cost_text(one.reach_m, one.service, result.basis.travel)
    has_standard = one.standard is not None
    columns = [_("Within reach, m² a person"), _("Within the place, m² a person")]
    if has_standard:
        columns += [_("Lacking within reach, m²"), _("People without their share")]

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        found = [formats.number(row[f"{name}_per_person_m2"], lang, 1) for name in ("reached", "within")]
        if has_standard:
            found += [formats.number(row["reached_deficit_m2"], lang), _people_cell(row, "reached_deficit_people")]
        return tuple(found)

    each_m2 = one.reached.per_capita_m2
    order = sorted(range(len(result.basis.places)), key=lambda i: _low_first(float(each_m2[i])))
    known = [telling.people(float(count), is_insider).exact or 0.0 for count in result.population]
    note = _("Land within reach is what lies within %(reach)s, shared by all who reach it.") % {"reach": reach}
    if one.left_out:
        note += " " + ngettext(
            "%(n)s feature is left out, as its area is not known.",
            "%(n)s features are left out, as their area is not known.",
            one.left_out,
        ) % {"n": formats.number(one.left_out, lang)}
    return LandView(
        name=one.service.name,
        sentence=_land_sentence(result, one, is_insider),
        note=note,
        chart=_histogram(
            each_m2,
            _once(result.basis.places, known),
            one.standard.value if one.standard else None,
            lambda value: formats.number(value, lang, 0 if value == int(value) else 1),
        ),
        axis=_("m² within reach for each person"),
        columns=tuple(columns),
        places=tuple(_place_cell(result, i, cells(rows[result.basis.places[i].code]), is_insider) for i in order),
    )


def _land_sentence(result: CityLand, one: ServiceLand, is_insider: bool) -> str:
    lang = language()
    words = {
        "city": formats.isolated(result.basis.city.name, lang),
        "m2": formats.number(one.city_per_person_m2, lang, 1),
        "service": word(one.service.name),
    }
    if one.city_per_person_m2 is None:
        return _("Nobody is counted in %(city)s, so the land for each person is not known.") % words
    text = _("%(city)s has %(m2)s m² for each person (%(service)s).") % words
    if one.standard is not None and one.city_deficit_m2 is not None:
        words["standard"] = _plain(one.standard.value)
        if one.city_deficit_m2 > 0:
            words["hectares"] = formats.number(one.city_deficit_m2 / 1e4, lang, 1)
            text += " " + _("The standard is %(standard)s m²; the city as a whole lacks %(hectares)s hectares.") % words
        else:
            text += " " + _("The standard is %(standard)s m²; the city as a whole has enough.") % words
        short = _short_people(result, one, is_insider)
        if short.value:
            words["people"] = formats.number(round(short.value, -2) if short.value >= 1e4 else short.value, lang)
            text += " " + _("%(people)s people live in places with less than that within reach.") % words
    return text


def _short_people(result: CityLand, one: ServiceLand, is_insider: bool) -> Told:
    if one.standard is None:
        return telling.NOTHING
    known = [telling.people(float(count), is_insider).exact or 0.0 for count in result.population]
    people = _once(result.basis.places, known)
    is_short = np.nan_to_num(one.reached.per_capita_m2, nan=np.inf) < one.standard.value
    return Told(float(people[is_short].sum()))


# ---- equity


def equity_view(result: CityEquity, *, is_insider: bool) -> EquityView | None:
    """Present the equity of the one service that was asked for."""
    if not result.services:
        return None
    lang, one, travel = language(), result.services[0], result.basis.travel
    row = answers.equity_answer(result).rows(is_insider)["services"][0]
    service = one.service
    settled, rest = row["distance_m_settlements"], row["distance_m_rest"]
    curve = charts.lorenz(
        one.curve,
        lambda people, value: (
            _("the %(people)s who have it nearest go %(value)s of all distance")
            % {"people": formats.percent(people, lang), "value": formats.percent(value, lang)}
        ),
    )
    at, values = (np.array(side) for side in zip(*one.curve, strict=True))
    nearest_half = float(np.interp(0.5, at, values))
    table = tuple(
        (
            formats.percent(tenth / 10, lang),
            formats.percent(float(np.interp(tenth / 10, at, values)), lang),
        )
        for tenth in range(1, 11)
    )
    pairs = []
    if settled is not None and rest is not None:
        pairs.append(
            (_("Mean distance"), _pair(settled, rest, lambda m: measured.cost_text(m, service, travel), "far"))
        )
    if row["covered_settlements"] is not None and row["covered_rest"] is not None:
        name = _("People within %(limit)s") % {"limit": measured.limit_text(service, travel)}
        ends = (row["covered_settlements"], row["covered_rest"])
        pairs.append((name, _pair(*ends, lambda share: formats.percent(share, lang), "near")))
    figures = [
        (_("Gini"), formats.number(one.gini, lang, 2), _("0 where all go equally far, 1 where one goes it all")),
        (
            _("Palma"),
            formats.number(one.palma, lang, 1),
            _("distance of the tenth with the farthest, over that of the four tenths with the nearest"),
        ),
        (
            _("Concentration by settlement"),
            formats.number(row["by_settlement"], lang, 2),
            _("above 0 where people of informal settlements go farther"),
        ),
    ]
    if one.by_priority is not None:
        figures.append(
            (
                _("Concentration by priority"),
                formats.number(one.by_priority, lang, 2),
                _("above 0 where people of places of higher priority go farther; priority follows from distance too"),
            )
        )
    figures += [
        (_("Beyond the limit"), formats.percent(row["fgt0"], lang), _("share of people (FGT 0)")),
        (
            _("Mean gap"),
            formats.percent(row["fgt1"], lang),
            _("how far beyond, in parts of the limit, over all people (FGT 1)"),
        ),
        (_("Severity"), formats.percent(row["fgt2"], lang), _("the farther, the more it counts (FGT 2)")),
    ]
    return EquityView(
        sentence=_equity_sentence(result, settled, rest, service, travel),
        curve=curve,
        curve_sentence=_("The half of the people that lives nearest goes %(share)s of all distance.")
        % {"share": formats.percent(nearest_half, lang)},
        table=table,
        pairs=tuple(pairs),
        figures=tuple(figures),
    )


def _equity_sentence(
    result: CityEquity, settled: float | None, rest: float | None, service: ServiceRow, travel: TravelRow
) -> str:
    lang = language()
    words = {"service": word(service.name), "city": formats.isolated(result.basis.city.name, lang)}
    if settled is None or rest is None:
        return _("How unevenly people of %(city)s live near the %(service)s.") % words
    words |= {
        "settled": measured.cost_text(settled, service, travel),
        "rest": measured.cost_text(rest, service, travel),
    }
    if settled > rest * 1.02:
        return (
            _(
                "From informal settlements it is %(settled)s to the nearest %(service)s on average, from the rest of %(city)s %(rest)s."
            )
            % words
        )
    if rest > settled * 1.02:
        return (
            _(
                "From informal settlements it is %(settled)s to the nearest %(service)s on average, less than from the rest of %(city)s: %(rest)s."
            )
            % words
        )
    return (
        _(
            "From informal settlements and from the rest of %(city)s it is about equally far to the nearest %(service)s: %(rest)s."
        )
        % words
    )


def _pair(settled: float, rest: float, text: Any, css: str) -> tuple[PairBar, ...]:
    longest = max(settled, rest) or 1.0
    return (
        PairBar(_("informal settlements"), text(settled), round(100 * settled / longest, 1), f"settled {css}"),
        PairBar(_("rest of the city"), text(rest), round(100 * rest / longest, 1), f"rest {css}"),
    )


# ---- groups and sources of people


def groups_view(result: CityGroups, *, is_insider: bool) -> SharesView | None:
    """Present the coverage of groups of people by the one service that was asked for."""
    if not result.services or not result.groups:
        return None
    lang, service = language(), result.services[0]
    rows, shares = [], []
    for g, group in enumerate(result.groups):
        share, people = float(result.city_share[g, 0]), float(result.city_people[g])
        uncovered = telling.people_of(people * (1 - share), people, is_insider)
        told = telling.complement(telling.share(people * (1 - share), people, is_insider))
        if told.exact is not None:
            shares.append((told.exact, _group_name(group)))
        rows.append(_share_row(_group_name(group), people, told, uncovered, is_insider))
    words = {"limit": measured.limit_phrase(service, result.basis.travel), "service": word(service.name)}
    if len(shares) > 1:
        (low, worst), (high, best) = min(shares), max(shares)
        words |= {"low": formats.percent(low, lang), "high": formats.percent(high, lang), "worst": worst, "best": best}
        sentence = (
            _(
                "Within %(limit)s of the nearest %(service)s live %(low)s of the group “%(worst)s” and %(high)s of “%(best)s”."
            )
            % words
        )
    else:
        sentence = _("Who of each group lives within %(limit)s of the nearest %(service)s.") % words
    return SharesView(sentence, tuple(rows))


def sources_view(
    found: Sequence[tuple[Source, CityCoverage]], service: ServiceRow, *, is_insider: bool
) -> SharesView | None:
    """Present one service with several sources of people, side by side; None for fewer than two."""
    if len(found) < 2:
        return None
    lang, travel = language(), found[0][1].travel
    rows, shares = [], []
    for source, covered in found:
        k = covered.service_index(service.code)
        if k is None:
            continue
        uncovered, counted = city_totals(covered, k, is_insider)
        told = telling.complement(telling.share(uncovered, counted, is_insider))
        if told.value is not None:
            shares.append(told.value)
        rows.append(
            _share_row(
                source_name(source), counted, told, telling.people_of(uncovered, counted, is_insider), is_insider
            )
        )
    if len(shares) < 2:
        return SharesView(_("Not every source counts anybody here."), tuple(rows))
    words = {
        "low": formats.percent(min(shares), lang, 1),
        "high": formats.percent(max(shares), lang, 1),
        "spread": formats.number(100 * (max(shares) - min(shares)), lang, 1),
        "limit": measured.limit_phrase(service, travel),
        "service": word(service.name),
    }
    return SharesView(
        _(
            "By source, from %(low)s to %(high)s of people live within %(limit)s of the nearest %(service)s: a spread of %(spread)s points."
        )
        % words,
        tuple(rows),
    )


def _share_row(name: str, people: float, told: Told, uncovered: Told, is_insider: bool) -> ShareRow:
    lang = language()
    return ShareRow(
        name=name,
        people_text=telling.people(people, is_insider).as_people(lang),
        share_text=told.as_percent(lang),
        uncovered_text=uncovered.as_people(lang),
        bar=round(100 * (told.value or 0.0), 1),
    )


def _group_name(code: str) -> str:
    known = {
        "women": _("women"), "men": _("men"), "children": _("children"), "under-6": _("children under six"),
        "elderly": _("elderly people"), "over-65": _("people over 65"), "disabled": _("people with a disability"),
        "literate": _("people who can read"), "poor": _("poor people"), "refugees": _("refugees"),
    }  # fmt: skip
    return known.get(code, code)


# ---- frequency


def frequency_view(result: CityFrequency, chosen: str, *, is_insider: bool) -> FrequencyView | None:
    """Present how often the chosen service leaves, or else the first that has a timetable; None where none has."""
    if not result.services:
        return None
    lang = language()
    one = next((each for each in result.services if each.service.code == chosen), result.services[0])
    tables = answers.frequency_answer(result).rows(is_insider)
    city = next(row for row in tables["city"] if row["service"] == one.service.code)
    rows = {row["code"]: row for row in tables["places"] if row["service"] == one.service.code}
    limit = measured.limit_text(one.service, result.basis.travel)
    names = [_("None within reach"), *(each.name for each in one.classes)]
    ranges = ["", *(_range_text(each) for each in one.classes)]

    def cells(row: Mapping[str, Any]) -> tuple[str, ...]:
        return (
            formats.number(row["departures_week"], lang),
            formats.number(row["lines_reached"], lang),
            *(_people_cell(row, f"class{n}_people") for n in range(len(names))),
        )

    order = sorted(range(len(result.basis.places)), key=lambda i: _low_first(float(one.departures[i])))
    columns = (_("Departures a week"), _("Lines within reach"), *names)
    return FrequencyView(
        name=one.service.name,
        sentence=_frequency_sentence(result, one, city, limit),
        note=_frequency_note(one, limit),
        classes=tuple(
            ClassRow(
                name,
                range_text,
                _people_cell(city, f"class{n}_people"),
                formats.percent(city[f"class{n}_share"], lang),
                round(100 * (city[f"class{n}_share"] or 0.0), 1),
            )
            for n, (name, range_text) in enumerate(zip(names, ranges, strict=True))
        ),
        columns=columns,
        places=tuple(_place_cell(result, i, cells(rows[result.basis.places[i].code]), is_insider) for i in order),
        sources=tuple(
            dict.fromkeys((each.source_text, each.is_verified) for each in one.classes if each.source_text).keys()
        ),
    )


def _frequency_sentence(result: CityFrequency, one: ServiceFrequency, row: Mapping[str, Any], limit: str) -> str:
    lang = language()
    if one.city_departures is None:
        return _("Nobody is counted in %(city)s, so who has how many departures is not known.") % {
            "city": formats.isolated(result.basis.city.name, lang)
        }
    words = {
        "city": formats.isolated(result.basis.city.name, lang),
        "limit": limit,
        "n": formats.number(one.city_departures, lang),
        "lines": formats.number(one.city_lines_each, lang, 1),
        "share": formats.percent(row["class0_share"], lang),
    }
    text = _("People of %(city)s have %(n)s departures a week within %(limit)s on average.") % words
    if one.city_lines_each is not None:
        text = (
            _("People of %(city)s have %(n)s departures a week of %(lines)s lines within %(limit)s on average.") % words
        )
    if row["class0_share"]:
        text += " " + _("%(share)s of them have none.") % words
    return text


def _frequency_note(one: ServiceFrequency, limit: str) -> str:
    lang, told = language(), one.timetable
    words = {
        "matched": formats.number(told.matched, lang), "stops": formats.number(told.stops, lang),
        "metres": formats.number(told.match_m, lang), "limit": limit,
    }  # fmt: skip
    text = {
        "named": _("Each line counts once, however many of its stops are within %(limit)s. Stops name their lines."),
        "near": _(
            "Each line counts once, however many of its stops are within %(limit)s. "
            "Lines that pass within %(metres)s m of a stop are taken to stop there."
        ),
        "stops": _("Stops tell their own departures: the greatest within %(limit)s counts, as lines are not known."),
    }[told.way] % words
    if told.matched < told.stops:
        text += " " + _("Of %(stops)s stops the departures of %(matched)s are known.") % words
    return text


def _range_text(each: FrequencyClassRow) -> str:
    lang = language()
    high = None if each.high is None else formats.number(each.high, lang)
    if high is None:
        return _("%(low)s and more") % {"low": formats.number(each.low, lang)}
    if each.low == 0:
        return _("fewer than %(count)s") % {"count": high}
    return _("%(low)s to %(high)s") % {"low": formats.number(each.low, lang), "high": high}


# ---- standards


def standards_view(
    services: Sequence[ServiceRow], found: Sequence[tuple[str, Mapping[str, StandardRow]]], travel: TravelRow
) -> tuple[StandardCell, ...]:
    """Present the standards that hold, by service and kind."""
    lang = language()
    names = {"distance": _("distance"), "land": _("land for each person"), "capacity": _("capacity")}
    rows = []
    for service in services:
        for kind, standards in found:
            standard = standards.get(service.code)
            if standard is None:
                continue
            value = (
                measured.cost_text(standard.value, service, travel) if kind == "distance" else _standard_text(standard)
            )
            rows.append(
                StandardCell(
                    service=service.name,
                    kind=names[kind],
                    value=value,
                    scope=_scope(standard, lang),
                    source=standard.source_text,
                    is_verified=standard.is_verified,
                )
            )
    return tuple(rows)


def _standard_text(standard: StandardRow) -> str:
    value = _plain(standard.value)
    if standard.kind == "land":
        return _("%(n)s m² for each person") % {"n": value}
    return _("%(n)s for 1,000 people") % {"n": value}


def _scope(standard: StandardRow, lang: str) -> str:
    if standard.scope == "programme":
        return _("of the programme %(name)s") % {"name": standard.programme.upper()}
    if standard.scope == "band":
        low, high = standard.population_min, standard.population_max
        if low is not None and high is not None:
            words = {"low": formats.number(low, lang), "high": formats.number(high, lang)}
            return _("for cities of %(low)s to %(high)s people") % words
        if low is not None:
            return _("for cities of at least %(low)s people") % {"low": formats.number(low, lang)}
        return _("for cities of fewer than %(high)s people") % {"high": formats.number(high, lang)}
    return {"asked": _("given in the question"), "city": _("of this city")}.get(standard.scope) or _("for every city")


# ---- shared


def _histogram(values: Any, people: Any, mark: float | None, value_text: Callable[[float], str]) -> Histogram | None:
    lang = language()
    return charts.histogram(
        charts.bins_of(np.asarray(values, dtype=np.float64), np.asarray(people, dtype=np.float64)),
        mark=mark,
        mark_text="" if mark is None else _("standard: %(n)s") % {"n": _plain(mark)},
        value_text=value_text,
        people_text=lambda count: formats.number(count, lang),
        share_text=lambda share: formats.percent(share, lang),
        title=lambda ends, count: _("%(ends)s: %(people)s people") % {"ends": ends, "people": count},
        and_more=lambda low: _("%(low)s and more") % {"low": low},
        between=lambda low, high: _("%(low)s to %(high)s") % {"low": low, "high": high},
    )


def _plain(value: float) -> str:
    """Write a number with the decimals it has, four at most."""
    decimals = next((n for n in range(4) if round(value, n) == round(value, 4)), 4)
    return formats.number(value, language(), decimals)


def _once(places: Sequence[Any], people: Sequence[float]) -> Any:
    """Return people of places with none counted twice: those of settlements are left out where neighbourhoods hold them."""
    is_over = np.array([place.kind == SETTLEMENT for place in places])
    counts = np.array(people, dtype=np.float64)
    return counts if is_over.all() else np.where(is_over, 0.0, counts)


def _place_cell(
    result: CityAccess | CityLand | CityFrequency, i: int, cells: tuple[str, ...], is_insider: bool
) -> PlaceCell:
    place = result.basis.places[i]
    people = telling.people(float(result.population[i]), is_insider)
    return PlaceCell(place.code, place.name, place.kind == SETTLEMENT, people.as_people(language()), cells)


def _people_cell(row: Mapping[str, Any], name: str) -> str:
    """Write a count of people of a row; what was kept back says so."""
    if row.get(name) is None:
        return _("withheld") if name in row.get("withheld", ()) else formats.DASH
    return formats.number(0.0 if suppressed(row[name]) and row[name] < telling.NOBODY else row[name], language())


def _low_first(value: float) -> tuple[bool, float]:
    return (not math.isfinite(value), value if math.isfinite(value) else 0.0)


def _decimals_of(values: Any) -> int:
    """Return how many decimals tell values apart: two digits of the middle one."""
    known = np.asarray(values)[np.isfinite(values)]
    middle = float(np.median(known[known > 0])) if (known > 0).any() else 1.0
    return min(max(1 - math.floor(math.log10(middle)), 0), 4)
