"""Rows that several reads of the network share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language


@dataclass(frozen=True, slots=True)
class NamedRow:
    """A code and a name in both languages: a sector, a place, an organisation."""

    code: str
    name_fa: str
    name_en: str

    @property
    def name(self) -> str:
        """The name in the language of the reader."""
        return self.name_en if get_language() == "en" else self.name_fa


def named_row(thing: Any) -> NamedRow:
    """Return the row of a record with a code and two names."""
    return NamedRow(thing.code, thing.name_fa, thing.name_en)
