"""One table of a TOML file taken apart key by key: typed values out, located problems in.

So that a person who writes a description by hand learns of all mistakes at once, each with its line.
"""

import datetime
import difflib
import math
import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from geo.core.text import clean_name
from layers.reading.plan import Problem, first_names

CODE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HEADER: Final = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]\]?\s*(?:#.*)?")
_KEY: Final = re.compile(r"""\s*["']?([A-Za-z0-9_-]+)["']?\s*[.=]""")
_LONGEST_TEXT: Final = 300
_SHOWN: Final = 80


def shown(value: Any) -> str:
    """Show a value in a message, cut short where it is long."""
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


class Lines:
    """On which line of a TOML file each table and key begins.

    Python's reader gives lines for faults of syntax only; headers and keys stand at the start of a line in practice.
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[tuple[str, int, str | None], int] = {}
        section, counts = ("", 1), dict[str, int]()
        for number, line in enumerate(text.splitlines(), start=1):
            if match := _HEADER.fullmatch(line):
                counts[match[2]] = counts.get(match[2], 0) + 1
                section = (match[2], counts[match[2]])
                self._lines[(*section, None)] = number
            elif match := _KEY.match(line):
                self._lines.setdefault((*section, match[1]), number)

    def of(self, section: str, position: int, key: str | None = None) -> int | None:
        """Give the line of a key, or of its table if the key is not there."""
        return self._lines.get((section, position, key)) or self._lines.get((section, position, None))


class Section:
    """One table; every getter records a problem and gives a harmless value where something is wrong."""

    def __init__(
        self, name: str, table: Any, problems: list[Problem], lines: Lines, *, position: int = 1, numbered: bool = False
    ) -> None:
        self._name, self._position = name, position
        self._label = f"[[{name}]] {position}" if numbered else f"[{name}]" if name else "the beginning"
        self._problems, self._lines = problems, lines
        self._used: set[str] = set()
        self._line_key: str | None = None
        self._table: Mapping[str, Any] = table if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            self.problem(None, f"{self._label} is not a table.", f"Write it as [{name}] with one key per line.")
            self._problems = []  # that its keys are missing goes without saying

    def __contains__(self, key: str) -> bool:
        return key in self._table

    def __iter__(self) -> Any:
        return iter(self._table)

    @property
    def code(self) -> str:
        """The section's own code for messages, if it has one."""
        code = self._table.get("code")
        return code[:_SHOWN] if isinstance(code, str) else ""

    def problem(self, key: str | None, message: str, remedy: str, *, code: str = "bad_value") -> None:
        """Record an error at a key of this table."""
        label = f"{self._label} ({self.code})" if self.code else self._label
        line = self._lines.of(self._name, self._position, self._line_key or key)
        self._problems.append(Problem("error", code, f"In {label}: {message}", remedy, line, key))

    def inner(self, key: str) -> "Section":
        """Give a table inside this one, as in ``clinic = { … }``; its problems lie on the line of its key."""
        section = Section(self._name, self.raw(key), self._problems, self._lines, position=self._position)
        section._label, section._line_key = f"{self._label} {key}", key
        return section

    def raw(self, key: str) -> Any:
        """Give a value as it stands, None if absent."""
        self._used.add(key)
        return self._table.get(key)

    def _required(self, key: str, example: str) -> None:
        self.problem(key, f"the key '{key}' is missing.", f"Add it, for example {key} = {example}.", code="missing_key")

    def text(self, key: str, *, required: bool = False, example: str = '"…"') -> str:
        """Give a cleaned text; empty if absent."""
        value = self.raw(key)
        if value is None:
            if required:
                self._required(key, example)
            return ""
        if not isinstance(value, str):
            self.problem(
                key, f"'{key}' is {shown(value)}, not a text.", f"Put it between quotation marks: {key} = {example}."
            )
            return ""
        text = clean_name(value)
        if len(text) > _LONGEST_TEXT:
            self.problem(key, f"'{key}' has {len(text)} characters.", f"Use no more than {_LONGEST_TEXT}.")
        if required and not text:
            self.problem(key, f"'{key}' is empty.", f"Write something, for example {key} = {example}.")
        return text

    def slug(self, key: str, *, known: Collection[str] | None = None, what: str = "code") -> str:
        """Give a required code: small Latin letters, digits and single hyphens; one of ``known`` if that is given."""
        value = self.text(key, required=True, example='"north-side"')
        if value and not CODE.fullmatch(value):
            remedy = "Use small Latin letters, digits and single hyphens, such as north-side."
            self.problem(key, f"'{value}' is not a {what}.", remedy)
        elif value and known is not None and value not in known:
            self.problem(key, f"there is no {what} '{value}'.", suggestion(value, known), code="unknown_code")
        return value

    def choice(self, key: str, allowed: Collection[str], *, required: bool = True) -> str:
        """Give one of a few words; empty if absent."""
        value = self.text(key, required=required, example=f'"{next(iter(allowed))}"')
        if value and value not in allowed:
            self.problem(key, f"'{key}' is '{value}'.", suggestion(value, allowed))
            return ""
        return value

    def date(self, key: str, *, required: bool = False) -> datetime.date | None:
        """Give a Gregorian date; None if absent."""
        value = self.raw(key)
        if value is None:
            if required:
                self._required(key, "2022-08-01")
            return None
        if type(value) is not datetime.date:
            self.problem(
                key, f"'{key}' is {shown(value)}, not a date.", f"Write {key} = 2022-08-01, without quotation marks."
            )
            return None
        return value

    def flag(self, key: str, default: bool) -> bool:
        """Give true or false."""
        value = self.raw(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(key, f"'{key}' is {shown(value)}.", f"Write {key} = true or {key} = false.")
            return default
        return value

    def number(self, key: str, *, low: float, high: float, unit: str = "") -> float | None:
        """Give a finite number within bounds, both allowed; None if absent."""
        value = self.raw(key)
        if value is None:
            return None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or not low <= value <= high:
            unit = f" {unit}" if unit else ""
            self.problem(key, f"'{key}' is {shown(value)}.", f"Give a number from {low:g} to {high:g}{unit}.")
            return None
        return float(value)

    def whole(self, key: str, *, low: int, high: int) -> int | None:
        """Give a whole number within bounds; None if absent."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.problem(key, f"'{key}' is {shown(value)}.", f"Give a whole number from {low} to {high}.")
            return None
        return value

    def texts(self, key: str) -> tuple[str, ...] | None:
        """Give a list of texts; None if absent."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.problem(key, f"'{key}' is {shown(value)}, not a list of texts.", f'Write {key} = ["one", "two"].')
            return None
        return tuple(clean_name(item) for item in value)

    def relative_path(self, key: str, *, required: bool = False) -> str:
        """Give a path that stays inside the data folder; empty if absent."""
        value = self.raw(key)
        if value is None or not isinstance(value, str):
            return self.text(key, required=required, example='"stops.geojson"')
        path = PurePosixPath(value)
        if not value.strip() or path.is_absolute() or ".." in path.parts or "\\" in value or "\x00" in value:
            self.problem(
                key, f"'{value}' does not name a file in the data folder.", "Give a path below it, without '..'."
            )
            return ""
        return str(path)

    def finish(self, *, allowed: Collection[str] = ()) -> None:
        """Report keys that mean nothing here: most often a slip of the pen."""
        known = self._used | set(allowed)
        for key in self._table:
            if key not in known:
                self.problem(key, f"the key '{key}' is not known.", suggestion(key, known), code="unknown_key")


def suggestion(word: str, known: Collection[str]) -> str:
    """Say which word was probably meant, or which there are.

    Examples
    --------
    >>> suggestion("clinik", ["clinic", "park"])
    "Did you mean 'clinic'?"
    """
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"Did you mean '{close[0]}'?" if close else f"Use one of {first_names(sorted(known), 30)}."
