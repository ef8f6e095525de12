"""The parts of tables that are written by hand: cells, texts, and work in a second thread."""

from __future__ import annotations

import datetime
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.writing.batches import shortened
from layers.writing.formats import FORMATS
from layers.writing.kml import text_of
from layers.writing.pumping import AbandonedError, pumped
from layers.writing.sinks import inert, inert_column
from layers.writing.worksheet import write_xlsx

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def cells(path: Path) -> dict[str, tuple[str, str, str]]:
    """Return of each cell its type, its style and what it shows; parsed as any reader does."""
    with zipfile.ZipFile(path) as book:
        for name in book.namelist():
            ET.fromstring(book.read(name))  # noqa: S314 - written here
        sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 - written here
    assert not list(sheet.iter(f"{MAIN}f"))
    return {
        str(cell.get("r")): (cell.get("t", "n"), cell.get("s", "0"), "".join(cell.itertext()))
        for cell in sheet.iter(f"{MAIN}c")
    }


def test_cells_have_their_types_and_no_text_is_a_formula(tmp_path: Path) -> None:
    columns = [
        pa.array([True, None]),
        pa.array([7, 2**53 + 1]),
        pa.array([0.1, -1e300]),
        pa.array([datetime.date(2024, 5, 6), datetime.date(1899, 1, 1)]),
        pa.array([datetime.datetime(2024, 5, 6, 12, 0, 0), None], pa.timestamp("ms")),
        pa.array(["=1+1", "-2"]),
        pa.array(['a<b>&"c"', " خرم‌آباد\r\n"]),
    ]
    write_xlsx(tmp_path / "a.xlsx", ["=name", *"bcdefg"], iter([(1, columns)]), lambda *_: None)
    found = cells(tmp_path / "a.xlsx")
    assert found["A1"] == ("inlineStr", "3", "=name")
    assert found["A2"] == ("b", "0", "1")
    assert "A3" not in found
    assert found["B2"] == ("n", "0", "7")
    assert found["B3"] == ("inlineStr", "0", "9007199254740993")
    assert float(found["C2"][2]) == 0.1
    assert float(found["C3"][2]) == -1e300
    assert found["D2"] == ("n", "1", "45418")
    assert found["D3"] == ("inlineStr", "0", "1899-01-01")
    assert found["E2"] == ("n", "2", "45418.5")
    assert found["F2"] == ("inlineStr", "3", "=1+1")
    assert found["F3"] == ("inlineStr", "3", "-2")
    assert found["G2"][2] == 'a<b>&"c"'
    assert found["G3"][2] == " خرم‌آباد_x000D_\n"


def test_geometries_longer_than_a_cell_are_handed_over(tmp_path: Path) -> None:
    kept: list[tuple[int, str, str]] = []
    long = "x" * 32_768
    write_xlsx(
        tmp_path / "a.xlsx", ["wkt"], iter([(5, [pa.array([long, "y" * 32_767])])]), lambda *one: kept.append(one)
    )
    assert kept == [(5, "wkt", long)]
    assert cells(tmp_path / "a.xlsx")["A7"][2] == "y" * 32_767


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_any_text_is_sound_xml(text: str) -> None:
    text = text.encode("utf-8", errors="ignore").decode()
    root = ET.fromstring(f"<a>{text_of(text)}</a>")  # noqa: S314 - written here
    forbidden = {chr(code) for code in [*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF]}
    assert "".join(root.itertext()) == "".join(" " if one in forbidden else one for one in text)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=30))
def test_no_text_runs_as_a_formula(text: str) -> None:
    text = text.encode("utf-8", errors="ignore").decode()
    (found,) = inert_column(pa.array([text])).to_pylist()
    assert found == inert(text)
    assert not found.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert found in (text, f"'{text}")


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(alphabet=st.sampled_from("aی🏠é"), max_size=400))
def test_texts_are_cut_after_a_whole_letter(text: str) -> None:
    found = shortened(text, FORMATS["shp"])
    assert text.startswith(found)
    assert len(found.encode()) <= 254
    assert found == text or len((found + text[len(found)]).encode()) > 254


# ---- the second thread


def test_all_items_arrive_in_order_and_the_answer_comes_back() -> None:
    def run() -> Iterator[int]:
        answer = yield from pumped(iter([[1], [2, 3], [4]]), lambda items: [one for item in items for one in item])
        answers.append(answer)

    answers: list[list[int]] = []
    done = list(run())
    assert answers == [[1, 2, 3, 4]]
    assert done[-1] == 4
    assert done == sorted(done)


def test_a_slow_worker_keeps_the_others_informed() -> None:
    def work(items: Iterator[list[int]]) -> int:
        for _ in items:
            time.sleep(0.6)
        time.sleep(0.6)
        return 7

    started = time.monotonic()
    ticks = [time.monotonic() - started for _ in pumped(iter([[1]] * 4), work)]
    assert max(after - before for before, after in zip([0.0, *ticks], ticks, strict=False)) < 0.55


def test_what_goes_wrong_in_the_thread_is_raised_here() -> None:
    def work(items: Iterator[list[int]]) -> None:
        next(items)
        raise ValueError("the disk is full")

    before = threading.active_count()
    with pytest.raises(ValueError, match="disk is full"):
        list(pumped(iter([[1]] * 100), work))
    assert threading.active_count() == before


def test_what_goes_wrong_here_ends_the_thread() -> None:
    seen: list[BaseException] = []

    def work(items: Iterator[list[int]]) -> None:
        try:
            for _ in items:
                pass
        except BaseException as error:
            seen.append(error)
            raise

    def items() -> Iterator[list[int]]:
        yield [1]
        raise LookupError("the database went away")

    before = threading.active_count()
    with pytest.raises(LookupError):
        list(pumped(items(), work))
    assert isinstance(seen[0], AbandonedError)
    assert threading.active_count() == before


@pytest.mark.parametrize("after", [1, 2, 5, 9])
def test_closing_ends_the_thread(after: int) -> None:
    finished: list[bool] = []

    def work(items: Iterator[list[int]]) -> None:
        for _ in items:
            time.sleep(0.01)
        finished.append(True)

    before = threading.active_count()
    pumping = pumped(iter([[1]] * 1000), work)
    for _ in range(after):
        next(pumping)
    pumping.close()
    assert threading.active_count() == before
    assert not finished
