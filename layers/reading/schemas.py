"""Standard fields: which attributes a layer for some purpose should have, and which of a file's could be they.

The list is data (``fixtures/taxonomy/schemas.toml``); what is here reads it and compares names.
"""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from geo.core.text import normalise

_FILE: Final = Path(__file__).resolve().parents[2] / "fixtures" / "taxonomy" / "schemas.toml"


@dataclass(frozen=True, slots=True)
class StandardField:
    """One attribute that layers of a purpose, and within it of a theme, may have.

    Attributes
    ----------
    name
        Name of the attribute.
    type
        ``text``, ``integer``, ``number``, ``boolean``, ``date`` or ``datetime``.
    title_fa, title_en, description
        What it is called and means.
    unit
        Unit of its numbers; empty if none.
    also
        Names it goes by in files that people bring.
    values
        Values that are usual; empty if anything may stand there.
    purpose, theme
        Layers it belongs to; empty for all.
    """

    name: str
    type: str
    title_fa: str
    title_en: str
    description: str
    unit: str = ""
    also: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    purpose: str = ""
    theme: str = ""


def standard_fields(purpose: str, theme: str = "") -> tuple[StandardField, ...]:
    """Give the standard fields of a layer: those of its purpose and theme first, then those of every layer.

    Examples
    --------
    >>> [field.name for field in standard_fields("network", "utilities")][:6]
    ['service', 'diameter_mm', 'material', 'depth_m', 'pressure_bar', 'voltage_v']
    """
    fields = [field for field in _all() if field.purpose in ("", purpose) and field.theme in ("", theme)]
    return tuple(sorted(fields, key=lambda field: (not field.purpose, not field.theme)))


def suggested_fields(names: Collection[str], purpose: str, theme: str = "") -> dict[str, StandardField]:
    """Say which attributes of a file are probably which standard fields; each is suggested once.

    Names are compared in their normalised form (ي/ی, ك/ک, digits, case, joints), the field's own name before others.

    Examples
    --------
    >>> found = suggested_fields(["قطر لوله", "وضعيت", "رنگ"], "network", "utilities")
    >>> {name: field.name for name, field in found.items()}
    {'قطر لوله': 'diameter_mm', 'وضعيت': 'state'}
    """
    forms = {_form(name): name for name in reversed(list(names))}
    found: dict[str, StandardField] = {}
    for field in standard_fields(purpose, theme):
        known = (field.name, *field.also, field.title_fa, field.title_en)
        name = next((forms[form] for form in map(_form, known) if form in forms and forms[form] not in found), None)
        if name is not None:
            found[name] = field
    return {name: found[name] for name in names if name in found}


def schema_of(fields: Mapping[str, str], purpose: str, theme: str = "") -> list[dict[str, str]]:
    """Describe those of a layer's fields that are standard ones, as a layer keeps it.

    Parameters
    ----------
    fields
        Name in the layer to the unit of its numbers; empty for the usual one.

    Examples
    --------
    >>> [(row["name"], row["unit"]) for row in schema_of({"diameter_mm": "", "colour": ""}, "network", "utilities")]
    [('diameter_mm', 'mm')]
    """
    known = {field.name: field for field in reversed(standard_fields(purpose, theme))}
    found = []
    for name, unit in fields.items():
        field = known.get(name)
        if field is not None:
            row = {
                "name": name, "unit": unit or field.unit, "title_fa": field.title_fa, "title_en": field.title_en,
            }  # fmt: skip
            found.append({member: text for member, text in row.items() if text})
    return found


def field_named(name: str, purpose: str = "") -> StandardField | None:
    """Give the standard field of a name: of layers for a purpose if there is one, else of any layer.

    Examples
    --------
    >>> field_named("capacity").title_en, field_named("colour of doors")
    ('Capacity', None)
    """
    named = [field for field in _all() if field.name == name]
    return min(named, key=lambda field: field.purpose not in ("", purpose), default=None)


def _form(name: str) -> str:
    return normalise(name).replace(" ", "").replace("_", "")


@cache
def _all() -> tuple[StandardField, ...]:
    data = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return tuple(_field(table) for table in data["fields"])


def _field(table: dict[str, Any]) -> StandardField:
    values: Any = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    return StandardField(**values)
