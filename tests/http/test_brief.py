"""A place on paper: the PDF itself, what it says in both languages, to whom, and that printing fetches nothing."""

from __future__ import annotations

import html
import logging
import re
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.contrib.gis.geos import MultiPolygon, Polygon
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client, RequestFactory
from django.utils import timezone
from django.utils.translation import gettext, override

from analysis.core.index import competition_rank
from analysis.indices.computing import IndexQuestion, index_compute
from analysis.indices.editions import index_publish
from analysis.models import IndexEdition
from analysis.services import coverage_compute, priority_compute
from geo.models import Boundary, Place
from interventions.models import Action, Need
from interventions.selectors import NamedRow, SectorSummary, needs_summary
from interventions.selectors.actions import action_marks
from layers.models import Layer
from maps.pages import formats
from maps.reports import brief, printing, views
from maps.reports.doing import MAX_ACTIONS, ActionLine
from maps.reports.standing import MOST_PARTS

pytestmark = pytest.mark.django_db

As = Callable[[str], Client]
SETTLEMENT = "s06"
TAG = re.compile(r"<[^>]+>")
HOSTILE = "</title></svg><script>alert(1)</script><img src=http://evil.test/x.png>\"' & {{ 7 }}"


def ask(client: Client, path: str = f"/khorramabad/{SETTLEMENT}/brief.pdf", language: str = "fa") -> Any:
    client.cookies["django_language"] = language
    return client.get(path)


def page_of(place: Place, user: Any, language: str = "fa", **query: str) -> str:
    """The page that is printed for a reader."""
    request = RequestFactory().get("/", query)
    request.user = user
    city = Place.objects.get(kind="city", code=place.path.split("/")[3])
    with override(language):
        return printing.brief_html(views.brief_read(request, city, place))


def text_of(page: str) -> str:
    """The words of a page, without its head and drawings."""
    body = re.sub(r"<svg.*?</svg>", " ", page.partition("<body>")[2], flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(TAG.sub(" ", body))).replace("\u2068", "").replace("\u2069", "")


def in_persian(message: str) -> str:
    """The Persian of a message of the catalogue."""
    with override("fa"):
        said = gettext(message)
    assert said != message
    return said


def row_of(page: str, name: str) -> list[str]:
    """The cells of the table's row with this heading."""
    found = re.search(rf'<th scope="row">{re.escape(name)}</th>(.*?)</tr>', page, flags=re.DOTALL)
    assert found, name
    return [text_of(f"<body>{cell}").strip() for cell in re.findall(r"<td.*?</td>", found.group(1), flags=re.DOTALL)]


