"""Pages of indices: parts that are asked for by themselves, publishing, the frozen page, workbooks, and what must not be told."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analysis.indices.computing import IndexQuestion
from analysis.indices.editions import index_publish
from analysis.models import IndexEdition, IndicatorValue
from geo.models import Place
from geo.querysets import system_user
from layers.models import Layer

pytestmark = pytest.mark.django_db
BUILDER = "/khorramabad/index/"
ASKED = "?kind=settlement&w-early-care=1&w-water-all-day=2&w-fire-station-uncovered-share=1&first=3&methods=1"
SENT = {"title_fa": "کرگانه نیازمندترین است", "title_en": "Karganeh comes first", "note": "The first one."}


def text_of(response: Any) -> str:
    """What a reader sees, without the pictures and the marks that keep names apart."""
    content = re.sub(r"<svg.*?</svg>", " ", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content)).replace("\u2068", "").replace("\u2069", "")


def published(city: Place, **other: Any) -> IndexEdition:
    question = IndexQuestion(
        weights={"early-care": 1.0, "water-all-day": 2.0, "fire-station-uncovered-share": 1.0},
        kinds=("settlement",), first=3, draws=300,
    )  # fmt: skip
    told: dict[str, Any] = {"title_fa": "یافته", "title_en": "Finding", "reversals_seen": True, **other}
    return index_publish(city=city, author=system_user(), question=question, **told)


def test_what_ranks_depend_on_and_where_need_lies_are_parts_of_the_page(analyst: Client) -> None:
    part = analyst.get(f"{BUILDER}{ASKED}&part=sensitivity")
    assert "<html" not in part.content.decode()
    text = text_of(part)
    assert "The ranks depend most on" in text
    assert "how scores are put together" in text
    whole = text_of(analyst.get(f"{BUILDER}{ASKED}&more=sensitivity"))
    assert "The ranks depend most on" in whole
    assert "Places by rank" in whole

    touching = analyst.get(
        f"{BUILDER}?kind=neighbourhood&w-clinic-uncovered-share=1&w-park-uncovered-share=1&part=pattern"
    )
    assert "Places of high need lie together" in text_of(touching)
    assert touching.content.decode().count('class="settlement') > 0
    assert "do not touch each other" in text_of(analyst.get(f"{BUILDER}{ASKED}&part=pattern"))
    certain = f"{BUILDER}?kind=settlement&w-park-uncovered-share=1&vary=0&first=3&part=sensitivity"
    assert "Nothing is drawn" in text_of(analyst.get(certain))
    refused = analyst.get(f"{BUILDER}?w-castle=1&part=pattern")
    assert refused.status_code == 400
    assert "castle" in text_of(refused)


def test_while_something_moves_fewer_rankings_are_drawn_of_many_places(analyst: Client) -> None:
    many = "?kind=neighbourhood&w-clinic-uncovered-share=1&first=3"
    moving = analyst.get(f"{BUILDER}{many}&part=live").content.decode()
    assert "data-few" in moving
    assert "1,388 rankings drawn" in moving
    at_rest = analyst.get(f"{BUILDER}{many}&part=result").content.decode()
    assert "data-few" not in at_rest
    assert "10,000 rankings drawn" in at_rest
    assert "data-few" not in analyst.get(f"{BUILDER}{ASKED}&part=live").content.decode()


def test_a_slider_costs_few_queries(analyst: Client) -> None:
    analyst.get(f"{BUILDER}{ASKED}&part=live")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert analyst.get(f"{BUILDER}{ASKED}&part=live").status_code == 200
    assert len(seen) <= 24, [one["sql"][:90] for one in seen]


def test_an_index_is_published_after_its_reversals_were_read(
    analyst: Client, client_as: Callable[[str], Client]
) -> None:
    address = f"/khorramabad/index/publish/{ASKED}"
    page = text_of(analyst.get(address))
    assert "1. Does the order hold?" in page
    assert "Without " in page
    refused = analyst.post(address, SENT)
    assert refused.status_code == 400
    assert "Read where the order does not hold" in text_of(refused)
    assert "Karganeh comes first" in refused.content.decode()
    assert analyst.post(address, {**SENT, "title_en": " ", "reversals_seen": "on"}).status_code == 400
    assert not IndexEdition.objects.exists()
    answer = analyst.post(address, {**SENT, "reversals_seen": "on"})
    assert (answer.status_code, answer["Location"]) == (302, "/khorramabad/index/editions/1/")

    public = client_as("anonymous")
    public.cookies["django_language"] = "en"
    shown = text_of(public.get("/khorramabad/index/editions/1/"))
    for words in ("Karganeh comes first", "Edition 1, published on", "The first one.", "By the values of earlier dates",
                  "Does the order hold?", "Codebook", "Values that tell of fewer than 10 people are withheld"):  # fmt: skip
        assert words in shown
    assert "Withdraw this index" not in shown
    assert "Karganeh comes first" in text_of(public.get("/khorramabad/index/editions/"))
    with CaptureQueriesContext(connection) as seen:
        public.get("/khorramabad/index/editions/1/")
    assert len(seen) <= 10, [one["sql"][:90] for one in seen]
    made = IndexEdition.objects.get()
    assert made.author.username == "test-analyst"
    assert made.question["first"] == 3


def test_a_published_index_is_never_worked_out_again(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    published(demo_city)
    public = client_as("anonymous")
    before = text_of(public.get("/khorramabad/index/editions/1/"))
    IndicatorValue.objects.filter(indicator__code="early-care").update(value=1.0)
    Layer.objects.filter(city=demo_city, code="fire-station").update(visibility="assigned")
    assert text_of(public.get("/khorramabad/index/editions/1/")) == before


def test_nothing_withheld_is_on_the_page_or_in_the_workbook(
    demo_city: Place, analyst: Client, client_as: Callable[[str], Client]
) -> None:
    made = published(demo_city)
    withheld = [place for place in made.document["places"] if place["withheld"]]
    assert withheld
    run = {row["code"]: row for row in made.run.result["places"]}
    with zipfile.ZipFile(
        io.BytesIO(client_as("anonymous").get("/khorramabad/index/editions/1/export").content)
    ) as book:
        public = "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)
    with zipfile.ZipFile(io.BytesIO(analyst.get(f"/khorramabad/index/export{ASKED}").content)) as book:
        whole = "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)
    for place in withheld:
        for code in place["withheld"]:
            value, score = run[place["code"]]["values"][code], run[place["code"]]["scores"][code]
            assert f"<v>{value!r}</v>" in whole
            for secret in (value, score, run[place["code"]]["score"]):
                assert f"<v>{secret!r}</v>" not in public
    assert "withheld" in public


def test_a_withdrawn_index_tells_the_public_its_reason_alone(
    demo_city: Place, client_as: Callable[[str], Client]
) -> None:
    published(demo_city)
    analyst, public, viewer = (client_as(name) for name in ("analyst", "anonymous", "viewer"))
    for client in (analyst, public, viewer):
        client.cookies["django_language"] = "en"
    address = "/khorramabad/index/editions/1/"
    assert viewer.post(f"{address}withdraw", {"reason": "No"}).status_code == 403
    refused = analyst.post(f"{address}withdraw", {"reason": " "})
    assert refused.status_code == 400
    assert "A reason is missing." in text_of(refused)
    assert analyst.post(f"{address}withdraw", {"reason": "A survey\x00 was wrong."}).status_code == 302
    gone = public.get(address)
    assert gone.status_code == 410
    assert "A survey was wrong." in text_of(gone)
    assert "Finding" not in text_of(gone)
    assert "No index of priority has been published yet" in text_of(public.get("/khorramabad/index/editions/"))
    assert "Withdrawn on" in text_of(viewer.get(address))
    assert analyst.post(f"{address}withdraw", {"reason": "Again"}).status_code == 409


def test_persian_pages_have_persian_digits_alone(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    published(demo_city)
    published(demo_city, note="دوم")
    client = client_as("anonymous")
    client.cookies["django_language"] = "fa"
    for address in ("/khorramabad/index/editions/", "/khorramabad/index/editions/2/"):
        content = re.sub(r"<(script|style|code)\b.*?</\1>", "", client.get(address).content.decode(), flags=re.S)
        content = re.sub(r'<dd class="code".*?</dd>|<footer.*', "", content.split("<main", 1)[1], flags=re.S)
        # Names of layers and of their sources are as they were entered.
        content = re.sub(r"<bdi>.*?</bdi>", "", content, flags=re.S)
        seen = re.sub(r"<[^>]+>", " ", content)
        assert not re.search(r"(?<![A-Za-z0-9.+-])[0-9]", seen.replace("XLSX", "")), re.findall(
            r".{20}[0-9].{20}", seen
        )


@pytest.mark.parametrize(
    "query", ["?first=0", "?vary=7", "?kind=castle", "?w-early-care=x", "?w-early-care=0", "?aggregation=x", "?w-=1"]
)
def test_what_cannot_be_asked_is_refused_in_words_everywhere(analyst: Client, query: str) -> None:
    for address in (BUILDER, f"{BUILDER}export", f"{BUILDER}publish/"):
        answer = analyst.get(f"{address}{query}")
        assert answer.status_code == 400, address
        assert 'role="alert"' in answer.content.decode()
    for part in ("live", "result", "sensitivity", "pattern"):
        assert analyst.get(f"{BUILDER}{query}&part={part}").status_code == 400
