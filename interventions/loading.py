"""Reads a network description (TOML): indicators, sectors, committees, organisations, councils, a round and its work.

The file is read and checked first; then everything is stored in one transaction, or nothing. Every error names the
table, its number, its code, and the field: ``network.toml, needs 7 (s03-water), severity``.

What describes institutions and measures (indicators, sectors, committees, organisations, councils, the programme) is brought up to
date each time. A round that is there already is left as it is with all its needs, capacities, proposals and actions, because people
have gone on working in it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Model

from analysis.models import Indicator, IndicatorValue
from geo.core.text import clean_name
from geo.errors import InvalidInput, MahallehError
from geo.models import Place
from geo.querysets import system_user
from interventions.core.phases import REQUIRED_PHASES, PhaseKind
from interventions.core.transitions import ActionState, NeedState, ProposalState, RoundState
from interventions.models import (
    MAX_PEOPLE,
    Action,
    Approach,
    Assessment,
    Capacity,
    Committee,
    Council,
    Decision,
    Need,
    Organisation,
    Programme,
    Proposal,
    Round,
    Seat,
    Sector,
    WeightSet,
)
from interventions.services import (
    ActionSpec,
    CapacitySpec,
    NeedSpec,
    OrganisationSpec,
    ProgressSpec,
    ProposalSpec,
    RoundSpec,
    Ruling,
    WeightSetSpec,
    action_record,
    assessment_say,
    assessments_ask,
    capacity_record,
    decisions_publish,
    decisions_take,
    need_record,
    organisation_record,
    outcome_record,
    outcomes_plan,
    proposal_record,
    round_record,
    stored,
    weight_set_record,
)
from interventions.services.assessments import JUDGEMENTS
from interventions.services.decisions import OUTCOMES
from layers.models import Service

FORMAT: Final = 1
MAX_BYTES: Final = 5_000_000
_YEARS: Final = (1900, 2200)
_MAX_COST_IRR: Final = 10**18 - 1
_TABLES: Final = (
    "format",
    "indicators",
    "sectors",
    "committees",
    "organisations",
    "councils",
    "programme",
    "round",
    "needs",
    "capacities",
    "proposals",
    "assessments",
    "decisions",
    "actions",
    "weights",
)
_ORIGINS: Final = [one for one in Indicator.Origin.values if one not in Indicator.COMPUTED]
_T = TypeVar("_T")
_M = TypeVar("_M", bound=Model)


@dataclass(slots=True)
class _Row:
    """One table of the file: gives each value in its type or says what is wrong where, and tells unknown keys."""

    values: Mapping[str, Any]
    where: str
    position: int = 0
    used: set[str] = field(default_factory=set)

    def error(self, key: str, message: str, remedy: str) -> InvalidInput:
        """Return the error of a field."""
        return InvalidInput(message, code="bad_network", where=f"{self.where}, {key}", remedy=remedy)

    def get(self, key: str, kind: type[_T], default: _T | None = None) -> _T:
        """Return a value of a type; without a default it must be there."""
        self.used.add(key)
        value = self.values.get(key, default)
        if value is None:
            raise self.error(key, "The value is missing.", "Give one.")
        # In TOML true is not 1, though Python says so.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.error(key, f"{str(value)[:40]!r} is of the wrong type.", f"Give a {_TYPES[kind]}.")
        return value

    def has(self, key: str, needed: bool) -> bool:
        """Tell whether a value is given, or must be."""
        self.used.add(key)
        return needed or key in self.values

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; one that must be there is not empty."""
        value = self.get(key, str, default)
        if default is None and not clean_name(value):
            raise self.error(key, "The text is empty.", "Give one.")
        if "\0" in value:
            raise self.error(key, "The text holds a null character.", "Take it out.")
        return value

    def one_of(self, key: str, choices: list[str], default: str | None = None) -> str:
        """Return one of some words."""
        value = self.get(key, str, default)
        if value not in choices:
            raise self.error(key, f"{value[:40]!r} is not known.", f"Choose one of {', '.join(map(str, choices))}.")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Return yes or no."""
        self.used.add(key)
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.error(key, f"{str(value)[:40]!r} is of the wrong type.", "Write true or false.")
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return a whole number within bounds."""
        value = self.get(key, int, default)
        if not low <= value <= high:
            raise self.error(key, f"{value} is out of range.", f"Give a whole number from {low} to {high}.")
        return value

    def moment(self, key: str) -> datetime:
        """Return a moment with its offset from UTC."""
        value = self.get(key, datetime)
        if value.tzinfo is None:
            raise self.error(
                key, "The time does not say its offset from UTC.", "Write it like 2026-09-23T08:00:00+03:30."
            )
        if not _YEARS[0] <= value.year <= _YEARS[1]:
            raise self.error(
                key, f"The year {value.year} is out of range.", f"Give one from {_YEARS[0]} to {_YEARS[1]}."
            )
        return value

    def day(self, key: str) -> date:
        """Return a day."""
        value = self.get(key, date)
        if isinstance(value, datetime):  # which Python calls a day too
            raise self.error(key, "This is a day with a time.", "Write it like 2026-09-23.")
        if not _YEARS[0] <= value.year <= _YEARS[1]:
            raise self.error(
                key, f"The year {value.year} is out of range.", f"Give one from {_YEARS[0]} to {_YEARS[1]}."
            )
        return value

    def all_of(self, key: str, known: Mapping[str, _T]) -> tuple[_T, ...]:
        """Return the things that a list of codes stands for: at least one, none twice."""
        codes = self.get(key, list)
        if not codes or not all(isinstance(code, str) for code in codes) or len(set(codes)) < len(codes):
            raise self.error(key, "This is not a list of different codes.", 'Write it like ["health", "sport"].')
        return tuple(self._of(key, code, known) for code in codes)

    def lon_lat(self, key: str) -> tuple[float, float] | None:
        """Return a longitude and a latitude, or None where there are none."""
        values = self.get(key, list, [])
        if not values:
            return None
        if len(values) != 2 or not all(type(value) in (int, float) for value in values):
            raise self.error(key, "This is not a longitude and a latitude.", "Write it like [48.356, 33.487].")
        return float(values[0]), float(values[1])

    def two_numbers(self, key: str) -> tuple[float, float]:
        """Return two numbers, the lower one first."""
        values = self.get(key, list)
        if len(values) != 2 or not all(type(value) in (int, float) for value in values) or not values[0] < values[1]:
            raise self.error(key, "These are not two ascending numbers.", "Write them like [0, 100].")
        return float(values[0]), float(values[1])

    def numbers(self, key: str) -> dict[str, float]:
        """Return a table of numbers."""
        values = self.get(key, dict)
        if not all(type(value) in (int, float) for value in values.values()):
            raise self.error(key, "This is not a table of numbers.", "Write it like {clinic = 2, school = 1}.")
        return {code: float(value) for code, value in values.items()}

    def comparisons(self, key: str) -> tuple[tuple[str, str, float], ...]:
        """Return comparisons of domains: two of them, and how many times as important the first is."""
        values = self.get(key, list)
        for value in values:
            if not (isinstance(value, list) and list(map(type, value)) in ([str, str, int], [str, str, float])):
                raise self.error(key, "This is not a comparison.", 'Write it like [["health", "social", 3]].')
        return tuple((a, b, float(times)) for a, b, times in values)

    def of(self, key: str, known: Mapping[str, _T], default: str | None = None) -> _T:
        """Return the thing that a code stands for."""
        return self._of(key, self.get(key, str, default), known)

    def _of(self, key: str, code: str, known: Mapping[str, _T]) -> _T:
        if code not in known:
            remedy = "Write a code as it stands elsewhere in this file, before this row, or in the data of the city."
            raise self.error(key, f"Nothing is known by the code {code[:60]!r}.", remedy)
        return known[code]

    def finish(self) -> None:
        """Refuse keys that nobody asked for: they are misspelt."""
        for key in self.values:
            if key not in self.used:
                raise self.error(key, "This key is not known.", f"Known are {', '.join(sorted(self.used))}.")


