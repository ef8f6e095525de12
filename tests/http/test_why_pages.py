"""Why a place stands where it does: the page says what the analysis found, and what it tries really moves the place."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils.translation import override

from analysis.core.ranking import ranks_of_many, scores_of_many
from analysis.indices.computing import CityIndex, IndexQuestion, index_compute
from analysis.indices.explanations import place_explain, place_moves
from analysis.models import IndicatorValue
from geo.models import Boundary, Place
from maps.pages import formats

pytestmark = pytest.mark.django_db

CITY = "/khorramabad"
TAG = re.compile(r"<[^>]+>")


def words(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", TAG.sub(" ", page))).replace("\u2068", "").replace("\u2069", "")


def section(page: str, name: str) -> str:
    found = re.search(rf'<section [^>]*id="{name}".*?</section>', page, re.DOTALL)
    assert found, name
    return found[0]


def page_of(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    return response.content.decode()


def ranked(city: Place, personas: dict[str, Any], **asked: Any) -> tuple[CityIndex, list[str]]:
    """An index of the settlements, and their codes by rank."""
    question = IndexQuestion(kinds=("settlement",), first=3, **asked)
    result = index_compute(city=city, user=personas["analyst"], question=question)
    order = result.priority.rank.argsort(kind="stable")
    return result, [result.matrix.places[i].code for i in order]


def test_the_page_says_what_the_index_found(demo_city: Place, analyst: Client, personas: dict[str, Any]) -> None:
    result, order = ranked(demo_city, personas)
    for code in (order[0], order[3], order[-1]):
        page = page_of(analyst, f"{CITY}/{code}/why/")
        row = [place.code for place in result.matrix.places].index(code)
        said = words(page)
        assert f"ranks {result.priority.rank[row]} of 10" in said
        low, high = result.uncertainty.low_rank[row], result.uncertainty.high_rank[row]
        assert (f"between {low} and {high} in 90% of rankings" in said) or (low == high and "keeps its rank" in said)
        parts = section(page, "parts")
        for k, one in enumerate(result.matrix.indicators):
            cells = re.search(
                rf">{re.escape(one.name_en if not one.service else one.short_en)}</span>.*?</tr>", parts, re.DOTALL
            )
            assert cells, one.code
            with override("en"):
                points = formats.number(float(result.priority.contributions[row, k]), "en", 1)
            assert f"<b>{points}</b>" in cells[0], one.code
        explained = place_explain(result=result, code=code, user=personas["analyst"])
        for other in (explained.standing.above, explained.standing.below):
            if other is not None:
                assert result.matrix.places[other.place].name_en in words(section(page, "neighbours"))
        assert ("No place stands above it." in said) == (explained.standing.above is None)


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "topsis"])
@pytest.mark.parametrize("at", [2, 3])
def test_what_is_tried_takes_the_place_across_the_line(
    demo_city: Place, analyst: Client, personas: dict[str, Any], aggregation: str, at: int
) -> None:
    result, order = ranked(demo_city, personas, aggregation=aggregation)
    code = order[at]
    before = int(result.priority.rank[[place.code for place in result.matrix.places].index(code)])
    query = f"kind=settlement&aggregation={aggregation}&methods=1&first=3"
    part = page_of(analyst, f"{CITY}/{code}/why/?{query}&part=moves")
    assert "<html" not in part
    link = re.search(r'class="button try-it" href="([^"#]+)#rank-(\w+)"', part)
    assert link
    assert link[2] == code
    tried = page_of(analyst, html.unescape(link[1]))
    row = re.search(rf'<tr id="rank-{code}"><td class="num rank">(\d+)', tried)
    assert row
    assert (int(row[1]) <= 3) == (before > 3)
    assert f"aggregation={aggregation}" in link[1]


def test_the_smallest_changes_are_those_of_the_analysis(
    demo_city: Place, analyst: Client, personas: dict[str, Any]
) -> None:
    result, order = ranked(demo_city, personas)
    moves = place_moves(result=result, code=order[3])
    change = moves.weight.change
    assert change.weights is not None
    assert change.is_proven
    with_these = ranks_of_many(scores_of_many(result.scores, change.weights[None], "arithmetic"))[0]
    row = [place.code for place in result.matrix.places].index(order[3])
    assert with_these[row] <= 3
    part = words(page_of(analyst, f"{CITY}/{order[3]}/why/?part=moves"))
    assert "No smaller change of weights does it: that is proven." in part
    best = moves.values[0]
    assert best.people is not None
    assert "fewer people lived within" in part
    # The page can do without script.
    page = page_of(analyst, f"{CITY}/{order[3]}/why/?moves=1")
    assert "that is proven" in words(section(page, "moves"))
    assert "moves.js" not in page


def test_the_ranking_leads_to_it_with_the_same_question(demo_city: Place, analyst: Client) -> None:
    query = "kind=settlement&w-early-care=2&w-water-all-day=1&aggregation=geometric&vary=0.1&first=2"
    ranking = page_of(analyst, f"{CITY}/index/?{query}&part=result")
    links = re.findall(r'href="(/khorramabad/s\d+/why/[^"]+)"', ranking)
    assert len(links) == 10
    page = page_of(analyst, html.unescape(links[0]))
    assert "part=result" not in links[0]
    assert "first 2" in words(section(page, "moves"))
    assert len(re.findall('<th scope="row"><span title=', section(page, "parts"))) == 2
    back = re.search(r'href="(/khorramabad/index/\?[^"#]+)#rank-', page)
    assert back
    again = page_of(analyst, html.unescape(back[1]))
    assert re.findall(r'<tr id="rank-(s\d+)"', again) == [link.split("/")[2] for link in links]


def test_a_missing_value_is_shown_and_lowers_what_is_known(demo_city: Place, analyst: Client) -> None:
    place = Place.objects.get(path__startswith=demo_city.path, code="s06")
    IndicatorValue.objects.filter(place=place, indicator__code="early-care").delete()
    page = page_of(analyst, f"{CITY}/s06/why/?kind=settlement&w-early-care=1&w-water-all-day=3&first=3")
    said = words(page)
    assert "Nothing is known here of: care in the first three months of pregnancy." in said
    assert "missing" in words(section(page, "parts"))
    assert "75% of the weight is measured here" in re.sub(
        r"of the weight is measured here 75%", "75% of the weight is measured here", said
    )
    part = words(
        page_of(analyst, f"{CITY}/s06/why/?kind=settlement&w-early-care=1&w-water-all-day=3&first=3&part=moves")
    )
    assert "1 has no value here." in part


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("?kind=neighbourhood", 404, "is not ranked here"),
        ("?w-castle=1", 400, "has no values of an indicator"),
        ("?w-early-care=0", 400, "All weights are zero."),
        ("?first=0", 400, "first"),
        ("?aggregation=castle", 400, "castle"),
        ("?w-disabled-unsupported=1", 400, "has no goalposts"),
    ],
)
def test_what_cannot_be_answered_is_said(demo_city: Place, analyst: Client, query: str, status: int, said: str) -> None:
    page = page_of(analyst, f"{CITY}/s06/why/{query}", status)
    assert said in words(page)
    assert "/khorramabad/s06/why/" in page
    part = page_of(analyst, f"{CITY}/s06/why/{query}&part=moves", status)
    assert "<html" not in part
    assert 'role="alert"' in part


def test_one_indicator_or_a_line_after_all_places_leave_nothing_to_move(demo_city: Place, analyst: Client) -> None:
    part = words(page_of(analyst, f"{CITY}/s06/why/?kind=settlement&w-early-care=1&first=3&part=moves"))
    assert "There is only one indicator: its weight cannot be moved to another." in part
    assert "Try it" not in part
    all_in = page_of(analyst, f"{CITY}/s06/why/?first=10&moves=1")
    assert "All places are among the first 10: there is no line to cross." in words(section(all_in, "moves"))
    assert "there is no line between them" in words(section(all_in, "near"))


def test_who_stands_on_the_edge_and_who_cannot_be_moved_is_told(demo_city: Place, analyst: Client) -> None:
    ranking = page_of(analyst, f"{CITY}/index/?w-early-care=1&w-water-all-day=1&first=1&part=result")
    for code in re.findall(r'<tr id="rank-(s\d+)"', ranking):
        part = words(page_of(analyst, f"{CITY}/{code}/why/?w-early-care=1&w-water-all-day=1&first=1&part=moves"))
        assert (
            ("if “" in part) or ("Whatever the weights" in part) or ("at most make" in part) or ("on the edge" in part)
        ), code
    assert "Half counts" not in part
    vikor = words(page_of(analyst, f"{CITY}/s06/why/?aggregation=vikor&moves=1"))
    assert "does not divide its score among indicators" in vikor


def test_one_place_alone_has_nothing_to_be_compared_with(demo_city: Place, analyst: Client) -> None:
    settlements = Boundary.objects.filter(place__path__startswith=demo_city.path, place__kind="settlement")
    settlements.exclude(place__code="s06").update(status="withdrawn")
    page = page_of(analyst, f"{CITY}/s06/why/?moves=1")
    assert "is the only place that is ranked" in words(page)
    assert "nan" not in words(page).lower().split()
    assert "No place stands below it." in words(section(page, "neighbours"))


def test_it_is_for_people_of_the_city(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    assert client_as("planner_elsewhere").get(f"{CITY}/s06/why/").status_code == 403
    anonymous = client_as("anonymous").get(f"{CITY}/s06/why/")
    assert anonymous.status_code == 302
    for name in ("viewer", "planner"):
        assert client_as(name).get(f"{CITY}/s06/why/?part=moves").status_code == 200
    link = f'href="{CITY}/s06/why/"'
    assert link in page_of(client_as("viewer"), f"{CITY}/s06/")
    assert link not in page_of(client_as("anonymous"), f"{CITY}/s06/")


def test_neighbourhoods_have_neighbours_and_persian_digits(
    demo_city: Place, client_as: Callable[[str], Client]
) -> None:
    reader = client_as("analyst")
    reader.cookies["django_language"] = "fa"
    place = Place.objects.filter(path__startswith=demo_city.path, kind="neighbourhood").order_by("code").first()
    assert place is not None
    page = page_of(reader, f"{CITY}/{place.code}/why/?first=10&moves=1")
    cells = re.findall(r'<td class="num.*?</td>|<dd>.*?</dd>', page, re.DOTALL)
    assert len(cells) > 40
    assert [cell for cell in cells if re.search("[0-9]", words(cell))] == []
    assert re.search("[۰-۹]", words(section(page, "near")))
