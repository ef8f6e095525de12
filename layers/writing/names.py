"""Names of fields as a format takes them, unique; and names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from geo.core.text import clean_name, slugify
from layers.writing.formats import Format

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


def field_names(keys: Iterable[str], form: Format) -> list[str]:
    """Return names of fields for a format, one per key, no two the same whatever the case of their letters.

    Examples
    --------
    >>> from layers.writing.formats import FORMATS
    >>> field_names(["نوع ساختمان", "نوع ساختمان‌ها", "fid", "1st"], FORMATS["shp"])
    ['nva_sakhtm', 'nva_sakht2', 'fid_2', 'f_1st']
    >>> field_names(["Fid", "نوع", "نوع"], FORMATS["gpkg"])
    ['Fid_2', 'نوع', 'نوع_2']
    """
    taken = set(form.taken_names)
    found = []
    for position, key in enumerate(keys, start=1):
        plain = _ascii(key) if form.is_ascii_names else clean_name(_CONTROL.sub(" ", key))
        name = _free((plain or f"field_{position}")[: form.longest_name or 200], taken, form.longest_name or 200)
        taken.add(name.casefold())
        found.append(name)
    return found


def _ascii(key: str) -> str:
    plain = slugify(key).replace("-", "_")
    return f"f_{plain}" if plain[:1].isdigit() else plain


def _free(name: str, taken: set[str], longest: int) -> str:
    """Return the name, or with the first number behind it that makes it differ from those that are taken."""
    tried, number = name, 1
    while tried.casefold() in taken:
        number += 1
        # Where there is room, the number stands apart.
        mark = str(number) if len(name) >= longest else f"_{number}"
        tried = name[: longest - len(mark)] + mark
    return tried


def file_stem(city: str, layer: str, release: int, epsg: int) -> str:
    """Return the name of an export without its ending: ASCII, and telling what it is.

    Examples
    --------
    >>> file_stem("khorramabad", "primary-school", 3, 32639)
    'khorramabad-primary-school-v3-epsg32639'
    """
    return f"{slugify(city) or 'city'}-{slugify(layer) or 'layer'}-v{release}-epsg{epsg}"
