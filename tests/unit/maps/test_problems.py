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
from layers.jobs.steps import REQUEST
from layers.reading import Problem
from layers.reading.osm_rules import RulesError, rules_of
from layers.reading.recognise import ACCEPTED
from layers.reading.wording import PAGE, option
from maps.ogc.cql2_text import MOST_DEPTH
from maps.problems import fault_told, members_told, problem_of, problem_told, text_told
from maps.problems.telling import SENTENCES, place_told, sentences_of, told
from maps.problems.words import OPTIONS, PLACES, WORDS
from tests.architecture.source_texts import ROOT, Text, texts_in, without_details
from tests.unit.layers.test_osm_rules import MISTAKES

READ = ("geo", "layers", "analysis", "interventions", "maps", "config/middleware.py")
# Files whose errors nobody meets but who runs a command, and why.
COMMAND_LINE = {
    "analysis/commands.py": "reads the options of commands",
    "analysis/management": "a command",
    "analysis/national": "is asked by the command national alone",
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
    assert len(texts()) > 1200
    assert {
        "geo/services/edits.py",
        "geo/core/validity.py",
        "layers/reading/shape_checks.py",
        "maps/ogc/filtering.py",
        "layers/jobs/steps.py",
        "layers/tasks.py",
        "layers/writing/systems.py",
        "maps/catalogue/asked.py",
        "maps/exports/views.py",
        "maps/imports/receiving.py",
        "maps/ogc/layers/items.py",
        "maps/tiles/rasters.py",
    } <= found


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("layers/reading/whole.py", "The row is the same as row 1v in everything."),
        ("layers/reading/osm_file.py", "Download or copy it again."),
        ("layers/reading/osm_file.py", "The .pbf file is broken at block 1v: its header cannot be read."),
        ("layers/reading/place_checks.py", "All 1v rows lie far from the city; the first is at 2v, 3v."),
        ("layers/reading/recognise.py", "'1v' is text of an unknown kind."),
        ("layers/services/uploads.py", "Wait until it is stored, or cancel it."),
        ("layers/services/uploads.py", "The upload is 1v, and cannot be changed."),
        ("layers/tasks.py", "The program that reads files broke down at this one."),
        ("maps/imports/bodies.py", "Value error, give either layer or new_layer."),
        ("geo/services/edits.py", "Another place has the code already, or had it before it ended."),
    ],
)
def test_what_is_said_in_a_roundabout_way_is_read(file: str, said: str) -> None:
    assert said in [text.filled()[0] for text in texts() if text.file == file]


def test_every_text_of_an_error_is_told() -> None:
    with override("fa"):
        missing = [f"{text.file}:{text.line}: {text.filled()[0]}" for text in texts() if told(text.filled()[0]) is None]
    assert not missing, "\n".join(missing)


def test_no_text_is_told_by_a_sentence_that_is_not_its_own() -> None:
    """A gap that takes English words of ours has swallowed them: they would stay English in the middle of the answer."""
    swallowed = []
    for text in texts():
        said, values = text.filled()
        for template, gaps in sentences_of(said) or []:
            for name, found in gaps.items():
                own = re.sub("|".join(values) or "^$", "", found)
                if (
                    " " in found
                    and re.search("[a-z]{2}", own)
                    and found.lower() not in {word.lower() for word in WORDS}
                ):
                    swallowed.append(f"{text.file}:{text.line}: {said}: {template}: {name}")
    assert not swallowed, "\n".join(swallowed)


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
    found = [text.filled()[0] for text in texts()] + _notes() + _mistakes() + ["(2 more faults.)"]
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


def _mistakes() -> list[str]:
    """Give what is said of mistakes in rules for OpenStreetMap, which a planner may write."""
    found: list[str] = []
    for text, *_ in MISTAKES:
        try:
            rules_of(text)
        except RulesError as error:
            found += [said for problem in error.problems for said in (problem.message, problem.remedy)]
    return found


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
        untold += [word for word in (*WORDS, *dict(OPTIONS).values()) if gettext(word) == word]
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


def test_codes_in_the_details_are_written_without_a_mark_for_thousands() -> None:
    error = InvalidInput("EPSG:32639 does not hold where these data lie.", details={"epsg": 32639, "most": 32639})
    rows = InvalidInput("There are 12000 photos and documents here already.", details={"most": 12000})
    with override("fa"):
        assert "32639" in problem_of(error)["title"]
        assert "۱۲٬۰۰۰" in problem_of(rows)["title"]


def test_a_problem_that_was_kept_is_told_again() -> None:
    kept = {
        "type": "about:blank",
        "title": "Reading the file takes more than 1,500 MB of memory.",
        "status": 413,
        "code": "too_much_memory",
        "where": "parks.gpkg",
        "remedy": "Split it by area, or leave out attributes that are not needed.",
    }
    with override("fa"):
        answer = members_told(kept)
    assert "۱٬۵۰۰" in answer["title"]
    assert PERSIAN.search(answer["remedy"])
    assert (answer["code"], answer["status"], answer["where"]) == ("too_much_memory", 413, "parks.gpkg")
    with override("en"):
        assert members_told(kept) == kept | {"language": "en"}


def test_a_fault_that_was_kept_is_told_again() -> None:
    fault = Problem("warning", "duplicate_row", "The row is the same as row 3 in everything.", "Delete one of them.", 7)
    with override("fa"):
        assert fault_told(fault.as_dict()) == problem_told(fault)
        assert fault_told({"message": fault.message}).message == problem_told(fault).message


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


def test_options_are_told_in_words_whoever_names_them() -> None:
    said = f"As EPSG:32639, x and y exchanged they would lie in the city: read the file with {option('source_epsg', 32639)} and {option('swap_xy')}."
    with override("fa"):
        for wording in (REQUEST, PAGE):
            answer = problem_told(Problem("error", "no_crs", wording.say(said), wording.say(said))).remedy
            assert "سامانهٔ مختصات" in answer
            assert "جابه‌جا کردن" in answer
            assert "exchanged" not in answer
            assert not re.search("source|swap|Set", answer), answer


def test_each_option_of_reading_has_its_word() -> None:
    named = {
        name
        for file in (ROOT / "layers/reading").glob("*.py")
        for name in re.findall(r"""option\(['"]([a-z_]+)['"]""", file.read_text())
    }
    assert len(named) > 6
    assert named <= set(dict(OPTIONS))


def test_a_field_with_the_name_of_a_word_of_ours_keeps_its_name() -> None:
    with override("fa"):
        answer = problem_told(Problem("error", "bad_value", "Nothing to do.", row=3, field="source"))
    assert "source" in answer.place


def test_what_the_filter_expects_at_its_deepest_is_a_word() -> None:
    assert f"no more than {MOST_DEPTH} levels of brackets and negations, here something simpler," in WORDS


def test_the_formats_taken_are_told() -> None:
    with override("fa"):
        answer = told(f"Convert it to {ACCEPTED}.")
    assert answer is not None
    assert "one feature per line" not in answer


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
