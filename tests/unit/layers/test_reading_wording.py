"""Remedies name options as the person who reads them writes them: in a command, or in the description of a city."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from layers.reading import COMMAND, DESCRIPTION, Wording, read_file
from layers.reading.wording import option

METRES = "name,E,N\nx,320500,3700500\n"


def remedy_of(path: Path, code: str, wording: Wording, **options: Any) -> str:
    (problem,) = [p for p in read_file(path, wording=wording, **options).problems if p.code == code]
    assert not {"\ue000", "\ue001"} & set(problem.remedy)
    return problem.remedy


@pytest.mark.parametrize(
    ("data", "code", "command", "description"),
    [
        (METRES.replace("E,N", "a,b").encode(), "no_coordinates", "--x-field and --y-field", "`x_field` and `y_field`"),
        (METRES.replace("E,N", "x,y").encode(), "no_crs", "with --source-epsg:", "with `source_epsg`:"),
        (
            "name,lon,lat\nدرمانگاه کوچک شهر,49.06,33.42\n".encode("cp1256"),
            "undeclared_encoding",
            "with --encoding.",
            "with `encoding`.",
        ),
        (b"name,lon,lat\nx,320500,3700500\n", "wrong_crs", "--source-epsg 32639.", "`source_epsg = 32639`."),
        (b"name,wkt\nx,\n", "no_geometry", "with --repair.", "with `repair = true`."),
    ],
)
def test_a_remedy_is_in_the_callers_words(
    data: bytes, code: str, command: str, description: str, tmp_path: Path
) -> None:
    path = tmp_path / "clinics.csv"
    path.write_bytes(data)
    options = {"source_epsg": 4326} if code in ("no_geometry", "wrong_crs") else {}
    assert command in remedy_of(path, code, COMMAND, **options)
    told = remedy_of(path, code, DESCRIPTION, **options)
    assert description in told
    assert "--" not in told


def test_the_layer_of_a_file_has_another_name_in_a_description() -> None:
    text = f"choose one with {option('layer')}."
    encoding = option("encoding", "cp1256")
    assert (COMMAND.say(encoding), DESCRIPTION.say(encoding)) == ("--encoding cp1256", '`encoding = "cp1256"`')
    assert (COMMAND.say(text), DESCRIPTION.say(text)) == ("choose one with --layer.", "choose one with `file_layer`.")


def test_text_of_a_file_is_never_taken_for_an_option() -> None:
    text = "Its columns are 'repair', '--band', \ue000odd."
    assert COMMAND.say(text) == DESCRIPTION.say(text) == text
