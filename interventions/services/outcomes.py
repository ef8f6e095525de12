"""Outcomes: values of indicators entered, corrected, retracted; one by one or as a table, all of it or nothing.

A value is never overwritten. A corrected one takes the place of the other, which stays with the moment it was replaced at.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from analysis.models import Indicator, IndicatorValue
from geo.core.text import clean_name, normalise
from geo.errors import Conflict, Forbidden, InvalidInput, LimitExceeded, MahallehError
from geo.models import Place
from geo.querysets import User
from interventions.core.transitions import NEW
from interventions.core.years import FIRST, LAST, Year
from interventions.selectors.rights import roles_at
from interventions.services.recording import log_write, state_next, stored, values_of
from layers.reading.table import number

LARGEST: Final = 1e12
MOST_CHARACTERS: Final = 1_000_000
MOST_ROWS: Final = 5000
MOST_FAULTS: Final = 50
_SAID: Final = ("value", "error", "source", "source_fa")


@dataclass(frozen=True, slots=True)
class OutcomeSpec:
    """A value of an indicator in a place and year, for one of the three kinds.

    Attributes
    ----------
    error
        Its standard error; None where nobody knows it, 0 for a full count. A target has none.
    """

    indicator: Indicator
    place: Place
    year: Year
    kind: str
    value: float
    error: float | None
    source: str
    source_fa: str = ""


def outcome_put(
    *, user: User, spec: OutcomeSpec, instead_of: int | None = None, reason: str = "", at: datetime | None = None
) -> IndicatorValue:
    """Enter a value, or correct the one in force; who says the same again changes nothing.

    Parameters
    ----------
    instead_of
        The number of the value that the person had before them; 0 for none, None where that does not matter.
    reason
        Why it is corrected, for the log.

    Raises
    ------
    Forbidden
        Unless the user supervises, administers or analyses the place.
    Conflict
        Where somebody entered or corrected it meanwhile (code ``stale``).
    InvalidInput
        Where the value or its error is out of range, or the source is missing.
    """
    with transaction.atomic():
        held = _held(spec.place)
        found = _in_force(spec)
        event = "correct" if found else "enter"
        state_next(IndicatorValue(place=held), event, state=NEW, roles=roles_at(user, held), note=reason)
        if instead_of is not None and instead_of != (found.pk if found else 0):
            raise Conflict(
                "Somebody has entered or corrected this value meanwhile.",
                code="stale",
                where="value",
                remedy="Load the page again, and enter what you want to change.",
            )
        return outcome_record(spec, author=user, reason=reason, at=at)


def outcome_record(
    spec: OutcomeSpec, *, author: User | None = None, reason: str = "", at: datetime | None = None
) -> IndicatorValue:
    """Store a value without asking for rights, in the place of the one in force."""
    moment = at or timezone.now()
    made = IndicatorValue(
        indicator=spec.indicator,
        place=spec.place,
        year_begins_on=spec.year.begins_on,
        kind=spec.kind,
        value=spec.value,
        error=spec.error,
        source=clean_name(spec.source),
        source_fa=clean_name(spec.source_fa),
        entered_at=moment,
        author_id=author.pk if author else None,
    )
    with transaction.atomic():
        found = _in_force(spec)
        if found is not None:
            before = values_of(found, _SAID)
            if before == values_of(made, _SAID):
                return found
            _replace(found, moment)
        _check(made)
        stored(made, "outcome")
        log_write(
            made,
            "correct" if found else "enter",
            user=author,
            at=moment,
            note=reason,
            details=before | {"replaces": found.pk} if found else {},
        )
    return made


def outcome_retract(*, user: User, outcome: IndicatorValue, reason: str, at: datetime | None = None) -> IndicatorValue:
    """Take a value back that should not have been entered; it stays as what was said until then.

    Raises
    ------
    Forbidden
        Unless the user supervises, administers or analyses the place.
    InvalidInput
        Where no reason is given.
    Conflict
        Where it is in force no more.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        _held(outcome.place)
        found: IndicatorValue = IndicatorValue.objects.select_related("place", "indicator").get(pk=outcome.pk)
        state_next(found, "retract", state=NEW, roles=roles_at(user, found.place), note=reason)
        if found.replaced_at is not None:
            raise Conflict(
                "This value is in force no more.",
                code="stale",
                where="value",
                remedy="Load the page again to see what has happened meanwhile.",
            )
        _replace(found, moment)
        log_write(found, "retract", user=user, at=moment, note=reason, details=values_of(found, _SAID))
    return found


def _held(place: Place) -> Place:
    """Let others who enter something of the same place wait until the transaction ends."""
    found: Place = Place.objects.select_for_update(no_key=True).get(pk=place.pk)
    return found