def unpacked(pdf: bytes) -> bytes:
    """All of a PDF's streams, decompressed, one after the other."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL):
        try:
            found.append(zlib.decompress(stream))
        except zlib.error:
            found.append(stream)
    return pdf + b"\n".join(found)


@pytest.fixture
def settlement(demo_city: Place) -> Place:
    return Place.objects.get(path__startswith=demo_city.path, code=SETTLEMENT)


# ---- the PDF


@pytest.mark.parametrize("language", ["fa", "en"])
def test_anybody_gets_a_pdf_of_two_pages_with_its_fonts_inside(
    settlement: Place, client_as: As, personas: dict[str, Any], language: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        response = ask(client_as("anonymous"), language=language)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response.content.startswith(b"%PDF-1.")
    assert [r for r in caplog.records if r.name.startswith(("weasyprint", "mahalleh", "fontTools"))] == []
    inside = unpacked(response.content)
    fonts = set(re.findall(rb"/BaseFont\s*/\w{6}\+([\w-]+)", inside))
    assert {name.split(b"-")[0] for name in fonts} == {b"Vazirmatn"}
    assert inside.count(b"/FontFile2") == len(fonts) == 2
    assert f"/Lang ({language})".encode() in inside
    assert response["Content-Language"] == language
    for who in ("anonymous", "analyst"):
        assert len(printing.document_of(page_of(settlement, personas[who], language)).pages) == 2, who
    assert len(response.content) < 120_000


def test_the_sheet_is_a4_upright(settlement: Place, personas: dict[str, Any]) -> None:
    sheets = printing.document_of(page_of(settlement, personas["anonymous"])).pages
    assert [(round(each.width * 25.4 / 96), round(each.height * 25.4 / 96)) for each in sheets] == [(210, 297)] * 2


def test_the_file_is_shown_and_has_a_name_to_keep_it_by(settlement: Place, client_as: As) -> None:
    header = ask(client_as("anonymous"))["Content-Disposition"]
    assert header.startswith("inline; filename=\"khorramabad-s06.pdf\"; filename*=UTF-8''")
    assert unquote(header.partition("UTF-8''")[2]) == "خرم‌آباد - فلک‌الدین.pdf"
    Place.objects.filter(pk=settlement.pk).update(name_en='../a\u202e"\r\nX-Evil: 1;')
    header = ask(client_as("anonymous"), language="en")["Content-Disposition"]
    assert unquote(header.partition("UTF-8''")[2]) == "Khorramabad - .. a X-Evil 1.pdf"


def test_what_the_reader_has_already_is_not_printed_again(settlement: Place, client_as: As) -> None:
    anybody, planner = client_as("anonymous"), client_as("planner")
    first, inside = ask(anybody), ask(planner)
    assert first["Cache-Control"] == "public, no-cache"
    assert inside["Cache-Control"] == "private, no-cache"
    assert "Cookie" in first["Vary"]
    again = anybody.get(f"/khorramabad/{SETTLEMENT}/brief.pdf", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert len({first["ETag"], inside["ETag"], ask(anybody, language="en")["ETag"]}) == 3
    Place.objects.filter(pk=settlement.pk).update(name_fa="فلک‌الدین نو")
    changed = anybody.get(f"/khorramabad/{SETTLEMENT}/brief.pdf", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_the_same_page_gives_the_same_bytes(settlement: Place, personas: dict[str, Any]) -> None:
    page = page_of(settlement, personas["anonymous"])
    assert len({printing.document_of(page).write_pdf(pdf_tags=True) for _ in range(2)}) == 1


def test_posting_is_refused(settlement: Place, client_as: As) -> None:
    assert client_as("planner").post(f"/khorramabad/{SETTLEMENT}/brief.pdf").status_code == 405


def test_every_settlement_has_two_sheets_for_its_own_people(demo_city: Place, personas: dict[str, Any]) -> None:
    places = Place.objects.filter(path__startswith=demo_city.path, kind="settlement").order_by("code")[::3]
    assert len(places) == 4
    for place, language in zip(places, ("fa", "en", "fa", "en"), strict=True):
        page = page_of(place, personas["analyst"], language)
        assert len(printing.document_of(page).pages) == 2, place.code
        said = text_of(page)
        assert ("90%" in said) == (language == "en")
        assert ("۹۰٪" in said) == (language == "fa")


def test_the_second_sheet_says_what_the_index_says(settlement: Place, personas: dict[str, Any]) -> None:
    question = IndexQuestion(first=3, kinds=("settlement",))
    city = Place.objects.get(kind="city", code="khorramabad")
    result = index_compute(city=city, user=personas["analyst"], question=question)
    row = [place.code for place in result.matrix.places].index(SETTLEMENT)
    sure = result.uncertainty
    said = text_of(page_of(settlement, personas["analyst"], "en"))
    assert f"ranks {result.priority.rank[row]} of 10" in said
    assert f"{sure.low_rank[row]} to {sure.high_rank[row]} in 90% of rankings" in said
    assert "What would move it across the line of the first 3" in said
    most = int(result.priority.contributions[row].argmax())
    points = formats.number(float(result.priority.contributions[row, most]), "en", 1)
    assert row_of(page_of(settlement, personas["analyst"], "en"), result.matrix.indicators[most].short_en)[1] == points
    # Nothing of it is told to the public while no index is published, and then what was published.
    IndexEdition.objects.update(withdrawn_at=timezone.now(), withdrawn_reason="trial")
    public = text_of(page_of(settlement, personas["anonymous"], "en"))
    assert "in 90% of rankings" not in public
    assert "What is being done" in public
    index_publish(
        city=city,
        author=personas["analyst"],
        question=question,
        title_fa="رتبه‌ها",
        title_en="Ranks",
        reversals_seen=True,
    )
    public = text_of(page_of(settlement, personas["anonymous"], "en"))
    assert "in 90% of rankings" in public
    assert "Published index" in public


def test_actions_are_told_to_whom_they_are_shown(settlement: Place, personas: dict[str, Any]) -> None:
    for who in ("anonymous", "supervisor"):
        said = text_of(page_of(settlement, personas[who], "en"))
        seen = action_marks(settlement, personas[who], timezone.localdate())
        assert seen
        with override("en"):
            assert [each.title for each in seen[:MAX_ACTIONS] if each.title[:50] not in said] == []
    every = Action.objects.filter(place__path__startswith=settlement.path)
    every.update(is_public=False)
    said = text_of(page_of(settlement, personas["anonymous"], "en"))
    assert every.exists()
    assert not any(each.title_en in said for each in every)
    assert "No action is told of here yet." in said


def test_a_place_with_very_much_to_say_fits_two_pages(demo_city: Place, personas: dict[str, Any]) -> None:
    place = Place.objects.get(path__startswith=demo_city.path, code=SETTLEMENT)
    request = RequestFactory().get("/")
    request.user = personas["analyst"]
    name = "شهرک بزرگ شهید دکتر محمدرضا حسینی کوهدشتی " * 3
    with override("fa"):
        shown = views.brief_read(request, demo_city, place)
        reason = shown.view.reasons[0]
        many = [
            replace(
                reason, name=f"خدمت شمارهٔ {k}", standard_source=f"{k} {'منبع ' * 100}", source=f"{k} {'source ' * 60}"
            )
            for k in range(40)
        ]
        rows, sources = brief.reason_rows(many)
        needs = tuple(
            replace(brief.need_row(SectorSummary(NamedRow("x", "حوزه " * 6, "x"), 99, 98, 12_345, 5, 90), "fa"))
            for _ in range(12)
        )
        assert shown.standing is not None
        part = shown.standing.parts[0]
        standing = replace(
            shown.standing,
            finding=name * 2,
            parts=(replace(part, name="شاخص " * 8),) * MOST_PARTS,
            parts_rest="شاخص " * 15,
            why="شاخص " * 30,
            moves=("اگر شاخص بیشتر به شمار می‌آمد " * 8,) * 2,
            beside=("همسایه‌ها در رتبه " * 10,) * 4,
        )
        action = ActionLine(
            "اقدام " * 10, "دستگاه " * 5, "در دست اجرا، ۵۰٪، عقب‌افتاده", "۱۴۰۴/۰۱/۰۱ تا ۱۴۰۵/۰۱/۰۱", True
        )
        full = replace(
            shown,
            standing=standing,
            actions=(action,) * MAX_ACTIONS,
            actions_rest="اقدام " * 12,
            headline=name * 2,
            view=replace(shown.view, name=name),
            reasons=rows,
            sources=sources,
            has_more_sources=True,
            needs=needs,
        )
        page = printing.brief_html(full)
    assert (len(rows), len(sources)) == (brief.MAX_REASONS, brief.MAX_SOURCES)
    assert {mark for row in rows for mark in (row.limit_mark, row.data_mark)} == {
        "",
        *(source.mark for source in sources),
    }
    assert in_persian("Further sources stand on the page of the place.") in page
    assert len(printing.document_of(page).pages) == 2


# ---- what it says


@pytest.mark.parametrize("language", ["fa", "en"])
def test_it_says_what_the_analysis_says(settlement: Place, personas: dict[str, Any], language: str) -> None:
    user = personas["analyst"]
    city = Place.objects.get(kind="city", code="khorramabad")
    result = priority_compute(city=city, user=user)
    row = result.coverage.place_index(SETTLEMENT)
    assert row is not None
    page = page_of(settlement, user, language)
    words = text_of(page)
    rank = competition_rank(result.priority.score)[row]
    with override(language):
        place = settlement.name
        assert formats.number(result.coverage.values.population[row], language) in words
        assert f"{formats.number(rank, language)} " in words
        assert formats.number(result.priority.score[row], language, 1) in words
        assert place in words
        for k, service in enumerate(result.coverage.services):
            points, size, covered, uncovered, distance, limit, weight, data = row_of(page, service.name)
            assert size == ""
            assert points == formats.number(result.priority.contributions[row, k], language, 1)
            assert covered == formats.percent(result.coverage.values.population_share[row, k], language)
            assert uncovered == formats.number(result.coverage.values.uncovered_people[row, k], language)
            assert distance == formats.distance(result.coverage.values.mean_distance_m[row, k], language)
            assert limit.startswith(formats.distance(service.threshold_m, language))
            assert weight == formats.number(service.weight, language, 0 if service.weight == int(service.weight) else 1)
            assert formats.day(service.reference_date, language) in data
            assert service.standard_source_text in words
        assert formats.day(timezone.localdate(), language) in words


def test_every_row_leads_to_its_sources(settlement: Place, personas: dict[str, Any]) -> None:
    request = RequestFactory().get("/")
    request.user = personas["anonymous"]
    with override("en"):
        shown = views.brief_read(request, Place.objects.get(kind="city", code="khorramabad"), settlement)
    listed = {source.mark: source for source in shown.sources}
    assert len(listed) == len(shown.sources) == len({source.text for source in shown.sources})
    for row in shown.reasons:
        assert listed[row.limit_mark].text == row.reason.standard_source
        assert listed[row.limit_mark].is_verified is row.reason.is_verified
        assert listed[row.data_mark].text == row.reason.source


def test_persian_is_persian_throughout(settlement: Place, client_as: As, personas: dict[str, Any]) -> None:
    page = page_of(settlement, personas["anonymous"])
    assert '<html lang="fa" dir="rtl">' in page
    own = re.sub(r'<li dir="ltr">.*?</li>|<td dir="ltr">.*?</td>|<a .*?</a>', " ", page, flags=re.DOTALL)
    words = re.sub("Illustrative data, invented for the demonstration", " ", text_of(own))
    assert re.findall(r"[0-9]", words) == []
    assert re.findall(r"[A-Za-z]+", words) == []
    assert in_persian("Brief of an informal settlement") in words
    assert "ي" not in words
    assert "ك" not in words
    assert "فلک‌الدین" in words


def test_english_is_english_throughout(settlement: Place, personas: dict[str, Any]) -> None:
    page = page_of(settlement, personas["anonymous"], "en")
    assert '<html lang="en" dir="ltr">' in page
    assert re.findall("[\u0600-\u06ff]+", text_of(page)) == []
    assert "Brief of an informal settlement" in text_of(page)


def test_the_map_shows_every_place_marks_this_one_and_has_a_scale_and_north(
    settlement: Place, personas: dict[str, Any]
) -> None:
    request = RequestFactory().get("/")
    request.user = personas["anonymous"]
    city = Place.objects.get(kind="city", code="khorramabad")
    with override("en"):
        shown = views.brief_read(request, city, settlement)
        page = printing.brief_html(shown)
    drawn = page.partition('<figure class="locator"')[2].partition("</figure>")[0]
    covered = coverage_compute(city=city, user=personas["anonymous"])
    settlements = sum(place.kind == "settlement" for place in covered.places)
    assert settlements == 10
    assert (
        drawn.count("<path d=") == len(covered.places) + 2 * settlements + 2 + 1
    )  # three a settlement, the mark's two, the arrow
    assert drawn.count(f'd="{shown.locator.here.d}"') == 5
    assert "<circle" in drawn
    assert re.search(r"\d km", text_of(f"<body>{drawn}"))
    assert "N" in text_of(f"<body>{drawn}")
    scale_m = float(shown.locator.scale_text.split()[0]) * 1000
    width_m = shown.locator.drawing.metres_per_unit * float(shown.locator.view_box.split()[2])
    assert shown.locator.scale_mm / shown.locator.width_mm == pytest.approx(scale_m / width_m, rel=0.01)


def test_the_boundary_is_the_edition_in_force_not_a_later_draft(settlement: Place, personas: dict[str, Any]) -> None:
    shape = MultiPolygon(Polygon.from_bbox((48.35, 33.48, 48.351, 33.481)), srid=4326)
    Boundary.objects.create(
        place=settlement,
        geometry=shape,
        valid=DateRange(date(2026, 1, 1), None),
        status="draft",
        source="a draft",
        version=2,
    )
    page = page_of(settlement, personas["planner"], "en")
    assert "a draft" not in page
    facts = text_of(page.partition('<table class="facts">')[2].partition("</table>")[0].join(["<body>", ""]))
    assert "modelled · approved" in facts
    assert "23 September 2025" in facts


def test_it_is_illustrative_where_the_city_is(settlement: Place, personas: dict[str, Any]) -> None:
    english = "Illustrative data, not official boundaries"
    for language, words in (("fa", in_persian(english)), ("en", english)):
        page = page_of(settlement, personas["anonymous"], language)
        assert words in text_of(page.partition("<header>")[2].partition("</header>")[0].join(["<body>", ""]))


def test_the_real_city_is_printed_too(sao_vicente: Place, client_as: As, personas: dict[str, Any]) -> None:
    place = Place.objects.filter(path__startswith=sao_vicente.path, kind="settlement").order_by("path").first()
    assert place is not None
    response = ask(client_as("anonymous"), f"/sao-vicente/{place.code}/brief.pdf")
    assert response.content.startswith(b"%PDF-")
    page = page_of(place, personas["anonymous"], "en")
    assert "Illustrative" not in text_of(page)
    assert place.name_en in text_of(page)
    assert len(printing.document_of(page).pages) == 2


def test_limits_and_weights_of_the_readers_own_are_printed_and_said(
    settlement: Place, client_as: As, personas: dict[str, Any]
) -> None:
    page = page_of(
        settlement, personas["anonymous"], "en", **{"threshold-clinic": "1200", "weight-park": "4", "service": "park"}
    )
    assert row_of(page, "Clinic")[5].startswith("1.2 km")
    assert row_of(page, "Park")[6] == "4"
    assert "Computed with limits and weights of the reader's own." in text_of(page)
    assert "nearest park" in text_of(page.partition('<div class="curve">')[2].join(["<body>", ""]))
    assert f"/khorramabad/{SETTLEMENT}/?service=park&amp;threshold-clinic=1200&amp;weight-park=4" in page
    assert "reader's own" not in text_of(page_of(settlement, personas["anonymous"], "en"))
    anybody = client_as("anonymous")
    assert ask(anybody, f"/khorramabad/{SETTLEMENT}/brief.pdf?threshold-clinic=none").status_code == 400
    assert ask(anybody, f"/khorramabad/{SETTLEMENT}/brief.pdf?service=casino").status_code == 404


def test_the_geometric_mean_and_the_scale_of_the_city_are_said(settlement: Place, personas: dict[str, Any]) -> None:
    words = text_of(page_of(settlement, personas["anonymous"], "en", aggregation="geometric", normalisation="min-max"))
    assert "weighted geometric mean" in words
    assert "least and the greatest of the city" in words
    assert "times its weight" not in words
    assert "times its weight" in text_of(page_of(settlement, personas["anonymous"], "en"))
    assert "geometric" not in text_of(page_of(settlement, personas["anonymous"], "en"))


def test_a_place_where_nobody_lives_is_printed_without_a_score(
    demo_city: Place, client_as: As, personas: dict[str, Any]
) -> None:
    empty = Place.objects.create(
        kind="neighbourhood",
        code="on-the-ridge",
        parent=demo_city,
        name_fa="بالای کوه",
        name_en="On the ridge",
        is_published=True,
    )
    shape = MultiPolygon(Polygon.from_bbox((48.45, 33.55, 48.452, 33.552)), srid=4326)
    Boundary.objects.create(
        place=empty, geometry=shape, valid=DateRange(date(2025, 1, 1), None), status="approved", source="test"
    )
    for language, headline, no_score in (
        (
            "fa",
            in_persian("No residents are counted in %(place)s.") % {"place": "بالای کوه"},
            in_persian("This place has no score."),
        ),
        ("en", "No residents are counted in On the ridge.", "This place has no score."),
    ):
        page = page_of(empty, personas["anonymous"], language)
        assert no_score in text_of(page)
        assert '<div class="curve">' not in page
        assert headline in text_of(page)
        assert len(printing.document_of(page).pages) == 2
    assert ask(client_as("anonymous"), "/khorramabad/on-the-ridge/brief.pdf").content.startswith(b"%PDF-")


# ---- needs


def test_needs_are_counts_only_and_people_are_at_least(settlement: Place, personas: dict[str, Any]) -> None:
    page = page_of(settlement, personas["anonymous"], "en")
    summary = needs_summary(settlement, personas["anonymous"])
    assert summary
    assert "People affected, at least" in text_of(page)
    for each in summary:
        with override("en"):
            assert row_of(page, each.sector.name) == [
                str(each.needs),
                str(each.confirmed),
                f"{each.people_affected:,}",
                str(each.proposals),
            ]
    for need in Need.objects.filter(place=settlement):
        for text in filter(None, (need.text_fa, need.text_en)):
            assert html.escape(text) not in page
            assert text not in page


def test_few_people_in_need_are_told_to_those_with_a_role_alone(demo_city: Place, personas: dict[str, Any]) -> None:
    place = Place.objects.get(path__startswith=demo_city.path, code="s04")
    withheld = [each for each in needs_summary(place, personas["anonymous"]) if each.people_affected is None]
    exact = {each.sector.code: each.people_affected for each in needs_summary(place, personas["supervisor"])}
    assert len(withheld) == 1
    people = exact[withheld[0].sector.code]
    assert people is not None
    assert 0 < people < 10
    assert row_of(page_of(place, personas["anonymous"], "en"), withheld[0].sector.name_en)[2] == "withheld"
    assert row_of(page_of(place, personas["supervisor"], "en"), withheld[0].sector.name_en)[2] == str(people)


def test_a_place_without_needs_says_so(demo_city: Place, personas: dict[str, Any]) -> None:
    place = Place.objects.filter(parent__path__startswith=demo_city.path, kind="neighbourhood").first()
    assert place is not None
    assert "No needs have been reported here yet." in text_of(page_of(place, personas["anonymous"], "en"))
    assert in_persian("No needs have been reported here yet.") in text_of(page_of(place, personas["anonymous"]))


# ---- who may see it


@pytest.mark.parametrize(
    ("persona", "status"),
    [
        ("anonymous", 404), ("planner_elsewhere", 404), ("viewer", 200), ("reporter", 200), ("agency", 200), ("analyst", 200),
        ("planner", 200), ("supervisor", 200), ("administrator", 200),
    ],
)  # fmt: skip
def test_a_place_that_is_not_published_is_printed_for_its_own_people_alone(
    settlement: Place, client_as: As, persona: str, status: int
) -> None:
    Place.objects.filter(pk=settlement.pk).update(is_published=False)
    assert ask(client_as(persona)).status_code == status


def test_a_city_that_is_not_published_is_not_there(settlement: Place, client_as: As, demo_city: Place) -> None:
    Place.objects.filter(pk=demo_city.pk).update(is_published=False)
    assert ask(client_as("anonymous")).status_code == 404
    assert ask(client_as("planner_elsewhere")).status_code == 404


def test_what_is_not_there_is_not_found(demo_city: Place, client_as: As) -> None:
    anybody = client_as("anonymous")
    for path in ("/nowhere/s06/brief.pdf", "/khorramabad/nothing/brief.pdf", "/khorramabad/khorramabad/brief.pdf"):
        assert ask(anybody, path).status_code == 404, path


def test_a_hidden_layer_counts_for_nobody_else(settlement: Place, demo_city: Place, personas: dict[str, Any]) -> None:
    Layer.objects.filter(city=demo_city, code="clinic").update(visibility="assigned")
    assert '<th scope="row">Clinic</th>' not in page_of(settlement, personas["anonymous"], "en")
    assert '<th scope="row">Clinic</th>' in page_of(settlement, personas["planner"], "en")


def test_small_counts_are_told_to_those_with_a_role_alone_and_the_sheet_says_so(
    demo_city: Place, personas: dict[str, Any]
) -> None:
    covered = coverage_compute(city=demo_city, user=personas["analyst"])
    few = [
        (i, k)
        for i in range(len(covered.places))
        for k in range(len(covered.services))
        if 0.5 < covered.values.uncovered_people[i, k] < 9.5 and covered.values.population[i] > 100
    ]
    assert few
    row, column = few[0]
    place = Place.objects.get(pk=covered.places[row].id)
    service = covered.services[column]
    told, exact = (row_of(page_of(place, personas[who], "en"), service.name_en) for who in ("anonymous", "analyst"))
    assert told[3] == "fewer than 10"
    assert told[2].startswith("over ")
    assert exact[3] == formats.number(covered.values.uncovered_people[row, column], "en")
    assert "For official use" in text_of(page_of(place, personas["analyst"], "en"))
    assert "For official use" not in text_of(page_of(place, personas["anonymous"], "en"))
    assert in_persian("For official use: holds small counts that are not told to the public") in text_of(
        page_of(place, personas["analyst"])
    )


# ---- hostile words, and a printer that stays at home


def test_hostile_names_are_words(
    settlement: Place, demo_city: Place, personas: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    Place.objects.filter(pk=settlement.pk).update(name_fa=HOSTILE, name_en=HOSTILE)
    Place.objects.filter(pk=demo_city.pk).update(name_fa=HOSTILE, name_en=HOSTILE)
    Boundary.objects.filter(place=settlement).update(source=HOSTILE)
    Layer.objects.filter(city=demo_city).update(source=HOSTILE, name_en=HOSTILE, name_fa=HOSTILE)
    for language in ("fa", "en"):
        page = page_of(settlement, personas["anonymous"], language)
        assert page.count(HOSTILE) == 0
        assert "<script" not in page
        assert "<img" not in page
        assert page.count(html.escape(HOSTILE).replace("&#x27;", "&#39;")) > 5 or page.count("&lt;script&gt;") > 5
        with caplog.at_level(logging.WARNING):
            assert printing.brief_pdf(page).startswith(b"%PDF-")
    assert [r.message for r in caplog.records if r.name.startswith(("mahalleh", "weasyprint"))] == []


@pytest.fixture
def listener() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that writes down who comes."""
    visits: list[str] = []

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            visits.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the class above
            return

    server = HTTPServer(("127.0.0.1", 0), Door)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", visits
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_printer_fetches_nothing(
    listener: tuple[str, list[str]], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base, visits = listener
    (tmp_path / "secret.txt").write_text("a secret of this machine")
    secret = (tmp_path / "secret.txt").as_uri()
    page = f"""<!doctype html><link rel="stylesheet" href="{base}/a.css"><base href="{base}/">
        <style>@import "{base}/b.css"; @font-face {{ font-family: X; src: url({base}/c.ttf) }} p {{ background: url({base}/d.png) }}</style>
        <p>Words</p><img src="{base}/e.png"><img src="relative.png"><img src="{secret}"><img src="data:image/png;base64,AAAA">
        <object data="{base}/f.svg"></object><embed src="{secret}">
        <svg xmlns="http://www.w3.org/2000/svg"><image href="{base}/g.png"/><use href="{secret}#x"/></svg>
        <link rel="attachment" href="{secret}"><a href="{base}/h">x</a>"""
    with caplog.at_level(logging.WARNING):
        pdf = printing.brief_pdf(page)
    assert pdf.startswith(b"%PDF-")
    assert visits == []
    refused = [record.message for record in caplog.records if record.name == "mahalleh.reports"]
    for address in (
        "a.css",
        "b.css",
        "c.ttf",
        "d.png",
        "e.png",
        "relative.png",
        "f.svg",
        "g.png",
        "secret.txt",
        "data:image/png",
    ):
        assert any(address in message for message in refused), address
    assert b"a secret of this machine" not in unpacked(pdf)


def test_a_file_beside_the_fonts_is_refused_too(caplog: pytest.LogCaptureFixture) -> None:
    folder = printing.font_folder().as_uri()
    with caplog.at_level(logging.WARNING):
        printing.document_of(f'<img src="{folder}/../../package.json"><img src="{folder}/Vazirmatn-Black.ttf">')
    assert sum(record.name == "mahalleh.reports" for record in caplog.records) == 2


def test_it_asks_the_database_little(settlement: Place, client_as: As, django_assert_max_num_queries: Any) -> None:
    anybody = client_as("anonymous")
    ask(anybody)
    with django_assert_max_num_queries(40):
        ask(anybody)