_TYPES: Final[Mapping[type, str]] = {
    str: "text in quotation marks",
    int: "whole number",
    list: "list",
    dict: "table",
    date: "day, such as 2026-09-23",
    datetime: "date and time with its offset, such as 2026-09-23T08:00:00+03:30",
}


def network_load(city: Place, path: Path) -> None:
    """Load a network description for a city, all of it or nothing.

    Parameters
    ----------
    city : Place
        Places are named by their codes: those inside the city and those around it. A row that names none means the city.
    path : Path
        The TOML file.

    Raises
    ------
    InvalidInput
        Where the file cannot be read, or a value is missing, misspelt, of the wrong type, out of range, or names
        something unknown: with the table, its number and the field.
    """
    tables = _tables(path)
    with transaction.atomic():
        _Loader(city, path.name, tables).load()


def _text_of(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(
                "The file is too large.",
                code="file_too_large",
                where=path.name,
                remedy=f"At most {MAX_BYTES:,} bytes are read.",
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(
            f"The file cannot be read: {error.strerror}.", code="no_file", where=path.name, remedy="Check its path."
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is not UTF-8 at byte {error.start}.",
            code="bad_encoding",
            where=path.name,
            remedy="Save it as UTF-8.",
        ) from error


def _tables(path: Path) -> dict[str, Any]:
    try:
        tables = tomllib.loads(_text_of(path))
    except (
        ValueError,
        RecursionError,
    ) as error:  # TOML's own error is a ValueError; endless digits or brackets raise others
        raise InvalidInput(
            f"The file is not TOML: {error}.", code="bad_toml", where=path.name, remedy="Correct it there."
        ) from error
    if tables.get("format") != FORMAT:
        raise InvalidInput(
            f"The format {tables.get('format')!r} is not known.",
            code="bad_format",
            where=f"{path.name}, format",
            remedy=f"This version reads format = {FORMAT}.",
        )
    for key in tables:
        if key not in _TABLES:
            raise InvalidInput(
                f"The table {key[:60]!r} is not known.",
                code="bad_network",
                where=path.name,
                remedy=f"Known are {', '.join(_TABLES)}.",
            )
    return tables


def outcomes_load(city: Place, path: Path) -> None:
    """Load a table of outcomes of a city, all of it or nothing; where there are any already, people have gone on working on them.

    Parameters
    ----------
    city : Place
        Places are named by their codes.
    path : Path
        A table as pages take it (`interventions.services.outcomes_plan`).

    Raises
    ------
    InvalidInput
        Where the file cannot be read, or a row of it is wrong: with the row and the column.
    """
    with transaction.atomic():
        if IndicatorValue.objects.within(city).exists():
            return
        plan = outcomes_plan(user=system_user(), within=city, text=_text_of(path))
        if plan.faults:
            fault = plan.faults[0]
            fault.where = f"{path.name}, {fault.where}"
            raise fault
        for planned in plan.values:
            outcome_record(planned.spec)


class _Loader:
    """Stores the tables in the order in which they name each other."""

    def __init__(self, city: Place, file_name: str, tables: Mapping[str, Any]) -> None:
        self.city, self.file_name, self.tables = city, file_name, tables
        self.places: dict[str, Place] = {}
        for place in (*Place.objects.within(city), *_around(city)):
            if place.code in self.places:
                raise InvalidInput(
                    f"Two places have the code {place.code!r}, so it names none.",
                    code="duplicate_code",
                    where=file_name,
                    remedy="Give the places of the city different codes.",
                )
            self.places[place.code] = place
        self.services = {service.code: service for service in Service.objects.all()}
        self.sectors: dict[str, Sector] = {}
        self.organisations: dict[str, Organisation] = {}
        self.needs: dict[str, Need] = {}
        self.proposals: dict[str, Proposal] = {}
        self.actions: dict[str, Action] = {}
        self.published_at: datetime | None = None

    def load(self) -> None:
        """Store everything."""
        self._each("indicators", self._indicator, {})
        self._each("sectors", self._sector, self.sectors)
        self._each("committees", self._committee, {})
        self._each("organisations", self._organisation, self.organisations)
        self._each("councils", self._council, {})
        # People go on working on the weights of their institutions: those of a city that has any stay as they are.
        if not WeightSet.objects.filter(city=self.city).exists():
            self._each("weights", self._weights, {})
        programme = self._one("programme", self._programme)
        round_ = self._one("round", lambda row: self._round(row, programme))
        if round_ is not None:
            self._each("needs", lambda row: self._need(row, round_), self.needs)
            self._each("capacities", self._capacity, {})
            self._each("proposals", lambda row: self._proposal(row, round_), self.proposals)
            self._each("assessments", self._assessment, {})
            self._each("decisions", self._decision, {})
            if self.published_at is not None:
                decisions_publish(user=system_user(), round_=round_, at=self.published_at)
            self._each("actions", lambda row: self._action(row, round_), self.actions)

    def _rows(self, name: str) -> Iterator[_Row]:
        rows = self.tables.get(name, [])
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise InvalidInput(
                f"{name!r} is not a list of tables.",
                code="bad_network",
                where=self.file_name,
                remedy=f"Begin each row with [[{name}]].",
            )
        for number, row in enumerate(rows, start=1):
            yield _Row(row, f"{self.file_name}, {name} {number} ({str(row.get('code', 'no code'))[:60]})", number)

    def _each(self, name: str, store: Callable[[_Row], _T], known: dict[str, _T]) -> None:
        for row in self._rows(name):
            code = row.text("code")
            if code in known:
                raise row.error("code", "The code is used twice.", "Give each row its own.")
            known[code] = _located(row, store)

    def _one(self, name: str, store: Callable[[_Row], _T]) -> _T:
        table = self.tables.get(name)
        if not isinstance(table, dict):
            raise InvalidInput(
                f"The table {name!r} is missing.", code="bad_network", where=self.file_name, remedy=f"Add [{name}]."
            )
        return _located(_Row(table, f"{self.file_name}, {name}"), store)

    def _indicator(self, row: _Row) -> Indicator:
        code = row.text("code")
        values: dict[str, Any] = {
            **_names(row),
            "domain": row.one_of("domain", Indicator.Domain.values),
            "origin": row.one_of("origin", _ORIGINS),
            "unit": row.text("unit"),
            "direction": row.one_of("direction", Indicator.Direction.values),
            "definition_fa": row.text("definition_fa"),
            "definition_en": row.text("definition_en"),
        }
        if row.has("goalposts", False):
            values["goalpost_low"], values["goalpost_high"] = row.two_numbers("goalposts")
        if row.has("every_months", False):
            values["every_months"] = row.whole("every_months", 1, 240)
        row.finish()
        return _put(Indicator, {"code": code}, {**values, "position": row.position})

    def _sector(self, row: _Row) -> Sector:
        code, values = row.text("code"), _names(row)
        row.finish()
        return _put(Sector, {"code": code}, {**values, "position": row.position})

    def _committee(self, row: _Row) -> Committee:
        code, place, values = row.text("code"), row.of("place", self.places), _names(row)
        sectors, is_crisis = row.all_of("sectors", self.sectors), row.flag("is_crisis", False)
        row.finish()
        flags = {"position": row.position, "is_crisis": is_crisis}
        committee = _put(Committee, {"place": place, "code": code}, {**values, **flags})
        committee.sectors.set(sectors)
        return committee

    def _organisation(self, row: _Row) -> Organisation:
        place = row.of("place", self.places, self.city.code)
        kind = row.one_of("kind", Organisation.Kind.values)
        values = _names(row)
        row.finish()
        return organisation_record(OrganisationSpec(place=place, code=row.text("code"), kind=kind, **values))

    def _council(self, row: _Row) -> Council:
        """Store a council; the seats of one that is there already are left as they are."""
        place, values = row.of("place", self.places, self.city.code), _names(row)
        houses = {name: clean_name(row.text(name, "")) for name in ("house_fa", "house_en")}
        chair, secretary = (
            row.of(position, self.organisations) if row.has(position, False) else None
            for position in (Seat.Position.CHAIR.value, Seat.Position.SECRETARY.value)
        )
        members = row.all_of("members", self.organisations)
        row.text("code")
        row.finish()
        is_there = Council.objects.filter(place=place).exists()
        council = _put(Council, {"place": place}, values | houses)
        if not is_there:
            taken = [(Seat.Position.CHAIR, chair), (Seat.Position.SECRETARY, secretary)]
            taken += [(Seat.Position.MEMBER, member) for member in members]
            for position, organisation in taken:
                if organisation is not None:
                    stored(Seat(council=council, position=position, organisation=organisation), "seat")
        return council

    def _weights(self, row: _Row) -> WeightSet:
        how = row.one_of("how", WeightSet.How.values)
        if how == WeightSet.How.PAIRWISE:
            weights = dict.fromkeys(
                row.all_of("indicators", _same(Indicator.objects.values_list("code", flat=True))), 1.0
            )
        else:
            weights = row.numbers("weights")
        spec = WeightSetSpec(
            organisation=row.of("organisation", self.organisations),
            city=self.city,
            how=how,
            weights=weights,
            comparisons=row.comparisons("comparisons") if how == WeightSet.How.PAIRWISE else (),
            note=row.text("note", ""),
            **_names(row),
        )
        saved_at = row.moment("saved_at")
        row.finish()
        return weight_set_record(spec, author=None, saved_at=saved_at)

    def _programme(self, row: _Row) -> Programme:
        place, values = row.of("place", self.places, self.city.code), _names(row)
        code = row.text("code")
        row.finish()
        return _put(Programme, {"place": place, "code": code}, values)

    def _round(self, row: _Row, programme: Programme) -> Round | None:
        """Store the round; None where it is there already."""
        number = row.whole("number", 1, 9999)
        opened_at = row.moment("opened_at")
        names = _names(row)
        spec = RoundSpec(
            programme=programme,
            place=row.of("place", self.places, self.city.code),
            due={
                kind: row.moment(f"{kind}_due") for kind in PhaseKind if row.has(f"{kind}_due", kind in REQUIRED_PHASES)
            },
            name_fa=names["name_fa"],
            name_en=names["name_en"],
            budget_irr=Decimal(row.whole("budget_irr", 0, _MAX_COST_IRR)) if row.has("budget_irr", False) else None,
        )
        self.published_at = row.moment("decisions_published_at") if row.has("decisions_published_at", False) else None
        row.finish()
        if Round.objects.filter(programme=programme, place=spec.place, number=number).exists():
            return None
        return round_record(spec, state=RoundState.OPENED, opened_at=opened_at, number=number)

    def _need(self, row: _Row, round_: Round) -> Need:
        state = row.one_of("state", [state.value for state in NeedState], NeedState.REPORTED.value)
        merged_into = row.of("merged_into", self.needs) if state == NeedState.MERGED else None
        spec = NeedSpec(
            round=round_,
            place=row.of("place", self.places),
            sector=row.of("sector", self.sectors),
            organisation=row.of("organisation", self.organisations),
            approach=row.one_of("approach", Approach.values),
            severity=row.whole("severity", 1, 5),
            people_affected=row.whole("people_affected", 1, MAX_PEOPLE),
            text_fa=row.text("text_fa"),
            text_en=row.text("text_en"),
            lon_lat=row.lon_lat("point"),
        )
        reported_at = row.moment("reported_at")
        row.finish()
        return need_record(spec, state=state, reporter=None, reported_at=reported_at, merged_into=merged_into)

    def _capacity(self, row: _Row) -> Capacity:
        spec = CapacitySpec(
            place=row.of("place", self.places, self.city.code),
            kind=row.one_of("kind", Capacity.Kind.values),
            organisation=row.of("organisation", self.organisations),
            text_fa=row.text("text_fa"),
            text_en=row.text("text_en"),
            sectors=row.all_of("sectors", self.sectors) if row.has("sectors", False) else (),
            amount=row.whole("amount", 0, MAX_PEOPLE) if row.has("amount", False) else None,
            lon_lat=row.lon_lat("point"),
        )
        row.text("code")
        recorded_at = row.moment("recorded_at")
        row.finish()
        return capacity_record(spec, reporter=None, reported_at=recorded_at)

    def _proposal(self, row: _Row, round_: Round) -> Proposal:
        state = row.one_of("state", [state.value for state in ProposalState])
        submitted_at = None if state == ProposalState.DRAFT else row.moment("submitted_at")
        spec = ProposalSpec(
            round=round_,
            organisation=row.of("organisation", self.organisations),
            needs=row.all_of("needs", self.needs),
            cost_irr=Decimal(row.whole("cost_irr", 0, _MAX_COST_IRR)),
            title_fa=row.text("title_fa"),
            title_en=row.text("title_en"),
            effect_fa=row.text("effect_fa"),
            effect_en=row.text("effect_en"),
            lon_lat=row.lon_lat("point"),
            service=row.of("service", self.services) if row.has("service", False) else None,
        )
        row.finish()
        return proposal_record(spec, state=state, submitted_at=submitted_at)

    def _assessment(self, row: _Row) -> Assessment:
        """Ask a department, and store what it said where it has said something."""
        proposal = row.of("proposal", self.proposals)
        department = row.of("organisation", self.organisations)
        asked_at = row.moment("asked_at")
        event = row.one_of("event", list(JUDGEMENTS)) if row.has("event", False) else ""
        said_at = row.moment("said_at") if row.has("said_at", bool(event)) else None
        reason = row.text("reason", "")
        row.finish()
        asked = assessments_ask(user=system_user(), proposal=proposal, organisations=[department], at=asked_at)[0]
        if not event:
            return asked
        return assessment_say(user=system_user(), assessment=asked, event=event, reason=reason, at=said_at)

    def _decision(self, row: _Row) -> Decision:
        proposal = row.of("proposal", self.proposals)
        event = row.one_of("event", list(OUTCOMES))
        granted = Decimal(row.whole("granted_irr", 0, _MAX_COST_IRR)) if row.has("granted_irr", False) else None
        ruling = Ruling(proposal, event, row.text("reason"), proposal.version, granted)
        decided_at = row.moment("decided_at")
        row.finish()
        decision = decisions_take(user=system_user(), rulings=[ruling], at=decided_at)[0]
        proposal.refresh_from_db()
        return decision

    def _action(self, row: _Row, round_: Round) -> Action:
        state = row.one_of("state", [state.value for state in ActionState])
        spec = ActionSpec(
            organisation=row.of("organisation", self.organisations),
            place=row.of("place", self.places, self.city.code),
            sector=row.of("sector", self.sectors),
            approach=row.one_of("approach", Approach.values),
            starts_on=row.day("starts_on"),
            ends_on=row.day("ends_on"),
            title_fa=row.text("title_fa"),
            title_en=row.text("title_en"),
            lon_lat=row.lon_lat("point"),
            budget_irr=Decimal(row.whole("budget_irr", 0, _MAX_COST_IRR)),
            people_targeted=row.whole("people_targeted", 0, MAX_PEOPLE),
            is_public=row.flag("is_public", True),
            needs=row.all_of("needs", self.needs) if row.has("needs", False) else (),
            round=round_ if row.flag("in_round", True) else None,
        )
        proposal = row.of("proposal", self.proposals) if row.has("proposal", False) else None
        handed_from = row.of("handed_from", self.actions) if row.has("handed_from", False) else None
        started_on = row.day("started_on") if row.has("started_on", state == ActionState.UNDER_WAY) else None
        done_on = row.day("done_on") if row.has("done_on", state == ActionState.DONE) else None
        report = (
            ProgressSpec(
                row.whole("done_percent", 0, 100),
                Decimal(row.whole("spent_irr", 0, _MAX_COST_IRR, 0)),
                row.whole("people_reached", 0, MAX_PEOPLE, 0),
            )
            if row.has("done_percent", False)
            else None
        )
        row.finish()
        return action_record(
            spec,
            state=state,
            proposal=proposal,
            handed_from=handed_from,
            started_on=started_on,
            done_on=done_on,
            report=report,
        )


def _names(row: _Row) -> dict[str, str]:
    return {"name_fa": clean_name(row.text("name_fa")), "name_en": clean_name(row.text("name_en"))}


def _same(codes: Iterable[str]) -> dict[str, str]:
    return {code: code for code in codes}


def _put(model: type[_M], key: Mapping[str, Any], values: Mapping[str, Any]) -> _M:
    """Make a record, or bring the one with this key up to date."""
    record = model._default_manager.filter(**key).first() or model(**key)
    for name, value in values.items():
        setattr(record, name, value)
    return stored(record, "")


def _located(row: _Row, store: Callable[[_Row], _T]) -> _T:
    """Store a row; an error that does not know the file gets the row's place put before its own."""
    try:
        return store(row)
    except MahallehError as error:
        if not error.where.startswith(row.where):
            error.where = ", ".join(filter(None, (row.where, error.where)))
        raise


def _around(place: Place) -> Iterator[Place]:
    """Yield the places around a place, from the nearest outwards."""
    outer = place.parent
    while outer is not None:
        yield outer
        outer = outer.parent
