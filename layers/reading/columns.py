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
import pyarrow.compute as pc

from layers.reading.plan import Json, Problem
from layers.reading.text import TextRules, clean_column, clean_values, column_is_plain, guess_encoding
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


def column_from_arrow(
    column: pa.Array, field: str, rules: TextRules, codec: str = "utf-8", *, is_latin: bool = False
) -> list[Json] | None:
    """Give one attribute of an Arrow batch as JSON-safe values; None if it is binary and has no such form.

    Parameters
    ----------
    column
        The values.
    field, rules
        As for `clean_column`.
    codec
        The encoding that the bytes of text are really in.
    is_latin
        Whether they were read as Latin-1, so that each byte is a character, whatever they mean.
    """
    kind = column.type
    if getattr(kind, "extension_name", "") == "arrow.json":
        texts = column.storage if isinstance(column, pa.ExtensionArray) else column.cast(pa.string())
        return [_parsed(text) for text in _texts(texts.to_pylist(), field, rules, codec, is_latin)]
    if pa.types.is_dictionary(kind):
        column = column.dictionary_decode()
        kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_column(column, field, rules, codec, is_latin)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return None
    values = column.to_pylist()
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return list(values)
    if pa.types.is_floating(kind):
        if not pc.all(pc.is_finite(column), min_count=0).as_py():
            return [value if value is not None and math.isfinite(value) else None for value in values]
        return list(values)
    return [_clean_nested(json_safe(value), field, rules) for value in values]


def _text_column(column: pa.Array, field: str, rules: TextRules, codec: str, is_latin: bool) -> list[Json]:
    """Clean a column of text, each distinct value once, unless all of it is clean at first sight."""
    if codec == "utf-8" and not is_latin and column_is_plain(column, rules.limits.text_characters):
        return list(column.to_pylist())
    encoded = column.dictionary_encode()
    positions = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    found, first = np.unique(positions, return_index=True)
    first = first[found >= 0]  # for each distinct value, in the order in which they come
    distinct = _distinct(encoded.dictionary, first.tolist(), field, rules, codec, is_latin)
    first_index: dict[str | None, int] = {}
    for text, index in zip(distinct, first.tolist(), strict=True):
        first_index.setdefault(text, index)
    cleaned = clean_values(first_index, field, rules)
    lookup = [cleaned[text] for text in distinct]
    lookup.append(None)  # for position -1
    return [lookup[position] for position in positions.tolist()]


def _distinct(
    dictionary: pa.Array, first: list[int], field: str, rules: TextRules, codec: str, is_latin: bool
) -> list[str]:
    """Decode distinct texts; bytes that cannot be decoded are told with their first row."""
    if codec == "utf-8" and not is_latin:
        try:
            return list(dictionary.to_pylist())
        except UnicodeDecodeError:
            pass
    data = dictionary.cast(pa.large_binary() if pa.types.is_large_string(dictionary.type) else pa.binary()).to_pylist()
    if is_latin:
        data = [value.decode("utf-8").encode("latin-1", errors="replace") for value in data]
    return [
        _decode(value, codec, int(rules.numbers[index]), field, rules) for value, index in zip(data, first, strict=True)
    ]


def _texts(
    values: Sequence[str | None], field: str, rules: TextRules, codec: str, is_latin: bool
) -> Sequence[str | None]:
    if not is_latin:
        return values
    return _decoded([None if v is None else v.encode("latin-1", errors="replace") for v in values], codec, field, rules)


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
            if rules.is_news(value, field):
                rules.log.add(Problem("warning", "text_cut", message, "Keep long texts in a GeoPackage.", row, field))
            return text
        likely = guess_encoding(value)
        text = value.decode(likely, errors="ignore")
        message = f"Byte {error.start + 1} of the text is wrong in the encoding {codec}; it may mean '{text[:60]}'."
        remedy = f"Name the true encoding, which may be {likely}, with {option('encoding', likely)}."
        if rules.is_news(value, field):
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
