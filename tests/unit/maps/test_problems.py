"""Whatever the layers below refuse with, a reader is told in the own language: read from the source, so that none is forgotten."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import shapely
from django.utils.translation import gettext, override

from geo.core.validity import problems, repair
from geo.errors import InvalidInput, NotFound
from layers.reading import Problem
from layers.reading.wording import PAGE, option
from maps.problems import problem_of, problem_told, text_told
from maps.problems.telling import SENTENCES, place_told, sentences_of, told
from maps.problems.words import PLACES, WORDS
from tests.architecture.source_texts import ROOT, Text, texts_in, without_details

READ = ("geo", "layers", "analysis", "interventions", "maps", "config/middleware.py")
# Files whose errors nobody meets but who runs a command, and why.
COMMAND_LINE = {
    "analysis/commands.py": "reads the options of commands",
    "interventions/loading.py": "reads the file of the command load_network",
    "layers/management": "a command",
    "layers/reading/city.py": "reads the description of a city, for load_city",
    "layers/reading/toml_section.py": "reads the description of a city, for load_city",
    "maps/management": "a command",
}
PERSIAN = re.compile("[\u0600-\u06ff]")
LATIN_LETTERS = re.compile(r"[A-Za-z]{2,}")


@cache
def texts() -> tuple[Text, ...]:
    found = [text for folder in READ for text in texts_in(folder)]
    return tuple(text for text in found if not text.file.startswith(tuple(COMMAND_LINE)) and _has_words(text))


def _has_words(text: Text) -> bool:
    """Leave out another's words with nothing of ours around them, which `problem_of` tells by their code."""
    return re.search("[A-Za-z]{2}", "".join(text.parts)) is not None and text.parts[:2] != ("", ". (")


def test_the_source_is_really_read() -> None:
    found = {text.file for text in texts()}
    assert len(texts()) > 600
    assert {
        "geo/services/edits.py",
        "geo/core/validity.py",
        "layers/reading/shape_checks.py",
        "maps/ogc/filtering.py",
    } <= found


def test_every_text_of_an_error_is_told() -> None:
    with override("fa"):
        missing = [f"{text.file}:{text.line}: {text.filled()[0]}" for text in texts() if told(text.filled()[0]) is None]
    assert not missing, "\n".join(missing)


def test_what_the_sentence_was_about_is_told_too() -> None:
    """A value that is read wrongly from the sentence, or that the translation leaves out, would be lost to the reader."""
    lost = []
    with override("fa"):
        for text in texts():
            said, values = text.filled()
            answer = told(said) or ""
            lost += [f"{text.file}:{text.line}: {said}: {answer}" for value in values if value not in answer]
    assert not lost, "\n".join(lost)


def test_what_is_named_in_english_is_named_in_the_details_too() -> None:
    found = [place for folder in READ for place in without_details(folder)]
    assert not [place for place in found if not place.startswith(tuple(COMMAND_LINE))]


def test_no_sentence_stands_in_the_table_for_nothing() -> None:
    found = [text.filled()[0] for text in texts()] + _notes() + ["(2 more faults.)"]
    said = {template for text in found for template, _ in sentences_of(text) or []}
    assert not sorted(set(SENTENCES) - said)
    assert len(SENTENCES) == len(set(SENTENCES))


def _notes() -> list[str]:
    """Give what real repairs say, with and without an area that can be compared."""
    shapes = (
        "POLYGON Z ((0 0 1, 2 2 1, 2 0 1, 0 2 1, 0 0 1))",
        "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 20 1, 20 5, 1 5, 1 1))",
        "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 9, 0 0)), ((1 1, 2 1, 2 2, 1 2, 1 1)))",
    )
    return [repair(shapely.from_wkt(wkt))[1] for wkt in shapes] + ["Repaired: Something else."]


def test_notes_of_repairs_are_told() -> None:
    notes = _notes()
    assert any("area changed" in note for note in notes)
    assert any("Heights" in note for note in notes)
    with override("fa"):
        for note in notes[:3]:
            answer = text_told(note)
            assert PERSIAN.search(answer)
            assert not LATIN_LETTERS.search(answer), answer
    with override("en"):
        assert text_told(notes[0]) == notes[0]


def test_persian_is_complete_for_the_table() -> None:
    with override("fa"):
        untold = [text for text in (*SENTENCES, *PLACES) if PERSIAN.search(told_or_place(text)) is None]
        untold += [word for word in WORDS if gettext(word) == word]
    assert not untold, f"{len(untold)} texts without Persian, such as {untold[:5]}"


def told_or_place(sentence: str) -> str:
    text = re.sub(r"%\([a-z_]+\)s", "7", sentence).replace("%%", "%")
    return place_told(text) if sentence in PLACES else told(text) or ""


