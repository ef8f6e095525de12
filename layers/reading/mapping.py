"""Attributes of a file into attributes of a layer: renamed, typed, and in the layer's units."""

import datetime
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import jdatetime
import numpy as np
from numpy.typing import NDArray

from geo.core.text import clean_name
from layers.reading.plan import Json, Problem, ProblemLog, RefusedError, first_names
from layers.reading.request import FieldRule
from layers.reading.table import number

#: Units that numbers are converted between: of what, and how many of the first unit of its kind.
UNITS: Final[Mapping[str, tuple[str, float]]] = {
    "m": ("length", 1.0), "cm": ("length", 0.01), "mm": ("length", 0.001), "km": ("length", 1000.0),
    "ft": ("length", 0.3048), "in": ("length", 0.0254), "mi": ("length", 1609.344),
    "m2": ("area", 1.0), "ha": ("area", 10_000.0), "km2": ("area", 1e6), "ft2": ("area", 0.3048**2),
    "share": ("share", 1.0), "percent": ("share", 0.01), "permille": ("share", 0.001),
    "one": ("count", 1.0), "thousand": ("count", 1000.0), "million": ("count", 1e6),
}  # fmt: skip
_TRUE: Final = frozenset({"true", "yes", "1", "t", "y", "sim", "بله", "بلی", "دارد", "درست"})
_FALSE: Final = frozenset({"false", "no", "0", "f", "n", "não", "nao", "خیر", "نه", "ندارد", "نادرست"})
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_TIME: Final = re.compile(r"[T ]+(\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)")
# Years of the Persian calendar in which data are dated; those of the Gregorian are later.
_PERSIAN_YEARS: Final = range(1200, 1500)


class FieldMapper:
    """Rules for the attributes of a layer, ready to be applied to batch after batch.

    Raises
    ------
    RefusedError
        On being made, where two attributes get one name, or a unit is not known or of another kind.
    """

    def __init__(self, rules: Sequence[FieldRule], fields: Sequence[str], log: ProblemLog) -> None:
        self._log = log
        self._rules = {clean_name(rule.source): rule for rule in rules}
        self._names = {
            field: clean_name(rule.name) or field if (rule := self._rules.get(field)) else field for field in fields
        }
        named = list(self._names.values())
        twice = sorted(name for name, n in Counter(named).items() if n > 1)
        if twice:
            raise RefusedError(
                "duplicate_fields", f"Two attributes would be called {first_names(twice)}.",
                "Give one of them another name, or leave it out.", field=twice[0],
            )  # fmt: skip
        self._factors = {field: _factor(rule) for field, rule in self._rules.items()}

    def types(self, types: Mapping[str, str]) -> dict[str, str]:
        """Say which attributes hold dates as text, once they are mapped."""
        found = {self._names[field]: kind for field, kind in types.items() if field in self._names}
        for field, rule in self._rules.items():
            if field in self._names and rule.type in ("date", "datetime"):
                found[self._names[field]] = rule.type
            elif field in self._names and rule.type:
                found.pop(self._names[field], None)
        return found

    def apply(self, columns: Mapping[str, list[Json]], numbers: NDArray[np.int64]) -> dict[str, list[Json]]:
        """Give the attributes of a batch as the layer has them; what cannot be converted is an error of its row."""
        return {self._names[field]: self._mapped(field, values, numbers) for field, values in columns.items()}

    def _mapped(self, field: str, values: list[Json], numbers: NDArray[np.int64]) -> list[Json]:
        rule, factor = self._rules.get(field), self._factors.get(field, 1.0)
        if rule is None or (rule.type is None and factor == 1):
            return values
        wanted = rule.type or "number"
        convert = _CONVERT[wanted]
        known: dict[tuple[type, Json], Json] = {}
        mapped: list[Json] = []
        for index, value in enumerate(values):
            if value is None:
                mapped.append(None)
                continue
            key = (type(value), value if not isinstance(value, (list, dict)) else repr(value))
            if key not in known:
                try:
                    known[key] = convert(value)
                except ValueError:
                    known[key] = _BAD
            result = known[key]
            if result is _BAD:
                self._refuse(field, value, wanted, int(numbers[index]))
                result = None
            elif factor != 1:
                result = result * factor
            mapped.append(result)
        return mapped

    def _refuse(self, field: str, value: Json, wanted: str, row: int) -> None:
        message = f"The value {str(value)[:40]!r} is not {_WORDS[wanted]}."
        remedy = "Correct it, empty it, or choose another type for the attribute."
        self._log.add(Problem("error", "bad_value", message, remedy, row, field))


def _factor(rule: FieldRule) -> float:
    if not rule.unit_from or not rule.unit_to or rule.unit_from == rule.unit_to:
        return 1.0
    units = [UNITS.get(unit) for unit in (rule.unit_from, rule.unit_to)]
    if units[0] is None or units[1] is None or units[0][0] != units[1][0]:
        raise RefusedError(
            "bad_unit", f"'{rule.unit_from}' cannot be converted to '{rule.unit_to}'.",
            f"Units are {', '.join(UNITS)}; both must measure the same.", field=rule.source,
        )  # fmt: skip
    if rule.type not in (None, "number"):
        raise RefusedError(
            "bad_unit", f"The attribute is to be of type {rule.type}, which has no unit.",
            "Choose the type number, or leave the units out.", field=rule.source,
        )  # fmt: skip
    return units[0][1] / units[1][1]


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError
    result = number(value) if isinstance(value, str) else value
    if not math.isfinite(result):
        raise ValueError
    return result


def _integer(value: Json) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lstrip("+-").isdecimal():
        return int(value)
    result = _number(value)
    if result != int(result):
        raise ValueError
    return int(result)


def _boolean(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    said = _text(value).strip().lower()
    if said in _TRUE or said in _FALSE:
        return said in _TRUE
    raise ValueError


def _date(value: Json) -> str:
    """Give a day as ISO 8601; years of the Persian calendar are understood as such.

    Examples
    --------
    >>> _date("۱۴۰۲/۵/۱"), _date("2022-08-01T10:00:00")
    ('2023-07-23', '2022-08-01')
    """
    return _day_and_rest(value)[0].isoformat()


def _datetime(value: Json) -> str:
    day, rest = _day_and_rest(value)
    match = _TIME.fullmatch(rest) if rest else None
    if rest and match is None:
        raise ValueError
    time = match[1] if match else "00:00:00"
    time = time if len(time.split(":")[0]) == 2 else f"0{time}"
    return datetime.datetime.fromisoformat(f"{day.isoformat()}T{time}").isoformat()


def _day_and_rest(value: Json) -> tuple[datetime.date, str]:
    text = str(value).strip() if isinstance(value, str) else ""
    match = _DAY.match(text)
    if match is None:
        raise ValueError
    year, month, day = (int(part) for part in match.groups())
    if year in _PERSIAN_YEARS:
        return jdatetime.date(year, month, day).togregorian(), text[match.end() :]
    return datetime.date(year, month, day), text[match.end() :]


_BAD: Final = object()
_CONVERT: Final[Mapping[str, Callable[[Json], Json]]] = {
    "text": _text, "integer": _integer, "number": _number, "boolean": _boolean, "date": _date, "datetime": _datetime,
}  # fmt: skip
_WORDS: Final = {
    "text": "a text", "integer": "a whole number", "number": "a number", "boolean": "yes or no",
    "date": "a day such as 2022-08-01 or 1401/05/10", "datetime": "a time such as 2022-08-01T10:00",
}  # fmt: skip
