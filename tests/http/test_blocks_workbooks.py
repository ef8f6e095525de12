"""Workbooks of settlement form, opened again: every figure is that of the page's record, and the codebook knows every column."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from analysis.models import Run
from analysis.settlement_form import (
    FormQuestion,
    WornRule,
    alternatives_find,
    form_record,
    ground_of,
    settlement_form,
    worn_of,
)
from analysis.version import code_version
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer
from tests.workbooks import rows_by_sheet

pytestmark = pytest.mark.django_db

CITY, PLACE = "/khorramabad/blocks/", "/khorramabad/s04/blocks/"
PERSIAN = re.compile("[\u0600-\u06ff]")
WORDS = {True: "yes", False: "no", None: "undecided"}
BLOCK = (
    "block", "lon", "lat", "area_m2", "homes", "homes_without_access", "homes_not_reached", "k", "passages_under_6_m",
    "plots_under_200_m2",
)  # fmt: skip
PATHS = (
    "length_m", "homes_touched", "homes_without_access_after", "k_after", "gap", "detour", "unreachable_plots",
)  # fmt: skip


def form_of(city: Place, narrowest_m: float = 4.0) -> Any:
    asked = FormQuestion(narrowest_m=narrowest_m)
    return settlement_form(city=city, user=system_user(), place_code="s04", asked=asked)


def said_in(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {row["name"]: row["value"] for row in tables["codebook"] if row["part"] == "data"}


def link_on(client: Client, path: str) -> str:
    (link,) = re.findall(r'href="(/khorramabad/[^"]*blocks/export[^"]*)"', client.get(path).content.decode())
    return html.unescape(link)


def check_blocks(rows: list[dict[str, Any]], record: dict[str, Any], rule: WornRule) -> None:
    told = record["by_block"]
    assert [{name: row[name] for name in BLOCK} for row in rows] == [
        {name: row[name] for name in BLOCK} for row in told
    ]
    assert [row["number"] for row in rows] == list(range(1, len(told) + 1))
    marks = worn_of(rule, *([row[name] for row in told] for name in ("plots_under_200_m2", "passages_under_6_m")))
    assert [row["is_worn"] for row in rows] == [WORDS[one.is_worn] for one in marks]
    assert [(row["marks_met"], row["marks_known"]) for row in rows] == [(one.met, one.known) for one in marks]
    for row in rows:
        assert row["share_without_access"] == pytest.approx(row["homes_without_access"] / row["homes"])


def check_place(row: dict[str, Any], record: dict[str, Any], blocks: list[dict[str, Any]], rule: WornRule) -> None:
    same = ("blocks", "homes_without_access", "homes_not_reached", "k", "k_of_homes_mean", "streets_not_connected_m")
    assert {name: row[name] for name in same} == {name: record[name] for name in same}
    assert row["homes"] == record["buildings"] == sum(one["homes"] for one in blocks)
    passages, plots = record["passages_under_6_m"], record["plots_under_200_m2"]
    told = {"share": row["passages_under_6_m"], "known": row["passages_known_m"], "unknown": row["passages_unknown_m"]}
    assert told == passages
    assert {"share": row["plots_under_200_m2"], "known": row["plots_known"], "unknown": row["plots_unknown"]} == plots
    (worn,) = worn_of(rule, [plots["share"]], [passages["share"]])
    assert (row["is_worn"], row["marks_met"], row["marks_known"]) == (WORDS[worn.is_worn], worn.met, worn.known)
    assert row["worn_blocks"] == sum(one["is_worn"] == "yes" for one in blocks)
    assert row["undecided_blocks"] == sum(one["is_worn"] == "undecided" for one in blocks)


def check_codebook(tables: dict[str, list[dict[str, Any]]]) -> None:
    fields = {(row["sheet"], row["name"]): row for row in tables["codebook"] if row["part"] == "field"}
    for sheet, rows in tables.items():
        assert sheet == "codebook" or [name for of, name in fields if of == sheet] == [*rows[0]]
    for row in fields.values():
        assert PERSIAN.search(row["title_fa"]) or row["title_fa"].startswith("k")
        assert row["title_en"]
        assert not PERSIAN.search(row["title_en"])
        assert bool(row["description_fa"]) == bool(row["description"]), row["name"]
    said = said_in(tables)
    assert said["code_version"] == f"Mahalleh {code_version()}"
    for name in ("streets", "buildings"):
        release = Layer.objects.get(city__code="khorramabad", code=said[f"{name}.layer"]).releases.first()
        assert release is not None
        assert (said[f"{name}.release"], said[f"{name}.content_hash"]) == (release.number, release.content_hash)


def test_a_place_is_taken_away_as_its_page_shows_it(analyst: Client, demo_city: Place) -> None:
    form = form_of(demo_city)
    record = form_record(form)
    kept = analyst.post(f"{PLACE}?width=3&cost=12000000&marks=1", {"do": "paths"})
    alternatives = Run.objects.get(kind="blocks").result["alternatives"]
    ground, pieces = ground_of(form), alternatives[0]["pieces"]
    for query, name in (("cost=1000", '=HYPERLINK("http://example.org";"x")'), ("narrowest=6", "older")):
        names = pieces if name != "older" else ground_of(form_of(demo_city, 6.0)).alternative(
            "least-length", width_m=4.0, cost_per_m=0.0
        ).pieces  # fmt: skip
        body = {"do": "keep", "name": name, "note": "گفت‌وگو", "pieces": " ".join(names), "begun_from": "least-length"}
        assert analyst.post(f"{PLACE}?{query}", body).status_code == 302
    answer = analyst.get(link_on(analyst, f"{kept['Location'].partition('#')[0]}&marks=1"))
    assert answer["Content-Disposition"] == 'attachment; filename="khorramabad-s04-blocks.xlsx"'
    tables = rows_by_sheet(answer.content)
    assert [*tables] == ["place", "blocks", "by_layer", "alternatives", "plans", "codebook"]
    rule = WornRule(1)
    check_blocks(tables["blocks"], record, rule)
    assert {row["number"] for row in tables["blocks"] if row["is_isolated"] == "yes"} == {
        row["number"] for row in tables["blocks"] if row["block"] in ground.isolated
    }
    (place,) = tables["place"]
    check_place(place, record, tables["blocks"], rule)
    assert (place["place_code"], place["kind"], place["isolated_blocks"]) == ("s04", "settlement", len(ground.isolated))

    layers = tables["by_layer"]
    assert [row["layer"] for row in layers] == list(range(form.k + 1))
    assert [row["homes"] for row in layers] == [record["homes_not_reached"], *record["homes_by_layer"]]
    assert sum(row["homes"] for row in layers) == form.buildings
    assert sum(row["share_of_homes"] for row in layers) == pytest.approx(1)
    assert {str(int(row["layer"])): row["blocks"] for row in layers if row["blocks"]} == record["blocks_by_k"]

    for row, one in zip(tables["alternatives"], alternatives, strict=True):
        assert {name: row[name] for name in PATHS} == {name: one[name] for name in PATHS}
        assert (row["goal"], row["cost"], row["path_width_m"], row["cost_per_m"]) == (
            one["goal"],
            one["cost"],
            3.0,
            12e6,
        )
        assert (row["homes_without_access_before"], row["k_before"]) == (record["homes_without_access"], form.k)
        assert row["homes_that_gain_access"] == record["homes_without_access"] - one["homes_without_access_after"]

    runs = list(Run.objects.filter(parameters__holds="plan").order_by("-pk"))
    assert [row["plan"] for row in tables["plans"]] == [run.pk for run in runs]
    for row, run in zip(tables["plans"], runs, strict=True):
        same = ("length_m", "homes", "homes_touched", "homes_without_access_after", "k_before", "k_after")
        assert {name: row[name] for name in same} == {name: run.result[name] for name in same}
        assert (row["name"], row["note"], row["kept_by"]) == (run.parameters["name"], "گفت‌وگو", "test-analyst")
        assert row["pieces"] == len(run.result["pieces"])
        assert (row["edition"], row["streets_release"]) == (place["edition"], run.inputs["streets"]["release"])
    assert [(row["name"], row["same_plots"], row["cost"]) for row in tables["plans"]] == [
        ("older", "no", None),
        ('=HYPERLINK("http://example.org";"x")', "yes", runs[1].result["cost"]),
    ]
    check_codebook(tables)
    said = said_in(tables)
    assert (said["narrowest_m"], said["worn.marks"], said["worn.share"], said["path_width_m"]) == (4, 1, 0.5, 3)
    assert (said["inputs_hash"], said["boundary.hash"], said["alternatives"]) == (
        form.key,
        form.place.edition_hash,
        "told",
    )


def test_what_was_not_looked_for_is_not_there_and_that_is_said(analyst: Client, demo_city: Place) -> None:
    link = link_on(analyst, PLACE)
    assert "paths" not in link
    tables = rows_by_sheet(analyst.get(link).content)
    assert [*tables] == ["place", "blocks", "by_layer", "codebook"]
    assert (said_in(tables)["alternatives"], said_in(tables)["cost_per_m"]) == ("not looked for", None)
    assert Run.objects.count() == 0, "to take a file away writes nothing"


def test_a_reader_who_keeps_nothing_takes_the_alternatives_shown(
    client_as: Callable[[str], Client], demo_city: Place
) -> None:
    viewer = client_as("viewer")
    page = viewer.post(PLACE, {"do": "paths"})["Location"].partition("#")[0]
    tables = rows_by_sheet(viewer.get(link_on(viewer, page)).content)
    found, _ = alternatives_find(form_of(demo_city), FormQuestion(narrowest_m=4.0))
    assert [{name: row[name] for name in PATHS} for row in tables["alternatives"]] == [
        {name: one[name] for name in PATHS} for one in found["alternatives"]
    ]
    assert {row["cost"] for row in tables["alternatives"]} == {None}
    assert Run.objects.count() == 0


def test_a_city_is_taken_away_with_what_was_not_measured_yet(analyst: Client, demo_city: Place) -> None:
    for code in ("s04", "s10"):
        analyst.post(CITY, {"place": code})
    runs = {run.parameters["place"]: run for run in Run.objects.filter(kind="blocks")}
    link = link_on(analyst, f"{CITY}?marks=3&share=40")
    answer = analyst.get(link)
    assert answer["Content-Disposition"] == 'attachment; filename="khorramabad-blocks.xlsx"'
    tables = rows_by_sheet(answer.content)
    assert [*tables] == ["places", "blocks", "codebook"]
    rule = WornRule(3, 0.4)
    order = re.findall(r"khorramabad/(s\d\d)/blocks/", analyst.get(CITY).content.decode())
    assert [row["place_code"] for row in tables["places"]] == order
    for row in tables["places"]:
        code = row["place_code"]
        blocks = [one for one in tables["blocks"] if one["place_code"] == code]
        if code in runs:
            check_blocks(blocks, runs[code].result, rule)
            check_place(row, runs[code].result, blocks, rule)
            assert (row["state"], row["run"], row["inputs_hash"]) == ("measured", runs[code].pk, runs[code].input_hash)
        else:
            figures = {
                name: value for name, value in row.items() if name not in ("place_code", "kind", "name_fa", "name_en")
            }
            assert {name for name, value in figures.items() if value is not None} == {"state"}
            assert (row["state"], blocks) == ("not measured yet", [])
    check_codebook(tables)
    said = said_in(tables)
    assert (said["places"], said["places.measured"], said["places.not_measured"]) == (10, 2, 8)
    assert (said["worn.marks"], said["worn.share"]) == (3, 0.4)
    # With another width nothing is measured yet; of all kinds there are more places.
    other = rows_by_sheet(analyst.get(f"{CITY}export?narrowest=6&kind=").content)
    assert (other["blocks"], {row["state"] for row in other["places"]}) == ([], {"not measured yet"})
    assert len(other["places"]) == 298


@pytest.mark.parametrize("query", ["narrowest=x", "width=0", "cost=nan", "marks=9", "share=101", "narrowest=%00"])
def test_questions_that_cannot_be_asked_are_refused_in_words(analyst: Client, demo_city: Place, query: str) -> None:
    for path in (f"{CITY}export", f"{PLACE}export"):
        answer = analyst.get(f"{path}?{query}")
        assert answer.status_code == 400
        assert "cannot be used here" in html.unescape(answer.content.decode())


def test_the_command_writes_the_same_workbook(demo_city: Place, tmp_path: Path) -> None:
    def command(**options: Any) -> str:
        said = io.StringIO()
        call_command("blocks", demo_city.code, narrowest_m="4", stdout=io.StringIO(), stderr=said, **options)
        return said.getvalue()

    file = tmp_path / "s04.xlsx"
    assert f"Wrote {file}." in command(place="s04", paths="least-homes", marks="1", xlsx=str(file))
    record = form_record(form_of(demo_city))
    tables = rows_by_sheet(file.read_bytes())
    check_blocks(tables["blocks"], record, WornRule(1))
    check_place(tables["place"][0], record, tables["blocks"], WornRule(1))
    (least,) = tables["alternatives"]
    assert (least["goal"], least["homes_without_access_after"]) == ("least-homes", 0)
    check_codebook(tables)
    assert [path.name for path in tmp_path.iterdir()] == ["s04.xlsx"]


@pytest.mark.parametrize(("name", "said"), [("nowhere/s04.xlsx", "There is no folder"), ("", "is a folder")])
def test_the_command_says_where_nothing_can_be_written(demo_city: Place, tmp_path: Path, name: str, said: str) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("blocks", demo_city.code, place="s04", xlsx=str(tmp_path / name), stdout=io.StringIO(), stderr=err)
    assert said in err.getvalue()
    assert list(tmp_path.iterdir()) == []
    assert Run.objects.count() == 0, "it is said before anything is measured"
