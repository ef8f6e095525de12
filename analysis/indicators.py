"""The indicators of a city's places side by side: computed from coverage, or brought by people."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from numpy.typing import NDArray

from analysis.caching import content_key
from analysis.disclosure import is_insider
from analysis.models import Indicator, IndicatorValue
from analysis.results import CityCoverage, InTwoLanguages, PlaceRow, Question
from analysis.services import coverage_compute
from geo.errors import Forbidden, InvalidInput, NotFound
from geo.models import Place
from geo.querysets import User

Floats = NDArray[np.float64]

_KINDS: Final = (IndicatorValue.Kind.BASELINE, IndicatorValue.Kind.MEASURED)


@dataclass(frozen=True, slots=True)
class IndicatorRow(InTwoLanguages):
    """An indicator, as the codebook of an index tells it.

    Attributes
    ----------
    service
        Code of the service whose coverage it is; empty for what is brought by people.
    short_fa, short_en
        Names where what is measured of a service goes without saying.
    goalposts
        The values of no need and of the worst, the lower one first; None where it has none.
    """

    code: str
    name_fa: str
    name_en: str
    definition_fa: str
    definition_en: str
    domain: str
    origin: str
    unit: str
    direction: str
    service: str
    measure: str
    goalposts: tuple[float, float] | None
    short_fa: str
    short_en: str

    @property
    def short(self) -> str:
        """The short name in the language of the reader."""
        return self.short_en if self.name == self.name_en else self.short_fa

    @property
    def definition(self) -> str:
        """The definition in the language of the reader, or in the other where it was not written in that."""
        both = (self.definition_en, self.definition_fa)
        return next(filter(None, both if self.name == self.name_en else both[::-1]), "")


@dataclass(frozen=True, slots=True, eq=False)
class IndicatorMatrix:
    """Values of indicators by places, each column in its own unit.

    Attributes
    ----------
    values, errors
        Shape ``(places, indicators)``: NaN where missing, or where the error is not known; what is computed from coverage has
        the error 0.
    told_on
        By place and indicator, the first day of the year a stored value is of; without those that are missing or computed.
    sources
        By indicator, the sources of its stored values, each in Persian and in English.
    inputs
        What all was read from: editions, releases and values, with their hash.
    """

    city: Place
    places: tuple[PlaceRow, ...]
    indicators: tuple[IndicatorRow, ...]
    values: Floats
    errors: Floats
    told_on: Mapping[tuple[int, int], date]
    sources: Mapping[str, tuple[tuple[str, str], ...]]
    people: Floats
    inputs: Mapping[str, Any]
    warnings: tuple[str, ...]

    def only(self, columns: Sequence[int]) -> IndicatorMatrix:
        """Return it with some of its indicators alone."""
        codes = {self.indicators[k].code for k in columns}
        return replace(
            self,
            indicators=tuple(self.indicators[k] for k in columns),
            values=self.values[:, columns],
            errors=self.errors[:, columns],
            told_on={(i, columns.index(k)): day for (i, k), day in self.told_on.items() if k in columns},
            sources={code: named for code, named in self.sources.items() if code in codes},
        )


def indicators_known(covered: CityCoverage, user: User) -> tuple[Indicator, ...]:
    """Return the indicators that have a value somewhere in a city: of the services covered, or stored for its places."""
    stored = IndicatorValue.objects.in_force().visible_to(user).within(covered.city).filter(kind__in=_KINDS)
    computed = Q(origin=Indicator.Origin.COVERAGE, service__code__in=[service.code for service in covered.services])
    known = Indicator.objects.filter(computed | Q(pk__in=stored.order_by().values("indicator")))
    return tuple(known.select_related("service"))


def require_insider(city: Place, user: User) -> None:
    """Let nobody but people with a role in a city or around it read values of its places: small counts stand among them.

    Raises
    ------
    Forbidden
        For all others.
    """
    if not is_insider(user, city):
        raise Forbidden(
            "Indicators are read by people with a role in the city.",
            code="role_missing",
            where=city.code,
            remedy="Look at the city's map.",
            details={"city": city.name},
        )


def indicator_rows(city: Place, user: User, covered: CityCoverage | None = None) -> tuple[IndicatorRow, ...]:
    """Return what can be in an index of a city.

    Parameters
    ----------
    covered : CityCoverage, optional
        The coverage of the city as the user may see it, where it is at hand.

    Raises
    ------
    Forbidden
        As `require_insider`.
    """
    require_insider(city, user)
    return tuple(_row(one) for one in indicators_known(covered or coverage_compute(city=city, user=user), user))


def matrix_read(
    *,
    city: Place,
    user: User,
    codes: Collection[str] = (),
    kinds: Collection[str] = (),
    until: date | None = None,
    is_before: bool = False,
    question: Question | None = None,
    covered: CityCoverage | None = None,
    is_public: bool = False,
) -> IndicatorMatrix:
    """Read the values of indicators for the places of a city.

    Parameters
    ----------
    codes
        Of indicators; all that the city has where empty.
    kinds
        Of places, such as ``settlement``; all where empty.
    until : date, optional
        Of stored values, the last one told on or before this day counts; what is computed is of today.
    is_before : bool
        Of the year that begins on that day, only what was there before (baselines) counts, not what was measured of it.
    question : Question, optional
        How coverage is measured.
    covered : CityCoverage, optional
        The answer to it, where it is at hand.
    is_public : bool
        Read only what everybody may see, whatever the user may: published places, public layers and values.

    Raises
    ------
    Forbidden
        As `require_insider`.
    NotFound
        Where the city has no place of these kinds with a boundary, or nothing is measured there.
    InvalidInput
        Where an indicator is not known here.
    """
    require_insider(city, user)
    reader: User = AnonymousUser() if is_public else user
    covered = covered or coverage_compute(city=city, user=reader, question=question)
    known = {one.code: one for one in indicators_known(covered, reader)}
    for code in codes:
        if code not in known:
            if is_public and Indicator.objects.filter(code=code).exists():
                raise _not_public(city, code)
            raise InvalidInput(
                f"{city.name_en} has no values of an indicator {code!r}.",
                code="unknown_indicator",
                where="indicators",
                remedy=f"Choose one of: {', '.join(sorted(known))}.",
                details={"city": city.name, "code": code},
            )
    chosen = [one for one in known.values() if not codes or one.code in codes]
    if not chosen:
        raise NotFound(
            f"Nothing is measured in {city.name_en} yet.",
            code="no_indicators",
            where=city.code,
            remedy="Load a layer and say which service it supplies, or enter measured values.",
            details={"city": city.name},
        )
    rows = [i for i, place in enumerate(covered.places) if not kinds or place.kind in kinds]
    if not rows:
        raise NotFound(
            f"{city.name_en} has no such places with a boundary in force.",
            code="no_places",
            where=city.code,
            remedy="Choose other kinds of places, or load boundaries first.",
            details={"city": city.name},
        )
    places = tuple(covered.places[i] for i in rows)
    values = np.full((len(places), len(chosen)), np.nan)
    errors = np.full((len(places), len(chosen)), np.nan)
    for k, indicator in enumerate(chosen):
        if indicator.origin == Indicator.Origin.COVERAGE:
            values[:, k], errors[:, k] = _computed(covered, indicator)[rows], 0.0
    told_on, sources, stored_key = _stored(city, reader, places, chosen, until, is_before, values, errors)
    return IndicatorMatrix(
        city,
        places,
        tuple(_row(one) for one in chosen),
        values,
        errors,
        told_on,
        sources,
        covered.values.population[rows],
        {**covered.inputs, "values": {"content_hash": stored_key}},
        covered.warnings,
    )


def _not_public(city: Place, code: str) -> InvalidInput:
    one = Indicator.objects.get(code=code)
    return InvalidInput(
        f"Not everybody may see the values of {code!r} in {city.name_en}, so it cannot be published.",
        code="not_public",
        where=code,
        remedy="Leave it out, or make the layer or the places it is measured by public.",
        details={"city": city.name, "code": one.name},
    )


def _computed(covered: CityCoverage, indicator: Indicator) -> Floats:
    column = covered.service_index(indicator.service.code) if indicator.service else None
    if column is None:
        return np.full(len(covered.places), np.nan)
    if indicator.measure == Indicator.Measure.MEAN_DISTANCE:
        distance = covered.values.mean_distance_m[:, column]
        return np.where(np.isfinite(distance), distance, np.nan)
    return 1.0 - covered.values.population_share[:, column]


def _stored(
    city: Place,
    user: User,
    places: tuple[PlaceRow, ...],
    chosen: list[Indicator],
    until: date | None,
    is_before: bool,
    values: Floats,
    errors: Floats,
) -> tuple[dict[tuple[int, int], date], dict[str, tuple[tuple[str, str], ...]], str]:
    """Put stored values where they belong; return when each is of, where they come from, and the hash of all."""
    place_row = {place.id: i for i, place in enumerate(places)}
    column = {one.pk: k for k, one in enumerate(chosen) if one.origin not in Indicator.COMPUTED}
    found = (
        IndicatorValue.objects.in_force()
        .visible_to(user)
        .within(city)
        .filter(kind__in=_KINDS, indicator__in=list(column), place__in=list(place_row))
    )
    if until is not None:
        found = found.filter(year_begins_on__lte=until)
        if is_before:
            found = found.exclude(year_begins_on=until, kind=IndicatorValue.Kind.MEASURED)
    told_on: dict[tuple[int, int], date] = {}
    sources: dict[str, dict[tuple[str, str], None]] = {}
    key = []
    # The newest last, and of one year what was measured after what was there before.
    for one in found.order_by("year_begins_on", "kind", "pk"):
        cell = (place_row[one.place_id], column[one.indicator_id])
        values[cell], errors[cell] = one.value, math.nan if one.error is None else one.error
        told_on[cell] = one.year_begins_on
        sources.setdefault(chosen[cell[1]].code, {})[one.source_fa or one.source, one.source] = None
        key.append(
            (places[cell[0]].path, chosen[cell[1]].code, str(one.year_begins_on), one.kind, one.value, one.error)
        )
    return told_on, {code: tuple(named) for code, named in sources.items()}, content_key(key)


def _row(one: Indicator) -> IndicatorRow:
    low, high = one.goalpost_low, one.goalpost_high
    is_share = one.measure == Indicator.Measure.UNCOVERED_SHARE
    return IndicatorRow(
        one.code,
        one.name_fa,
        one.name_en,
        one.definition_fa,
        one.definition_en,
        one.domain,
        one.origin,
        one.unit,
        one.direction,
        one.service.code if one.service else "",
        one.measure,
        None if low is None or high is None else (low, high),
        one.service.name_fa if is_share and one.service else one.name_fa,
        one.service.name_en if is_share and one.service else one.name_en,
    )


__all__ = ["IndicatorMatrix", "IndicatorRow", "indicator_rows", "indicators_known", "matrix_read", "require_insider"]
