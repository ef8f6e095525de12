"""KML, written row by row: GDAL's own writer keeps the whole document in memory. Geometries come as KML from PostGIS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

from layers.writing.batches import Batch
from layers.writing.columns import NAME, Column

_TYPES: Final = {"number": "double", "boolean": "bool"}
# What XML cannot hold at all.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def text_of(value: Any) -> str:
    """Return a value as the text of an element.

    Examples
    --------
    >>> text_of(True), text_of(0.1), text_of("a < b")
    ('true', '0.1', 'a &lt; b')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    # A carriage return would become a line feed.
    return escape(_FORBIDDEN.sub(" ", str(value)), {"\r": "&#13;"})


def write_kml(path: Path, title: str, columns: Sequence[Column], rows: Iterator[Batch]) -> None:
    """Write a document with one folder of placemarks and a schema of their values."""
    others = [at for at, column in enumerate(columns) if column.key != NAME]
    label = next((at for at, column in enumerate(columns) if column.key == NAME), None)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n')
        file.write(f"<name>{text_of(title)}</name>\n")
        if others:
            file.write('<Schema name="layer" id="layer">\n')
            for at in others:
                # Whole numbers of KML have 32 bits; those that are longer stay exact as text.
                kind = _TYPES.get(columns[at].type, "string")
                file.write(f"<SimpleField name={quoteattr(columns[at].name)} type={quoteattr(kind)}/>\n")
            file.write("</Schema>\n")
        file.write(f"<Folder>\n<name>{text_of(title)}</name>\n")
        starts = {at: f"<SimpleData name={quoteattr(columns[at].name)}>" for at in others}
        for batch in rows:
            values = [column.to_pylist() for column in batch.columns]
            for index, shape in enumerate(batch.shapes.to_pylist()):
                parts = ["<Placemark>"]
                if label is not None and values[label][index] is not None:
                    parts.append(f"<name>{text_of(values[label][index])}</name>")
                said = [
                    f"{starts[at]}{text_of(values[at][index])}</SimpleData>"
                    for at in others
                    if values[at][index] is not None
                ]
                if said:
                    parts.append(
                        f'<ExtendedData><SchemaData schemaUrl="#layer">{"".join(said)}</SchemaData></ExtendedData>'
                    )
                parts.append(f"{shape}</Placemark>\n")
                file.write("".join(parts))
        file.write("</Folder>\n</Document>\n</kml>\n")