def _in_force(spec: OutcomeSpec) -> IndicatorValue | None:
    found: IndicatorValue | None = (
        IndicatorValue.objects.in_force()
        .filter(indicator=spec.indicator, place=spec.place, year_begins_on=spec.year.begins_on, kind=spec.kind)
        .first()
    )
    return found


def _replace(outcome: IndicatorValue, moment: datetime) -> None:
    if moment <= outcome.entered_at:
        raise InvalidInput(
            "A value is corrected after it was entered.",
            code="not_later",
            where="outcome",
            remedy="Give a later moment.",
        )
    outcome.replaced_at = moment
    outcome.save(update_fields=["replaced_at"])


def _check(outcome: IndicatorValue) -> None:
    for name, least in (("value", -LARGEST), ("error", 0.0)):
        value = getattr(outcome, name)
        if value is not None and not (math.isfinite(value) and least <= value <= LARGEST):
            raise _bad_number(name, str(value), least)
    if outcome.kind == IndicatorValue.Kind.TARGET and outcome.error is not None:
        raise InvalidInput(
            "A target has no standard error.", code="bad_value", where="outcome, error", remedy="Leave it empty."
        )


def _bad_number(where: str, text: str, least: float = -LARGEST) -> InvalidInput:
    if least >= 0:
        return InvalidInput(
            f"{text[:40]!r} is no standard error.",
            code="bad_number",
            where=where,
            remedy="Give a number from 0, in the unit of the indicator; leave it empty where it is not known.",
        )
    return InvalidInput(
        f"{text[:40]!r} is no number in range.",
        code="bad_number",
        where=where,
        remedy="Give a number in the unit of the indicator.",
    )


# ---- tables

COLUMNS: Final = (
    "place", "indicator", "year", "baseline", "baseline_error", "target", "measured", "measured_error", "source", "source_fa",
)  # fmt: skip
"""The columns of a table; of the values those may be empty that are not known."""
NEEDED: Final = ("place", "indicator", "year", "source")
VALUES: Final = ("baseline", "target", "measured")
_PERSIAN: Final = {
    "place": ("جا", "مکان", "محله", "کد جا"),
    "indicator": ("شاخص", "کد شاخص"),
    "year": ("سال",),
    "baseline": ("مقدار پایه", "خط پایه", "پایه"),
    "baseline_error": ("خطای معیار پایه", "خطای پایه"),
    "target": ("هدف", "مقدار هدف"),
    "measured": ("مقدار سنجیده", "سنجیده"),
    "measured_error": ("خطای معیار سنجیده", "خطای سنجیده"),
    "source": ("منبع",),
    "source_fa": ("منبع فارسی",),
}
_NAMED: Final = {normalise(form): name for name in COLUMNS for form in (name, *_PERSIAN[name])}
_AMBIGUOUS: Final = re.compile(r"[+-]?\d{1,3},\d{3}")
_SEPARATORS: Final = "\t;,؛،"


@dataclass(frozen=True, slots=True)
class Planned:
    """A value of a table: what it says, in which row, and what stands there now."""

    row: int
    spec: OutcomeSpec
    was: IndicatorValue | None

    @property
    def event(self) -> str:
        """``enter``, ``correct``, or nothing where it says the same again."""
        if self.was is None:
            return "enter"
        said = (self.spec.value, self.spec.error, clean_name(self.spec.source), clean_name(self.spec.source_fa))
        return "" if said == (self.was.value, self.was.error, self.was.source, self.was.source_fa) else "correct"


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """What a table would do, and what is wrong with it: with anything wrong it does nothing."""

    values: tuple[Planned, ...]
    faults: tuple[MahallehError, ...]

    def count(self, event: str) -> int:
        """Return how many values are entered, corrected or the same."""
        return sum(planned.event == event for planned in self.values)


def outcomes_plan(*, user: User, within: Place, text: str) -> OutcomePlan:
    """Read a table of outcomes and say what it would do; nothing is stored.

    Parameters
    ----------
    within
        Places are named by code, path or name, of this one's subtree.
    text
        Rows separated by tabs, commas or semicolons, the first with the names of columns in either language. Digits of any script.

    Raises
    ------
    InvalidInput, LimitExceeded
        Where it has no rows, lacks a column, or is too large. What is wrong with single rows is in the plan.
    """
    rows = list(_rows(text))
    reader = _Reader(user, within)
    values: list[Planned] = []
    faults: list[MahallehError] = []
    seen: dict[tuple[int, int, int, str], int] = {}
    for at, row in rows:
        for outcome in reader.read(at, row):
            if isinstance(outcome, MahallehError):
                faults.append(outcome)
                continue
            spec = outcome.spec
            key = (spec.indicator.pk, spec.place.pk, spec.year.number, spec.kind)
            if key in seen:
                faults.append(
                    InvalidInput(
                        f"Row {seen[key]} gives the same value already.",
                        code="row_twice",
                        where=f"row {at}, {spec.kind}",
                        remedy="Leave one of the two out.",
                    )
                )
            seen.setdefault(key, at)
            values.append(outcome)
        if len(faults) >= MOST_FAULTS:
            break
    return OutcomePlan(tuple(values), tuple(faults[:MOST_FAULTS]))


