"""Rows as they are copied into the database: what Arrow writes all at once is what Python's json writes row by row."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.reading.plan import Rows
from layers.services.rows_to_copy import attribute_texts

VALUES = {
    "integers": st.integers(-(2**70), 2**70),
    "numbers": st.floats(allow_nan=False, allow_infinity=False),
    "few": st.sampled_from([0.0, -0.0, 1.0, 40.0, 1e-4, 9e-5, 1e15, 1e16, 1e20, -2.5]),
    "texts": st.text(st.characters(codec="utf-8"), max_size=8),
    "odd": st.sampled_from(["", '"', "\\", "\n", "\x1f", "\x7f", "%s", "{}", "خرم‌آباد", "\u2028"]),
    "truths": st.booleans(),
    "lists": st.lists(st.integers(0, 9), max_size=2),
}


@st.composite
def columns(draw: Any) -> dict[str, list[Any]]:
    n = draw(st.integers(1, 6))
    names = draw(st.lists(st.sampled_from(["a", "b", 'c"', "نام", "%d", "{}"]), unique=True, max_size=4))
    found = {}
    for name in names:
        kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=2))
        value = st.one_of(*(VALUES[kind] for kind in kinds))
        found[name] = draw(
            st.lists(st.one_of(value, st.none()) if draw(st.booleans()) else value, min_size=n, max_size=n)
        )
    return found


@settings(max_examples=300, deadline=None, derandomize=True)
@given(columns())
def test_attributes_are_written_as_json_writes_them(found: dict[str, list[Any]]) -> None:
    n = len(next(iter(found.values()), [None]))
    rows = Rows(np.array([shapely.Point(0, 0)] * n, dtype=object), np.arange(n), ("",) * n, found)
    wanted = [json.dumps(each, ensure_ascii=False, sort_keys=True, separators=(",", ":")) for each in rows.attributes()]
    assert attribute_texts(rows).to_pylist() == wanted
