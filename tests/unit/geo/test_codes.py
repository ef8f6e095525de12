"""A free code is proposed as the browser proposes it, and is always free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.core.codes import MAX_LENGTH, free_code

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "cases" / "codes.json").read_text(encoding="utf-8")
)

CODE = st.from_regex(r"[a-z0-9]{1,6}(-[a-z0-9]{1,6}){0,2}", fullmatch=True)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case_shared_with_the_browser(case: dict[str, Any]) -> None:
    assert free_code(case["like"], case["taken"]) == case["free"]


@given(like=CODE, taken=st.sets(CODE, max_size=30))
def test_what_is_proposed_is_free_and_a_code(like: str, taken: set[str]) -> None:
    for _ in range(5):
        code = free_code(like, taken)
        assert code not in taken
        assert len(code) <= MAX_LENGTH
        assert all(part.isalnum() for part in code.split("-"))
        taken.add(code)
