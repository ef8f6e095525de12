"""Attribute values as PostgreSQL keeps them in jsonb: text, numbers, truth, lists and objects, and nothing else.

Dates and times become ISO 8601 text; NaN and infinity, which JSON cannot express, become None.
"""

import datetime
import json
import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from layers.reading.plan import Json, Problem
from layers.reading.text import TextRules, clean_column, guess_encoding
from layers.reading.wording import option


def json_safe(value: Any) -> Json:
    """Give one value in a form that JSON and jsonb can keep.

    Examples
    --------
    >>> json_safe([np.int64(3), float("nan"), datetime.date(2022, 8, 1)])
    [3, None, '2022-08-01']
    """
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case np.generic():
            return json_safe(value.item())
        case datetime.date() | datetime.time():  # a datetime is a date
            return value.isoformat()
        case Decimal():
            return json_safe(int(value) if value == value.to_integral_value() else float(value))
        case list() | tuple():
            return [json_safe(item) for item in value]
        case dict():
            return {str(key): json_safe(item) for key, item in value.items()}
        case _:
            return str(value)


def column_from_arrow(column: pa.ChunkedArray, field: str, rules: TextRules) -> list[Json] | None:
    """Give one attribute of an Arrow table as JSON-safe values; None if it is binary and has no such form."""
    kind = column.type
    if getattr(kind, "extension_name", "") == "arrow.json":
        return [_parsed(text) for text in _text(column.cast(pa.string()), field, rules)]
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], kind.value_type)
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return clean_column(_text(column, field, rules), field, rules)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return None
    values = column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return list(values)
    if pa.types.is_floating(kind):
        return [value if value is not None and math.isfinite(value) else None for value in values]
    return [_clean_nested(json_safe(value), field, rules) for value in values]


def column_from_bytes(values: NDArray[Any], dtype: str, field: str, codec: str, rules: TextRules) -> list[Json] | None:
    """Give one attribute, read as Latin-1 so that the bytes of its text are intact, as JSON-safe values.

    Parameters
    ----------
    values
        Shape ``(n,)``; dates and times are text already.
    dtype
        The type the field is declared with; whole numbers with gaps arrive as floats and are made whole again.
    field, rules
        As for `clean_column`.
    codec
        The encoding that the bytes are really in.

    Returns
    -------
    list or None
        None if the attribute is binary and has no such form.
    """
    if values.dtype == object:
        if any(isinstance(value, bytes) for value in values):
            return None
        return clean_column(_decoded([_bytes(value) for value in values], codec, field, rules), field, rules)
    if np.issubdtype(values.dtype, np.floating):
        kind: type = bool if dtype == "bool" else int if dtype.startswith(("int", "uint")) else float
        return [kind(value) if math.isfinite(value) else None for value in values.tolist()]
    return list(values.tolist())


def _bytes(value: Any) -> bytes | None:
    return None if value is None else str(value).encode("latin-1", errors="replace")


def _text(column: pa.ChunkedArray, field: str, rules: TextRules) -> list[str | None]:
    try:
        return list(column.to_pylist())
    except UnicodeDecodeError:
        return _decoded(column.cast(pa.binary()).to_pylist(), "utf-8", field, rules)


def _decoded(values: Sequence[bytes | None], codec: str, field: str, rules: TextRules) -> list[str | None]:
    """Decode bytes value by value, so that one that cannot be decoded is told with its row."""
    known: dict[bytes | None, str | None] = {None: None}
    for index, value in enumerate(values):
        if value is not None and value not in known:
            known[value] = _decode(value, codec, int(rules.numbers[index]), field, rules)
    return [known[value] for value in values]


def _decode(value: bytes, codec: str, row: int, field: str, rules: TextRules) -> str:
    try:
        return value.decode(codec)
    except UnicodeDecodeError as error:
        if error.start >= len(value) - 3 and error.reason.startswith("unexpected end"):
            # The format cuts text at a number of bytes, in UTF-8 also through the middle of a letter.
            text = value[: error.start].decode(codec)
            message = f"The text '{text[-40:]}' was cut through a letter; the broken letter is dropped."
            rules.log.add(Problem("warning", "text_cut", message, "Keep long texts in a GeoPackage.", row, field))
            return text
        likely = guess_encoding(value)
        text = value.decode(likely, errors="ignore")
        message = f"Byte {error.start + 1} of the text is wrong in the encoding {codec}; it may mean '{text[:60]}'."
        remedy = f"Name the true encoding, which may be {likely}, with {option('encoding', likely)}."
        rules.log.add(Problem("error", "wrong_encoding", message, remedy, row, field))
        return text


def _parsed(text: str | None) -> Json:
    if text is None:
        return None
    try:
        return json_safe(json.loads(text))
    except ValueError:
        return text


def _clean_nested(value: Json, field: str, rules: TextRules) -> Json:
    if isinstance(value, list):
        return [_clean_nested(item, field, rules) for item in value]
    if isinstance(value, dict):
        return {key: _clean_nested(item, field, rules) for key, item in value.items()}
    return clean_column([value], field, rules)[0] if isinstance(value, str) else value