def outcomes_import(
    *, user: User, within: Place, text: str, reason: str = "", at: datetime | None = None
) -> tuple[IndicatorValue, ...]:
    """Enter and correct all values of a table, or none of them; return those that are new.

    Raises
    ------
    Forbidden, Conflict, InvalidInput, LimitExceeded
        The first fault of the plan, with its row.
    """
    with transaction.atomic():
        plan = outcomes_plan(user=user, within=within, text=text)
        if plan.faults:
            raise plan.faults[0]
        made = []
        # One order of locking, so that nobody waits in a ring.
        for planned in sorted(plan.values, key=lambda one: one.spec.place.pk):
            if not planned.event:
                continue
            try:
                seen = planned.was.pk if planned.was else 0
                made.append(outcome_put(user=user, spec=planned.spec, instead_of=seen, reason=reason, at=at))
            except MahallehError as error:
                error.where = f"row {planned.row}, {planned.spec.kind}"
                raise
        return tuple(made)


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    if len(text) > MOST_CHARACTERS:
        raise LimitExceeded(
            f"The table has more than {MOST_CHARACTERS} characters.",
            code="table_too_large",
            where="table",
            remedy="Bring it in parts, such as a county at a time.",
            details={"most": MOST_CHARACTERS},
        )
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first = next((line for line in text.split("\n") if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    try:
        read = list(csv.reader(io.StringIO(text), delimiter=separator))
    except csv.Error as error:
        raise InvalidInput(
            "The table cannot be read.",
            code="bad_table",
            where="table",
            remedy="Look for a quotation mark that is not closed.",
        ) from error
    lines = [(at, line) for at, line in enumerate(read, start=1) if any(cell.strip() for cell in line)]
    if len(lines) < 2:
        raise InvalidInput(
            "The table has no rows.",
            code="no_rows",
            where="table",
            remedy=f"Begin with a row of names of columns: {', '.join(COLUMNS)}.",
        )
    if len(lines) - 1 > MOST_ROWS:
        raise LimitExceeded(
            f"The table has more than {MOST_ROWS} rows.",
            code="table_too_large",
            where="table",
            remedy="Bring it in parts, such as a county at a time.",
            details={"most": MOST_ROWS},
        )
    names = _header(*lines[0])
    for at, line in lines[1:]:
        yield at, {name: cell.strip() for name, cell in zip(names, line, strict=False) if name}


def _header(at: int, line: Sequence[str]) -> list[str]:
    names = [_NAMED.get(normalise(cell), "") for cell in line]
    for name in NEEDED:
        if name not in names:
            raise InvalidInput(
                f"The table has no column {name!r}.",
                code="no_column",
                where=f"row {at}",
                remedy=f"Name the columns {', '.join(COLUMNS)}.",
            )
    twice = next((name for name in names if name and names.count(name) > 1), "")
    if twice:
        raise InvalidInput(
            f"The table has two columns {twice!r}.",
            code="column_twice",
            where=f"row {at}",
            remedy="Leave one of the two out.",
        )
    return names


class _Reader:
    """Reads rows: knows places, indicators and the values in force by what tables call them."""

    def __init__(self, user: User, within: Place) -> None:
        self.user = user
        self.places: dict[str, list[Place]] = {}
        for place in Place.objects.visible_to(user).within(within):
            forms = {place.code, place.path, normalise(place.name_fa), normalise(place.name_en)}
            for form in forms - {""}:
                self.places.setdefault(form, []).append(place)
        self.indicators: dict[str, Indicator] = {}
        for indicator in Indicator.objects.stored():
            for form in (normalise(indicator.name_en), normalise(indicator.name_fa), indicator.code):
                self.indicators[form] = indicator
        self.roles: dict[int, Forbidden | None] = {}
        self.in_force = {
            (row.indicator_id, row.place_id, row.year_begins_on, row.kind): row
            for row in IndicatorValue.objects.in_force().visible_to(user).within(within)
        }

    def read(self, at: int, row: Mapping[str, str]) -> Iterator[Planned | MahallehError]:
        """Yield the values of a row, or everything that is wrong with it."""
        faults: list[MahallehError] = []

        def tried(field: str, read: Any, *arguments: Any) -> Any:
            try:
                return read(*arguments)
            except MahallehError as error:
                error.where = f"row {at}, {field}"
                faults.append(error)
                return None

        place = tried("place", self._place, row.get("place", ""))
        indicator = tried("indicator", self._indicator, row.get("indicator", ""))
        year = tried("year", year_typed, row.get("year", ""))
        source = row.get("source", "")
        if not clean_name(source):
            faults.append(_no_source(f"row {at}, source"))
        numbers = {
            name: tried(name, number_typed, row.get(name, ""), name)
            for name in COLUMNS
            if name in VALUES or name.endswith("_error")
        }
        if not faults and all(numbers[name] is None for name in VALUES):
            faults.append(
                InvalidInput(
                    "The row has no value.",
                    code="no_value",
                    where=f"row {at}",
                    remedy="Give one, or leave the row out.",
                )
            )
        if faults:
            yield from faults
            return
        for kind in VALUES:
            if numbers[kind] is None:
                continue
            error = numbers.get(f"{kind}_error")
            spec = OutcomeSpec(
                indicator, place, year, kind, numbers[kind], error, source[:400], row.get("source_fa", "")[:400]
            )
            yield Planned(at, spec, self.in_force.get((indicator.pk, place.pk, year.begins_on, kind)))

    def _place(self, text: str) -> Place:
        found = self.places.get(text.strip()) or self.places.get(normalise(text)) or []
        if len(found) != 1:
            raise InvalidInput(
                f"{text[:60]!r} is the name of several places." if found else f"{text[:60]!r} is no place here.",
                code="unknown_place_code",
                remedy="Write the code of a place as its page shows it in the address.",
            )
        place = found[0]
        if place.pk not in self.roles:
            try:
                state_next(IndicatorValue(place=place), "enter", state=NEW, roles=roles_at(self.user, place))
                self.roles[place.pk] = None
            except Forbidden as error:
                self.roles[place.pk] = error
        refused = self.roles[place.pk]
        if refused is not None:
            raise Forbidden(refused.message, code=refused.code, remedy=refused.remedy)
        return place

    def _indicator(self, text: str) -> Indicator:
        found = self.indicators.get(text.strip()) or self.indicators.get(normalise(text))
        if found is None:
            raise InvalidInput(
                f"{text[:60]!r} is no indicator.",
                code="unknown_indicator",
                remedy="Write the code or the name of an indicator as the page of what changed shows it.",
            )
        return found


def _no_source(where: str) -> InvalidInput:
    return InvalidInput(
        "The source is missing.", code="no_source", where=where, remedy="Say who counted or asked whom, and when."
    )


def year_typed(text: str) -> Year:
    """Read a year of the Iranian calendar, in digits of any script.

    Raises
    ------
    InvalidInput
        Where it is none.

    Examples
    --------
    >>> year_typed("۱۴۰۴")
    Year(number=1404)
    """
    plain = normalise(text[:20])
    if not (plain.isascii() and plain.isdecimal()) or len(plain) != 4 or not FIRST <= int(plain) <= LAST:
        raise InvalidInput(
            f"{text[:20]!r} is no year of the Iranian calendar.",
            code="bad_year",
            where="year",
            remedy=f"Give a year of the Iranian calendar from {FIRST} to {LAST}.",
        )
    return Year(int(plain))


def number_typed(text: str, where: str) -> float | None:
    """Read a number in digits of any script; None for nothing, or a dash.

    Raises
    ------
    InvalidInput
        Where it is none, out of range, or an error below zero.

    Examples
    --------
    >>> number_typed("۴۱٫۵", "measured"), number_typed("−2", "measured"), number_typed("", "target")
    (41.5, -2.0, None)
    """
    plain = text.strip().strip("٪%").strip().replace("−", "-").replace("٬", "")
    if plain in ("", "-", "–", "—"):
        return None
    value, least = number(plain[:40]), 0.0 if where.endswith("error") else -LARGEST
    if _AMBIGUOUS.fullmatch(plain):
        raise InvalidInput(
            f"{text[:40]!r} may be a thousand times what it seems.",
            code="ambiguous_number",
            where=where,
            remedy="Write thousands without a comma, and decimals with a point.",
        )
    if not (math.isfinite(value) and least <= value <= LARGEST):
        raise _bad_number(where, text, least)
    return value


__all__ = [
    "COLUMNS", "MOST_CHARACTERS", "OutcomePlan", "OutcomeSpec", "Planned", "number_typed", "outcome_put", "outcome_record",
    "outcome_retract", "outcomes_import", "outcomes_plan", "year_typed",
]  # fmt: skip
