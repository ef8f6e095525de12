"""From results to tables: which rows and columns each measure has, and what they mean."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from analysis.core.equity import Contrast
from analysis.measures.results import (
    Basis,
    CityAccess,
    CityDistances,
    CityEquity,
    CityFrequency,
    CityGroups,
    CityLand,
    CityUtility,
    FrequencyClassRow,
    ServiceAccess,
    ServiceFrequency,
    StandardRow,
)
from analysis.measures.tables import Answer, Column, Row, Table
from analysis.results import CityCoverage, PlaceRow, ServiceRow, number_or_none

_PLACE: Final = (
    Column("code", "کد", "Code", description="Of the place"),
    Column("name_fa", "نام فارسی", "Persian name"),
    Column("name_en", "نام انگلیسی", "English name"),
    Column("kind", "گونه", "Kind", description="neighbourhood or settlement"),
    Column("population", "جمعیت", "People", "people", "Residents of the place", "people"),
)
_SERVICE: Final = Column("service", "خدمت", "Service", description="Code of the service")
_LONG: Final = (*_PLACE, _SERVICE)

_SERVICES: Final = (
    Column("code", "کد", "Code", description="Of the service"),
    Column("name_fa", "نام فارسی", "Persian name"),
    Column("name_en", "نام انگلیسی", "English name"),
    Column("threshold_m", "آستانه", "Threshold", "m", "Distance, or time as metres of level walking at 5 km/h"),
    Column("threshold_source", "منبع آستانه", "Source of the threshold"),
    Column("threshold_source_fa", "منبع آستانه به فارسی", "Source of the threshold, in Persian"),
    Column("threshold_programme", "برنامهٔ آستانه", "Programme of the threshold"),
    Column(
        "threshold_verified", "آستانهٔ تأییدشده", "Threshold verified", description="Checked against the official text"
    ),
    Column("layer", "لایه", "Layer"),
    Column("release", "نسخه", "Release"),
    Column("release_hash", "اثر انگشت نسخه", "Hash of the release"),
    Column("reference_date", "تاریخ مرجع", "Reference date"),
    Column("source", "منبع", "Source"),
    Column("facilities", "شمار خدمت‌رسان‌ها", "Facilities"),
)
_STANDARD: Final = (
    Column("standard", "ضابطه", "Standard", description="Value of the standard, in standard_unit"),
    Column("standard_unit", "یکای ضابطه", "Unit of the standard"),
    Column(
        "standard_scope", "گسترهٔ ضابطه", "Scope of the standard", description="asked, city, programme, band or general"
    ),
    Column("standard_programme", "برنامهٔ ضابطه", "Programme of the standard"),
    Column("standard_source", "منبع ضابطه", "Source of the standard"),
    Column("standard_source_fa", "منبع ضابطه به فارسی", "Source of the standard, in Persian"),
    Column("standard_verified", "ضابطهٔ تأییدشده", "Standard verified", description="Checked against the official text"),
)


def _place(place: PlaceRow, population: float) -> Row:
    return {
        "code": place.code, "name_fa": place.name_fa, "name_en": place.name_en, "kind": place.kind,
        "population": number_or_none(population),
    }  # fmt: skip


def _service(service: ServiceRow) -> Row:
    return {
        "code": service.code, "name_fa": service.name_fa, "name_en": service.name_en,
        "threshold_m": service.threshold_m, "threshold_source": service.standard_source,
        "threshold_source_fa": service.standard_source_fa, "threshold_programme": service.standard_programme,
        "threshold_verified": service.is_verified, "layer": service.layer_code, "release": service.release_number,
        "release_hash": service.release_hash,
        "reference_date": service.reference_date.isoformat() if service.reference_date else None,
        "source": service.source, "facilities": service.facilities,
    }  # fmt: skip


def _standard(standard: StandardRow | None) -> Row:
    if standard is None:
        return dict.fromkeys(column.name for column in _STANDARD)
    return {
        "standard": standard.value, "standard_unit": standard.unit, "standard_scope": standard.scope,
        "standard_programme": standard.programme, "standard_source": standard.source,
        "standard_source_fa": standard.source_fa, "standard_verified": standard.is_verified,
    }  # fmt: skip


def _thresholds(services: Iterable[ServiceRow]) -> dict[str, float]:
    return {service.code: service.threshold_m for service in services}


def _parameters(basis: Basis, services: Iterable[ServiceRow]) -> dict[str, Any]:
    return {"travel": basis.travel.code, "cell_m": basis.cell_m, "thresholds_m": _thresholds(services)}


def coverage_answer(result: CityCoverage) -> Answer:
    """Return coverage as a matrix of places by services, and with all its values, one row for each place and service."""
    values, places = result.values, result.places
    basis = Basis(
        city=result.city, places=places, population=result.population, travel=result.travel, people=result.people_total,
        cell_m=result.cell_m, epsg=result.epsg, inputs=result.inputs, inputs_key=result.inputs_key,
        warnings=result.warnings, duration_ms=result.duration_ms,
    )  # fmt: skip
    matrix = [
        _place(place, values.population[i])
        | {s.code: number_or_none(values.population_share[i, k]) for k, s in enumerate(result.services)}
        for i, place in enumerate(places)
    ]
    long = [
        _place(place, values.population[i])
        | {
            "service": service.code,
            "population_share": number_or_none(values.population_share[i, k]),
            "area_share": number_or_none(values.area_share[i, k]),
            "uncovered_people": number_or_none(values.uncovered_people[i, k]),
            "mean_distance_m": number_or_none(values.mean_distance_m[i, k]),
            "unreachable_people": number_or_none(values.unreachable_people[i, k]),
            "near_edge_of_data": bool(values.edge_flag[i, k]),
        }
        for i, place in enumerate(places)
        for k, service in enumerate(result.services)
    ]
    shares = tuple(
        Column(s.code, f"سهم پوشش: {s.name_fa}", f"Covered share: {s.name_en}", "", "Of the people", "share")
        for s in result.services
    )
    columns = (
        *_LONG,
        Column("population_share", "سهم جمعیت", "Share of people", "", "Within the threshold", "share"),
        Column("area_share", "سهم مساحت", "Share of land", "", "Within the threshold"),
        Column("uncovered_people", "جمعیت بی‌پوشش", "Uncovered people", "people", "Beyond the threshold", "part"),
        Column("mean_distance_m", "میانگین فاصله", "Mean distance", "m", "Of those who reach any", "mean"),
        Column("unreachable_people", "نارسیده", "People who reach none", "people", "", "part"),
        Column(
            "near_edge_of_data", "نزدیک لبهٔ داده", "Near the edge of the data", "", "Facilities beyond may be missing"
        ),
    )
    return Answer(
        "coverage",
        basis,
        "Share of the people, and of the land, within a threshold of the nearest facility; cells cut by it count partly.",
        _parameters(basis, result.services),
        (
            Table("matrix", (*_PLACE, *shares), matrix),
            Table("places", columns, long),
            Table("services", _SERVICES, [_service(service) for service in result.services]),
        ),
    )


def access_answer(result: CityAccess) -> Answer:
    """Return access with capacity, of places and of facilities."""
    places = result.basis.places

    def at(values: Any, i: int) -> float | None:
        return None if values is None else number_or_none(values[i])

    rows = [
        _place(place, result.population[i])
        | {
            "service": one.service.code,
            "per_1000": at(one.per_1000, i),
            "unmet_people": at(one.unmet_people, i),
            "crowded_people": at(one.crowded_people, i),
            "unreached_people": at(one.unreached_people, i),
        }
        for i, place in enumerate(places)
        for one in result.services
    ]
    facilities = [
        {
            "service": one.service.code, "number": facility.number, "name": facility.name, "lon": facility.lon,
            "lat": facility.lat, "capacity": facility.capacity, "load": facility.load, "per_1000": facility.per_1000,
            "nearest_people": facility.nearest_people, "people_over": facility.people_over,
        }
        for one in result.services
        for facility in one.facilities
    ]  # fmt: skip
    columns = (
        *_LONG,
        Column("per_1000", "ظرفیت برای هر ۱۰۰۰ نفر", "Capacity for 1,000 people", "per 1,000 people",
               "That people can count on, shared with all who reach it", "mean"),
        Column("unmet_people", "نیاز برآورده‌نشده", "People whose need is not met", "people", "By the standard", "part"),
        Column("crowded_people", "جامانده", "People without room", "people",
               "If everybody goes to the nearest facility, by the standard", "part"),
        Column("unreached_people", "نارسیده", "People without any within the limit", "people", "", "part"),
    )  # fmt: skip
    of_facilities = (
        _SERVICE,
        Column("number", "شماره", "Row", description="In the release; 0 for one of a scenario"),
        Column("name", "نام", "Name"),
        Column("lon", "طول جغرافیایی", "Longitude", "degree"),
        Column("lat", "عرض جغرافیایی", "Latitude", "degree"),
        Column("capacity", "ظرفیت", "Capacity"),
        Column("load", "جمعیت حوزه", "People in the catchment", "people", "Weighted; some are in several", "people"),
        Column("per_1000", "ظرفیت برای هر ۱۰۰۰ نفر", "Capacity for 1,000 people", "per 1,000 people", "Of the catchment",
               "mean", "load"),
        Column("nearest_people", "جمعیت نزدیک‌ترین", "People nearest to it", "people", "", "people"),
        Column("people_over", "بیش از ظرفیت", "People over capacity", "people", "By the standard", "part",
               "nearest_people"),
    )  # fmt: skip
    services = [_service(one.service) | _access_of(one) | _standard(one.standard) for one in result.services]
    of_services = (
        *_SERVICES,
        Column(
            "capacity_field", "فیلد ظرفیت", "Field of the capacity", description="Empty: each facility counts as one"
        ),
        Column("decay", "کاهش وزن", "Decay", description="2sfca, e2sfca, gaussian or power"),
        Column("limit_m", "حد", "Limit", "m"),
        Column("capacity", "ظرفیت", "Capacity"),
        Column("reached_capacity", "ظرفیت دسترس‌پذیر", "Capacity that anybody reaches"),
        Column("left_out", "کنارگذاشته", "Facilities left out", description="Their capacity is not known"),
        Column("city_per_1000", "ظرفیت شهر برای هر ۱۰۰۰ نفر", "Capacity for 1,000 people, city", "per 1,000 people"),
        Column(
            "city_unmet_people", "نیاز برآورده‌نشدهٔ شهر", "People whose need is not met, city", "people", "", "people"
        ),
        Column("city_crowded_people", "جاماندهٔ شهر", "People without room, city", "people", "", "people"),
        Column("city_unreached_people", "نارسیدهٔ شهر", "People without any, city", "people", "", "people"),
        *_STANDARD,
    )
    return Answer(
        "access",
        result.basis,
        "Floating catchments (Luo & Wang 2003; Luo & Qi 2009): R = capacity / weighted people, A = weighted sum of R; "
        "cost to the facility in both steps; each person counted once.",
        _parameters(result.basis, [one.service for one in result.services])
        | {
            "decays": {
                one.service.code: {"decay": one.decay, "limit_m": one.limit_m, "steps": [list(s) for s in one.steps]}
                for one in result.services
            },
            "standards": {one.service.code: _standard(one.standard) for one in result.services},
        },
        (
            Table("places", columns, rows),
            Table("facilities", of_facilities, facilities),
            Table("services", of_services, services),
        ),
    )


def _access_of(one: ServiceAccess) -> Row:
    return {
        "capacity_field": one.capacity_field, "decay": one.decay, "limit_m": one.limit_m, "capacity": one.capacity,
        "reached_capacity": one.reached_capacity, "left_out": one.left_out, "city_per_1000": one.city_per_1000,
        "city_unmet_people": one.city_unmet_people, "city_crowded_people": one.city_crowded_people,
        "city_unreached_people": one.city_unreached_people,
    }  # fmt: skip


def land_answer(result: CityLand) -> Answer:
    """Return the land for each person, within places and within reach."""
    rows = []
    for i, place in enumerate(result.basis.places):
        for one in result.services:
            row = _place(place, result.population[i]) | {"service": one.service.code}
            for name, land in (("within", one.within), ("reached", one.reached)):
                has_standard = one.standard is not None
                row |= {
                    f"{name}_m2": number_or_none(land.land_m2[i]),
                    f"{name}_per_person_m2": number_or_none(land.per_capita_m2[i]),
                    f"{name}_deficit_m2": number_or_none(land.deficit_m2[i]) if has_standard else None,
                    f"{name}_deficit_people": number_or_none(land.deficit_people[i]) if has_standard else None,
                }
            rows.append(row)
    columns = list(_LONG)
    for name, title_fa, title_en in (
        ("within", "درون محله", "within the place"),
        ("reached", "در دسترس", "within reach"),
    ):
        columns += [
            Column(f"{name}_m2", f"زمین {title_fa}", f"Land {title_en}", "m²"),
            Column(
                f"{name}_per_person_m2",
                f"سرانهٔ {title_fa}",
                f"Land for each person {title_en}",
                "m²/person",
                "",
                "mean",
            ),
            Column(f"{name}_deficit_m2", f"کمبود {title_fa}", f"Lacking land {title_en}", "m²", "", "mean"),
            Column(
                f"{name}_deficit_people",
                f"جمعیت بی‌سهم {title_fa}",
                f"People without land {title_en}",
                "people",
                "",
                "part",
            ),
        ]
    services = [
        _service(one.service)
        | {
            "land_source": one.source, "way": one.way, "left_out": one.left_out, "city_m2": one.city_land_m2,
            "city_per_person_m2": one.city_per_person_m2, "city_deficit_m2": one.city_deficit_m2,
            "city_deficit_people": one.city_deficit_people,
        }
        | _standard(one.standard)
        for one in result.services
    ]  # fmt: skip
    of_services = (
        *_SERVICES,
        Column("land_source", "منبع زمین", "Source of the land", description="shape, or the field that holds the area"),
        Column("way", "شیوهٔ تقسیم", "Way of sharing", description="cells or facilities"),
        Column("left_out", "کنارگذاشته", "Features left out", description="Their area is not known"),
        Column("city_m2", "زمین شهر", "Land, city", "m²"),
        Column("city_per_person_m2", "سرانهٔ شهر", "Land for each person, city", "m²/person"),
        Column("city_deficit_m2", "کمبود شهر", "Lacking land, city", "m²"),
        Column("city_deficit_people", "جمعیت بی‌سهم شهر", "People without land, city", "people", "", "people"),
        *_STANDARD,
    )
    return Answer(
        "land",
        result.basis,
        "Land of the use / residents, within the place; and within reach, where land is shared equally among the people "
        "within the threshold of it (floating catchments). Deficit against the standard.",
        _parameters(result.basis, [one.service for one in result.services])
        | {"standards": {one.service.code: _standard(one.standard) for one in result.services}},
        (Table("places", tuple(columns), rows), Table("services", of_services, services)),
    )


def equity_answer(result: CityEquity) -> Answer:
    """Return the equity of each service."""

    def of(contrast: Contrast, name: str) -> Row:
        ratio = contrast.ratio
        return {
            f"{name}_settlements": contrast.settlements,
            f"{name}_rest": contrast.rest,
            f"{name}_difference": contrast.difference,
            f"{name}_ratio": None if ratio is None else number_or_none(ratio),
        }

    rows = [
        {
            "service": one.service.code, "name_fa": one.service.name_fa, "name_en": one.service.name_en,
            "threshold_m": one.service.threshold_m, "people": one.people, "unreached_people": one.unreached_people,
            "gini": one.gini, "palma": one.palma, "by_settlement": one.by_settlement, "by_priority": one.by_priority,
            "short_people": one.shortfall.people, "fgt0": one.shortfall.headcount, "fgt1": one.shortfall.gap,
            "fgt2": one.shortfall.severity, "settlement_people": one.covered.settlement_people,
            "rest_people": one.covered.rest_people,
        }
        | of(one.covered, "covered")
        | of(one.distance, "distance_m")
        for one in result.services
    ]  # fmt: skip
    lorenz = [
        {"service": one.service.code, "people_share": share, "distance_share": value}
        for one in result.services
        for share, value in one.curve
    ]
    columns = (
        _SERVICE,
        Column("name_fa", "نام فارسی", "Persian name"),
        Column("name_en", "نام انگلیسی", "English name"),
        Column("threshold_m", "آستانه", "Threshold", "m"),
        Column("people", "جمعیت", "People", "people", "Who reach any", "people"),
        Column("unreached_people", "نارسیده", "People who reach none", "people", "", "people"),
        Column("gini", "ضریب جینی", "Gini", "", "Of the distance; 0: all have the same"),
        Column("palma", "نسبت پالما", "Palma", "", "Distance of the tenth with the farthest / of the four tenths with the nearest"),
        Column("by_settlement", "تمرکز بر سکونتگاه‌ها", "Concentration by settlement", "", "Above 0: people of settlements go farther"),
        Column("by_priority", "تمرکز بر اولویت", "Concentration by priority", "", "Above 0: people of places of higher priority go farther"),
        Column("short_people", "فراتر از آستانه", "People beyond the threshold", "people", "", "people"),
        Column("fgt0", "سهم فراتر از آستانه", "FGT 0", "", "Share of people beyond the threshold"),
        Column("fgt1", "میانگین شکاف", "FGT 1", "", "Mean relative gap, complete at twice the threshold"),
        Column("fgt2", "میانگین مربع شکاف", "FGT 2", "", "Mean square of the relative gap"),
        Column("settlement_people", "جمعیت سکونتگاه‌ها", "People of settlements", "people", "", "people"),
        Column("rest_people", "جمعیت دیگر", "People of the rest of the city", "people", "", "people"),
        Column("covered_settlements", "پوشش سکونتگاه‌ها", "Covered share of settlements", "", "", "share", "settlement_people"),
        Column("covered_rest", "پوشش دیگر شهر", "Covered share of the rest", "", "", "share", "rest_people"),
        Column("covered_difference", "تفاوت پوشش", "Difference of the shares", "", "", "derived", "covered_settlements covered_rest"),
        Column("covered_ratio", "نسبت پوشش", "Ratio of the shares", "", "", "derived", "covered_settlements covered_rest"),
        Column("distance_m_settlements", "میانگین فاصلهٔ سکونتگاه‌ها", "Mean distance of settlements", "m", "", "mean", "settlement_people"),
        Column("distance_m_rest", "میانگین فاصلهٔ دیگر شهر", "Mean distance of the rest", "m", "", "mean", "rest_people"),
        Column("distance_m_difference", "تفاوت فاصله", "Difference of the distances", "m", "", "derived", "distance_m_settlements distance_m_rest"),
        Column("distance_m_ratio", "نسبت فاصله", "Ratio of the distances", "", "", "derived", "distance_m_settlements distance_m_rest"),
    )  # fmt: skip
    curve = (
        _SERVICE,
        Column("people_share", "سهم جمعیت", "Share of people", "", "Those with the least first"),
        Column("distance_share", "سهم فاصله", "Share of all distance"),
    )
    return Answer(
        "equity",
        result.basis,
        "Gini, Palma and concentration index of the distance to the nearest facility, weighted by people; "
        "Foster–Greer–Thorbecke of the distance beyond the threshold; settlements against the rest of the city.",
        _parameters(result.basis, [one.service for one in result.services]),
        (Table("services", columns, rows), Table("lorenz", curve, lorenz)),
    )


def distances_answer(result: CityDistances) -> Answer:
    """Return percentiles, curves and nearest facilities."""
    percentiles, distances = result.percentiles, result.distances_m
    names = [f"p{value:g}_m" for value in percentiles]
    steps = [f"within_{metres:g}_m" for metres in distances]
    rows, curves, nearest = [], [], []
    for one in result.services:
        for i, place in enumerate(result.basis.places):
            whose = _place(place, result.population[i]) | {"service": one.service.code}
            rows.append(whose | _named(names, one.percentiles_m[i]))
            curves.append(whose | _named(steps, one.curve[i]))
            if (found := one.nearest[i]) is not None:
                nearest.append(
                    whose
                    | {
                        "number": found.number, "name": found.name, "lon": found.lon, "lat": found.lat,
                        "people": found.people, "share": found.share, "mean_distance_m": found.mean_distance_m,
                        "others": found.others,
                    }
                )  # fmt: skip
    city = [
        {"service": one.service.code, "population": result.basis.people}
        | _named(names, one.city_percentiles_m)
        | _named(steps, one.city_curve)
        for one in result.services
    ]
    of_percentiles = tuple(
        Column(
            name,
            f"فاصلهٔ {value:g} درصد",
            f"Distance of {value:g} %",
            "m",
            "Within it live so many of the people",
            "mean",
        )
        for name, value in zip(names, percentiles, strict=True)
    )
    of_steps = tuple(
        Column(name, f"سهم تا {metres:g} متر", f"Share within {metres:g} m", "", "Of the people", "share")
        for name, metres in zip(steps, distances, strict=True)
    )
    of_nearest = (
        *_LONG,
        Column("number", "شماره", "Row", description="Of the facility that most have nearest"),
        Column("name", "نام", "Name"),
        Column("lon", "طول جغرافیایی", "Longitude", "degree"),
        Column("lat", "عرض جغرافیایی", "Latitude", "degree"),
        Column("people", "جمعیت", "People who have it nearest", "people", "", "part"),
        Column("share", "سهم", "Share", "", "Of those who reach any", "share"),
        Column("mean_distance_m", "میانگین فاصله", "Mean distance", "m", "", "mean", "people"),
        Column("others", "شمار دیگرها", "Other facilities", description="Nearest to somebody of the place"),
    )
    tables = [
        Table("percentiles", (*_LONG, *of_percentiles), rows),
        Table("curves", (*_LONG, *of_steps), curves),
        Table("city", (_SERVICE, _PLACE[-1], *of_percentiles, *of_steps), city),
        Table("services", _SERVICES, [_service(one.service) for one in result.services]),
    ]
    if nearest:
        tables.insert(2, Table("nearest", of_nearest, nearest))
    return Answer(
        "curves",
        result.basis,
        "Lower weighted percentiles of the distance to the nearest facility, and the share of people within each distance.",
        _parameters(result.basis, [one.service for one in result.services])
        | {"percentiles": list(percentiles), "distances_m": list(distances)},
        tuple(tables),
    )


def _named(names: list[str], values: Any) -> Row:
    return {name: number_or_none(np.float64(value)) for name, value in zip(names, values, strict=True)}


def groups_answer(result: CityGroups) -> Answer:
    """Return the coverage of groups of people."""
    rows = [
        _place(place, result.population[g, i])
        | {
            "group": group,
            "service": service.code,
            "population_share": number_or_none(result.population_share[g, i, k]),
            "uncovered_people": number_or_none(result.uncovered_people[g, i, k]),
        }
        for g, group in enumerate(result.groups)
        for i, place in enumerate(result.basis.places)
        for k, service in enumerate(result.services)
    ]
    city = [
        {
            "group": group, "service": service.code, "population": float(result.city_people[g]),
            "population_share": number_or_none(result.city_share[g, k]),
        }
        for g, group in enumerate(result.groups)
        for k, service in enumerate(result.services)
    ]  # fmt: skip
    group_column = Column("group", "گروه", "Group", description="Code of the group")
    share = Column("population_share", "سهم پوشش", "Covered share", "", "Of the people of the group", "share")
    columns = (
        *_PLACE, group_column, _SERVICE, share,
        Column("uncovered_people", "جمعیت بی‌پوشش", "Uncovered people", "people", "Of the group", "part"),
    )  # fmt: skip
    return Answer(
        "groups",
        result.basis,
        "Coverage with the people of each group in place of all.",
        _parameters(result.basis, result.services) | {"groups": list(result.groups)},
        (
            Table("places", columns, rows),
            Table("city", (group_column, _SERVICE, _PLACE[-1], share), city),
            Table("services", _SERVICES, [_service(service) for service in result.services]),
        ),
    )


def utility_answer(result: CityUtility) -> Answer:
    """Return who is served by a utility."""
    rows = [
        _place(place, result.population[i])
        | {
            "service": result.service.code,
            "way": result.way if np.isfinite(result.covered_people[i]) else "",
            "population_share": number_or_none(result.population_share[i]),
            "covered_people": number_or_none(result.covered_people[i]),
            "uncovered_people": number_or_none(result.uncovered_people[i]),
        }
        for i, place in enumerate(result.basis.places)
    ]
    city = {
        "service": result.service.code, "way": result.way, "population": result.city_people,
        "population_share": result.city_share, "unknown_people": result.city_unknown_people,
    }  # fmt: skip
    way = Column("way", "شیوه", "Way", description="distance-to-main, zone or survey; empty where nobody knows")
    share = Column("population_share", "سهم برخوردار", "Served share", "", "Of the people", "share")
    columns = (
        *_LONG, way, share,
        Column("covered_people", "جمعیت برخوردار", "Served people", "people", "", "part"),
        Column("uncovered_people", "جمعیت نابرخوردار", "People not served", "people", "", "part"),
    )  # fmt: skip
    unknown = Column("unknown_people", "جمعیت نامعلوم", "People of whom nobody knows", "people", "", "people")
    return Answer(
        "utility",
        result.basis,
        {
            "distance-to-main": "Who lives within the threshold of a main; near a main is not connected.",
            "zone": "Who lives in a served zone; in a zone is not supplied.",
            "survey": "The share of homes that a survey found to be served.",
        }[result.way],
        _parameters(result.basis, [result.service])
        | {"way": result.way, "layer": result.layer_code, "field": result.field},
        (
            Table("places", columns, rows),
            Table("city", (_SERVICE, way, _PLACE[-1], share, unknown), [city]),
            Table("services", _SERVICES, [_service(result.service)]),
        ),
    )


def frequency_answer(result: CityFrequency) -> Answer:
    """Return how often public transport leaves from within reach; the same classes have the same columns in all services."""
    most = max((len(one.classes) for one in result.services), default=0)
    numbers = range(most + 1)
    class_columns = (
        _SERVICE,
        Column("class", "رده", "Class", description="0: no departure within reach"),
        Column("name_fa", "نام فارسی", "Persian name"),
        Column("name_en", "نام انگلیسی", "English name"),
        Column("from_week", "از", "From", "1/week", "Departures a week within reach, at least"),
        Column("to_week", "تا", "To", "1/week", "Fewer than; empty for no end"),
        Column("scope", "گستره", "Scope", description="asked, city or general"),
        Column("source", "منبع", "Source"),
        Column("source_fa", "منبع به فارسی", "Source, in Persian"),
        Column("verified", "تأییدشده", "Verified", description="Checked against the official text"),
    )
    rows: list[Row] = []
    city: list[Row] = []
    classes: list[Row] = []
    lines: list[Row] = []
    services: list[Row] = []
    for one in result.services:
        whose: Row = {"service": one.service.code}
        for i, place in enumerate(result.basis.places):
            people = result.population[i]
            rows.append(
                _place(place, people)
                | whose
                | {
                    "departures_week": number_or_none(one.departures[i]),
                    "lines_each": number_or_none(one.lines_each[i]),
                    "lines_reached": int(one.lines_reached[i]) if one.lines else None,
                }
                | _in_classes(one.class_people[:, i], people)
                | {
                    "unreachable_people": number_or_none(one.unreachable_people[i]),
                    "near_edge_of_data": bool(one.edge_flag[i]),
                }
            )
        city.append(
            whose
            | {
                "population": result.basis.people, "departures_week": one.city_departures,
                "lines_each": one.city_lines_each,
            }
            | _in_classes(one.city_class_people, result.basis.people)
        )  # fmt: skip
        nothing: Row = dict.fromkeys(column.name for column in class_columns)
        classes.append(nothing | whose | {"class": 0, "name_fa": "هیچ", "name_en": "None within reach"})
        classes += [whose | _class(number, each) for number, each in enumerate(one.classes, start=1)]
        lines += [
            whose
            | {
                "line": line.code, "name": line.name, "departures_week": line.departures_week, "stops": line.stops,
                "people": line.people,
            }
            for line in one.lines
        ]  # fmt: skip
        services.append(_service(one.service) | _timetable(one))
    share_of = "See the table of classes"
    of_classes = (
        *(
            Column(f"class{n}_people", f"جمعیت ردهٔ {n}", f"People in class {n}", "people", share_of, "split")
            for n in numbers
        ),
        *(
            Column(
                f"class{n}_share", f"سهم ردهٔ {n}", f"Share in class {n}", "", share_of, "derived", f"class{n}_people"
            )
            for n in numbers
        ),
    )
    means = (
        Column("departures_week", "حرکت در هفته", "Departures a week", "1/week",
               "Mean over the people, of the lines within reach of each; a line counts once", "mean"),
        Column("lines_each", "خط در دسترس هر نفر", "Lines within reach of a person", "", "Mean over the people", "mean"),
    )  # fmt: skip
    columns = (
        *_LONG, *means,
        Column("lines_reached", "خط‌های در دسترس", "Lines within reach", "", "Of anybody of the place"),
        *of_classes,
        Column("unreachable_people", "نارسیده", "People who reach no stop at all", "people", "", "part"),
        Column("near_edge_of_data", "نزدیک لبهٔ داده", "Near the edge of the data", "", "Stops beyond may be missing"),
    )  # fmt: skip
    of_lines = (
        _SERVICE,
        Column("line", "خط", "Line", description="Code of the line"),
        Column("name", "نام", "Name"),
        Column("departures_week", "حرکت در هفته", "Departures a week", "1/week"),
        Column("stops", "ایستگاه‌ها", "Stops", description="Of the city's data"),
        Column(
            "people", "جمعیت", "People", "people", "With one of its stops within reach, each counted once", "people"
        ),
    )
    of_services = (
        *_SERVICES,
        Column("way", "شیوهٔ پیوند", "Way of matching", description="named, near or stops"),
        Column("timetable_layer", "لایهٔ خط‌ها", "Layer of the lines"),
        Column("timetable_release", "نسخهٔ خط‌ها", "Release of the lines"),
        Column("departures_field", "فیلد حرکت‌ها", "Field of departures"),
        Column("line_field", "فیلد خط", "Field of the line"),
        Column("stop_field", "فیلد ایستگاه", "Field of the stop"),
        Column("match_m", "فاصلهٔ پیوند", "Distance of matching", "m"),
        Column("stops", "ایستگاه‌ها", "Stops"),
        Column("matched", "ایستگاه‌های پیوندیافته", "Stops with known departures"),
        Column("unknown_lines", "خط‌های ناشناخته", "Unknown lines", description="Named by stops alone"),
        Column("left_out", "کنارگذاشته", "Lines left out", description="Their departures are not known"),
    )
    return Answer(
        "frequency",
        result.basis,
        "Departures a week of the lines that stop within the threshold, each line once, in classes "
        "(after Poelman & Dijkstra 2015); each person counted once.",
        _parameters(result.basis, [one.service for one in result.services])
        | {
            "edges_week": {one.service.code: [each.low for each in one.classes] for one in result.services},
            "timetables": {
                one.service.code: _timetable(one) | {"release_hash": one.timetable.release_hash}
                for one in result.services
            },
        },
        (
            Table("places", columns, rows),
            Table("city", (_SERVICE, _PLACE[-1], *means, *of_classes), city),
            Table("classes", class_columns, classes),
            Table("lines", of_lines, lines),
            Table("services", of_services, services),
        ),
    )


def _in_classes(people: Any, whole: float) -> Row:
    return {f"class{n}_people": number_or_none(count) for n, count in enumerate(people)} | {
        f"class{n}_share": number_or_none(count / whole) if whole > 0 else None for n, count in enumerate(people)
    }


def _class(number: int, each: FrequencyClassRow) -> Row:
    return {
        "class": number, "name_fa": each.name_fa, "name_en": each.name_en, "from_week": each.low,
        "to_week": each.high, "scope": each.scope, "source": each.source, "source_fa": each.source_fa,
        "verified": each.is_verified,
    }  # fmt: skip


def _timetable(one: ServiceFrequency) -> Row:
    told = one.timetable
    return {
        "way": told.way, "timetable_layer": told.layer_code, "timetable_release": told.release_number,
        "departures_field": told.departures_field, "line_field": told.line_field, "stop_field": told.stop_field,
        "match_m": told.match_m, "stops": told.stops, "matched": told.matched,
        "unknown_lines": ", ".join(told.unknown_lines), "left_out": told.left_out,
    }  # fmt: skip