def test_a_problem_is_told_in_persian_with_place_and_remedy() -> None:
    error = InvalidInput(
        "The boundary of n001 that is to be replaced begins on 2026-03-21, after 2026-01-05.",
        code="too_early",
        where="place n001, valid_from",
        remedy="Return the change set, and let it take effect on that day or later.",
    )
    with override("fa"):
        problem = problem_of(error)
    assert problem["language"] == "fa"
    assert "۱ فروردین ۱۴۰۵" in problem["title"]
    assert PERSIAN.search(problem["remedy"])
    assert problem["place"].startswith("محدودهٔ")
    assert (problem["code"], problem["where"], problem["status"]) == ("too_early", "place n001, valid_from", 400)
    with override("en"):
        assert problem_of(error) == error.members() | {"language": "en"}


def test_details_are_told_instead_of_what_the_sentence_says() -> None:
    error = NotFound("Khorramabad has no place 'n900'.", details={"city": "خرم‌آباد"})
    with override("fa"):
        title = problem_of(error)["title"]
    assert "خرم‌آباد" in title
    assert "Khorramabad" not in title
    assert "n900" in title


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("row 3, field 'name', at 48.36, 33.49", "ردیف ۳، فیلد ⁨name⁩ در ⁦48.36, 33.49⁩"),
        ("gap at 48.360000, -33.490000", "فاصله در ⁦48.360000, -33.490000⁩"),
        ("48.36, 33.49", "⁦48.36, 33.49⁩"),
        ("place n001, source", "محدودهٔ ⁨n001⁩، منبع"),
        ("place n001 at 48.3600000, 33.4900000", "محدودهٔ ⁨n001⁩ در ⁦48.3600000, 33.4900000⁩"),
        ("n001 at 48.3600000, 33.4900000", "⁨n001⁩ در ⁦48.3600000, 33.4900000⁩"),
        ("body, line 3, column 15", "بدنهٔ درخواست، سطر ۳، ستون ۱۵"),
        ("filter, character 18", "پالایه، نویسهٔ ۱۸"),
        ("body.edits[0].geometry", "⁨body.edits[0].geometry⁩"),
        ("change set 12", "بستهٔ تغییر ۱۲"),
        ("clinics.geojson, row 5", "⁨clinics.geojson⁩، ردیف ۵"),
    ],
)
def test_a_place_is_told(where: str, told: str) -> None:
    with override("fa"):
        assert place_told(where) == told


@pytest.mark.parametrize("text", ["", "Nobody ever says this.", "x" * 5000, "There is no city"])
def test_an_unknown_text_stays_as_it_is(text: str) -> None:
    with override("fa"):
        problem = problem_of(InvalidInput(text, remedy="Give metres."))
    assert problem["title"] == text
    assert problem["language"] == "en"


def test_values_of_strangers_choose_no_other_sentence() -> None:
    with override("fa"):
        said = told("There is no city 'x'. Sign in. %(city)s %s {0} '.")
    assert said is not None
    assert "%(city)s %s {0}" in said


def test_words_of_libraries_are_told_by_their_code() -> None:
    with override("fa"):
        problem = problem_of(
            InvalidInput("Field required. (2 more faults.)", code="bad_body", where="body.edits[0].code")
        )
        named = problem_of(
            InvalidInput("این نام پیش‌تر آمده است.", code="bad_place", remedy="Correct the name or code.")
        )
    assert not LATIN_LETTERS.search(problem["title"]), problem["title"]
    assert "۲" in problem["title"]
    assert "body.edits[0].code" in problem["place"]
    assert named["title"] == "این نام پیش‌تر آمده است"
    assert named["language"] == "fa"


def test_a_fault_of_a_file_is_told_with_its_row_and_the_option_in_words() -> None:
    remedy = PAGE.say(f"In EPSG:32639 they would lie near the city: read the file with {option('source_epsg', 32639)}.")
    problem = Problem(
        "error", "wrong_crs", "All 1,240 rows lie far from the city; the first is at 4.1, 50.2.", remedy, 3
    )
    with override("fa"):
        answer = problem_told(problem)
    assert "۱٬۲۴۰" in answer.message
    assert "سامانهٔ مختصات" in answer.remedy
    assert "32639" in answer.remedy
    assert not LATIN_LETTERS.search(answer.remedy.replace("EPSG", ""))
    assert answer.place == "ردیف ۳"
    with override("en"):
        assert problem_told(problem).message == problem.message


def test_why_a_geometry_is_not_valid_is_told() -> None:
    found = problems(shapely.from_wkt("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))"))
    with override("fa"):
        answer = told(found[0].message)
    assert answer is not None
    assert not LATIN_LETTERS.search(answer)


def test_no_word_or_place_is_listed_twice() -> None:
    assert len({word.lower() for word in WORDS}) == len(WORDS)
    assert len(set(PLACES)) == len(PLACES)
    assert all((Path(ROOT) / file).exists() for file in COMMAND_LINE)
