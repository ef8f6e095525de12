"""Dates in columns of text: told apart by their values, which stay as they are written.

GDAL takes any text that looks like a date for one, a day of the Iranian calendar too, and writes it anew.
"""

import re
from collections.abc import Iterable
from typing import Final

_DATE: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_TIME: Final = re.compile(_DATE.pattern + r"T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?")
_DAYS: Final = {"02": "29", "04": "30", "06": "30", "09": "30", "11": "30"}
#: Years before this are of the Iranian calendar, or of the lunar one: no dates that could be reckoned with here.
_FIRST_YEAR: Final = 1700


class Dates:
    """What the columns of text of a file hold, as far as it was read: ISO 8601 dates, times, or other text.

    Attributes
    ----------
    types
        Column to ``date`` or ``datetime``, of those in which every value is one.
    """

    def __init__(self) -> None:
        self.types: dict[str, str] = {}
        self._others: set[str] = set()

    def look(self, column: str, values: Iterable[object]) -> None:
        """Look at some more values of a column."""
        if column in self._others:
            return
        known = self.types.get(column)
        for value in values:
            if value is None:
                continue
            kind = kind_of(value) if isinstance(value, str) else ""
            if not kind or kind != (known or kind):
                self._others.add(column)
                self.types.pop(column, None)
                return
            known = self.types[column] = kind


def kind_of(text: str) -> str:
    """Say whether a text is a ``date`` or a ``datetime`` in ISO 8601; empty if neither.

    Examples
    --------
    >>> kind_of("2020-01-31"), kind_of("2020-01-31T10:00:00Z"), kind_of("1402-05-01"), kind_of("1402/05/01")
    ('date', 'datetime', '', '')
    >>> kind_of("2020-02-30"), kind_of("31.1.2020")
    ('', '')
    """
    found = _TIME.fullmatch(text) if len(text) > 10 else _DATE.fullmatch(text)
    if found is None or int(found[1]) < _FIRST_YEAR or found[3] > _DAYS.get(found[2], "31"):
        return ""
    if (found[2], found[3]) == ("02", "29") and (
        int(found[1]) % 4 or (not int(found[1]) % 100 and int(found[1]) % 400)
    ):
        return ""
    return "datetime" if len(text) > 10 else "date"
