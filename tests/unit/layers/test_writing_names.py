"""Names of fields and of files as formats take them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.writing.formats import FORMATS
from layers.writing.names import field_names, file_stem

VECTOR = [form for form in FORMATS.values() if not form.is_raster]


@pytest.mark.parametrize("form", VECTOR, ids=lambda form: form.code)
@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    keys=st.lists(
        st.text(max_size=40) | st.sampled_from(["fid", "FID", "geom", "geometry", "wkt", "lon", "name"]), max_size=40
    )
)
def test_names_are_unique_legal_and_one_for_each_field(form: object, keys: list[str]) -> None:
    names = field_names(keys, form)  # type: ignore[arg-type]
    assert len(names) == len(keys)
    assert len({name.casefold() for name in names}) == len(names)
    assert not {name.casefold() for name in names} & form.taken_names  # type: ignore[attr-defined]
    assert all(name.strip() for name in names)
    assert not any(re.search(r"[\x00-\x1f]", name) for name in names)
    if form.is_ascii_names:  # type: ignore[attr-defined]
        assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,9}", name) for name in names)


def test_a_thousand_fields_of_one_name_stay_apart() -> None:
    for code in ("shp", "gpkg"):
        names = field_names(["نام بسیار بلند یک فیلد"] * 1000, FORMATS[code])
        assert len(set(names)) == 1000
        assert code != "shp" or max(map(len, names)) == 10


def test_names_of_files_are_ascii_and_no_paths() -> None:
    for city, layer in (("../../etc", "passwd\x00"), ("خرم‌آباد", "لایه"), ("", "")):
        stem = file_stem(city, layer, 1, 4326)
        assert re.fullmatch(r"[a-z0-9-]+-v1-epsg4326", stem)
