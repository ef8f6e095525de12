"""The catalogue over HTTP: what is found, what a layer's page says and to whom, and what those who may change of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.gis.geos import Point, Polygon
from django.test import Client
from django.utils import timezone

from analysis.models import Run
from layers.models import Feature, Layer, PopulationSource, Release, Supply, Theme
from layers.services.layers import layer_state
from maps.catalogue.asked import cursor_of

pytestmark = pytest.mark.django_db

ClientAs = Callable[[str], Client]
FIRST_DAY = date(2024, 3, 20)


@pytest.fixture
def layer(demo_city: Any) -> Layer:
    """A layer of 120 points with fields of every kind, in two releases."""
    made = layer_made(
        demo_city, "kiosks", name_fa="دکه‌های روزنامه", name_en="News kiosks", owner="شهرداری", source="survey by hand"
    )
    release_made(made, 1, 3)
    release = release_made(made, 2, 120)
    release.difference = {
        "against": 1, "by": "name", "added": 117, "removed": 0, "moved": 2, "changed": 1, "unchanged": 0,
        "examples": {"moved": [{"name": "Kiosk 2", "lon": 48.3, "lat": 33.4, "row": 2}]},
    }  # fmt: skip
    release.quality = {
        "problems": {"repaired": {"invalid_geometry": 4}, "warning": {"duplicate_row": 2}},
        "filled": {"people": 0.5},
    }
    release.save()
    return made


def layer_made(city: Any, code: str, **said: Any) -> Layer:
    made = Layer(city=city, code=code, theme=Theme.objects.get(code="health"), kind="point", visibility="public")
    for name, value in {"name_fa": code, "name_en": code, "source": "x", **said}.items():
        setattr(made, name, value)
    made.save()
    return made


def release_made(layer: Layer, number: int, rows: int, **said: Any) -> Release:
    release = Release.objects.create(
        layer=layer, number=number, reference_date=said.pop("reference_date", FIRST_DAY), file_name="kiosks.gpkg",
        file_sha256="0" * 64, content_hash=f"{layer.code}-{number}".ljust(64), row_count=rows, **said,
    )  # fmt: skip
    Feature.objects.bulk_create(
        Feature(
            release=release, number=n, name=f"Kiosk {n}", geometry=Point(48.3 + n / 10_000, 33.45 + n / 10_000, srid=4326),
            attributes={"people": n, "group": ["كوچك", "بزرگ"][n % 2], "score": n / 8, "mixed": n if n % 3 else str(n)}
            | ({"gap": True} if n % 5 == 0 else {}),
        )
        for n in range(1, rows + 1)
    )  # fmt: skip
    return release


def page(client: Client, path: str, language: str = "en", status: int = 200) -> str:
    client.cookies["django_language"] = language
    response = client.get(path)
    assert response.status_code == status, response.content.decode()[:2000]
    return unescape(response.content.decode())


def words(html: str) -> str:
    return re.sub(
        r"\s+", " ", re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style|template).*?</\1>", " ", html, flags=re.S))
    )


def layers_in(html: str) -> set[str]:
    return set(re.findall(r'<th scope="row"><a href="/[^/]+/layers/([^/"]+)/"', html))


def rows_in(html: str) -> list[int]:
    return [int(n) for n in re.findall(r'<tr data-number="(\d+)"', html)]


# ---- finding


@pytest.mark.parametrize(
    "text", ["kiosks", "NEWS kiosk", "دکه های", "دکه‌های روزنامه", "دكه", "شهرداري", "hand survey", "kiosks روزنامه"]
)
def test_layers_are_found_by_words_in_either_language(layer: Layer, client: Client, text: str) -> None:
    for path in ("/layers/", "/khorramabad/layers/"):
        client.cookies["django_language"] = "fa"
        assert layers_in(client.get(path, {"q": text}).content.decode()) == {"kiosks"}


def test_every_filter_keeps_what_it_says(layer: Layer, client: Client) -> None:
    every = layers_in(page(client, "/khorramabad/layers/"))
    assert {"clinic", "roads", "elevation", "kiosks"} <= every
    assert layers_in(page(client, "/khorramabad/layers/?kind=raster")) < every
    assert "elevation" in layers_in(page(client, "/khorramabad/layers/?kind=raster"))
    assert layers_in(page(client, "/khorramabad/layers/?theme=health&kind=point")) == {
        "clinic",
        "hospital",
        "pharmacy",
        "kiosks",
    }
    assert layers_in(page(client, "/layers/?city=khorramabad&q=kiosk&theme=health")) == {"kiosks"}
    assert layers_in(page(client, "/khorramabad/layers/?city=sao-vicente")) == every  # the address says the city


@pytest.mark.parametrize(
    ("days", "months", "state", "told"),
    [
        (10, 12, "fresh", "renewed by"),
        (400, 12, "old", "overdue for 1 month"),
        (3000, 12, "old", "overdue for 7 years"),
        (10, None, "unknown", "no renewal agreed"),
        (None, 12, "unknown", "no renewal agreed"),
    ],
)
def test_freshness_is_the_newest_release_against_its_renewal(
    demo_city: Any, client: Client, days: int | None, months: int | None, state: str, told: str
) -> None:
    made = layer_made(demo_city, "dated", renewed_months=months)
    release_made(made, 1, 1, reference_date=date(1990, 1, 1))
    release_made(made, 2, 1, reference_date=timezone.localdate() - timedelta(days=days) if days else None)
    for other in ("fresh", "old", "unknown", "empty"):
        assert ("dated" in layers_in(page(client, f"/khorramabad/layers/?freshness={other}"))) == (other == state)
    assert told in words(page(client, "/khorramabad/layers/dated/"))


def test_lists_say_why_they_are_empty(client: Client, client_as: ClientAs, demo_city: Any) -> None:
    text = words(page(client, "/khorramabad/layers/?q=nosuchthing&kind=line"))
    assert "No layer fits all of this" in text
    assert "without “nosuchthing”" in text.replace("\u2068", "").replace("\u2069", "")
    Layer.objects.filter(city=demo_city).update(visibility="assigned")
    assert "There are no data here yet that you may see" in words(page(client, "/khorramabad/layers/"))
    assert "kiosks" not in page(client_as("planner_elsewhere"), "/khorramabad/layers/")
    assert layers_in(page(client_as("viewer"), "/khorramabad/layers/"))


@pytest.mark.parametrize("query", ["kind=cube", "freshness=rotten", "show=secrets"])
def test_a_choice_that_is_none_is_refused(client: Client, query: str) -> None:
    assert client.get(f"/layers/?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["page=0", "page=-1", "page=99999999999", "page=x", "q=%00", "q=%25_%27%22", "theme=nothing"]
)
def test_odd_questions_have_answers(client: Client, query: str) -> None:
    assert client.get(f"/layers/?{query}").status_code == 200


# ---- one layer


def test_the_page_says_what_it_is_how_fresh_and_where_from(layer: Layer, client: Client) -> None:
    text = words(page(client, "/khorramabad/layers/kiosks/"))
    assert "120 points of Khorramabad as of 20 March 2024, 2 years ago" in text.replace("\u2068", "").replace(
        "\u2069", ""
    )
    for said in (
        "دکه‌های روزنامه",
        "News kiosks",
        "survey by hand",
        "20 March 2024",
        "شهرداری",
        "longitude 48.3001",
        "everybody",
    ):
        assert said in text, said
    assert "4 problems were repaired" in text
    assert "invalid shapes" in text
    assert "117 added, 2 moved and 1 changed" in text
    assert "against release 1" in text
    persian = words(page(client, "/khorramabad/layers/kiosks/", "fa"))
    assert "۱۲۰" in persian
    assert "۱ فروردین ۱۴۰۳" in persian


def test_ways_of_travel_and_sources_of_people_are_uses(client_as: ClientAs, demo_city: Any) -> None:
    """A layer on which people travel or with which they are counted says so, and for which ways and under which name."""
    analyst = client_as("analyst")
    for code, said in {
        "roads": "what distances are measured on: along streets, on foot, by slope and stairs, by bicycle",
        "elevation": "Its slopes slow down or speed up who walks: on foot, by slope and stairs",
        "landcover": "what bars the way: on foot, over the surface of the land",
    }.items():
        assert said in words(page(analyst, f"/khorramabad/layers/{code}/")).split("Who uses it")[-1], code
    main = PopulationSource.objects.get(city=demo_city, is_main=True)
    PopulationSource.objects.create(
        city=demo_city, code="again", is_main=False, layer=main.layer, field=main.field, name_en="Counted again"
    )
    text = words(page(analyst, f"/khorramabad/layers/{main.layer.code}/")).split("Who uses it")[-1]
    assert "The people of the city are counted with it." in text
    assert "Counted again" in text


def test_uses_and_runs_are_named_with_their_release(layer: Layer, client_as: ClientAs, demo_city: Any) -> None:
    supply = Supply.objects.filter(city=demo_city).select_related("service").first()
    assert supply is not None
    supply.layer, supply.where = layer, {"group": "بزرگ"}
    supply.save()
    for number, inputs in enumerate(
        [
            {"services": {"clinic": {"layer": "kiosks", "release": 1}}},
            {"layer": {"code": "kiosks", "release": 2, "content_hash": ""}},
            {"services": {"clinic": {"layer": "other", "release": 9}}, "boundaries": {"editions": {"kiosks": 5}}},
        ]
    ):
        Run.objects.create(
            kind="coverage", city=demo_city, parameters={}, inputs=inputs, input_hash=str(number) * 64, code_version="1",
            result=[], duration_ms=1,
        )  # fmt: skip
    text = words(page(client_as("analyst"), "/khorramabad/layers/kiosks/"))
    assert f"“{supply.service.name_en}”" in text
    assert "group = بزرگ" in text
    runs = re.findall(r"coverage, run (\d+) release (\d)", text)
    assert [release for _run, release in runs] == ["2", "1"]
    public = words(page(Client(), "/khorramabad/layers/kiosks/"))
    assert "run " not in public.split("Who uses it")[-1]


def test_an_older_release_is_shown_as_such(layer: Layer, client: Client) -> None:
    html = page(client, "/khorramabad/layers/kiosks/?release=1")
    assert rows_in(html) == [1, 2, 3]
    assert "not the newest" in words(html)
    assert 'id="layer-config"' not in html  # its tiles are the newest release's
    page(client, "/khorramabad/layers/kiosks/?release=3", status=404)


def test_a_layer_without_data_says_what_comes_next(demo_city: Any, client: Client, client_as: ClientAs) -> None:
    layer_made(demo_city, "hollow", name_en="Hollow")
    assert "It holds no data yet" in words(page(client, "/khorramabad/layers/hollow/"))
    assert "Bring the first file" in words(page(client_as("analyst"), "/khorramabad/layers/hollow/"))
    page(client, "/khorramabad/layers/hollow/rows/1/", status=404)


def test_a_raster_has_facts_instead_of_rows(client: Client) -> None:
    text = words(page(client, "/khorramabad/layers/elevation/"))
    assert "EPSG:32639" in text
    assert "pixels" in text
    assert rows_in(page(client, "/khorramabad/layers/elevation/")) == []
    page(client, "/khorramabad/layers/elevation/rows/1/", status=404)


# ---- rows


def walk(client: Client, query: str, relation: str = "next") -> list[int]:
    """Go through all pages, as a reader does, and return the rows met."""
    path, found = f"/khorramabad/layers/kiosks/?{query}", []
    for _ in range(10):
        html = page(client, path)
        found += rows_in(html)
        link = re.search(rf'href="(\?[^"#]*)#rows" rel="{relation}"', html)
        if link is None:
            return found
        path = f"/khorramabad/layers/kiosks/{link[1]}"
    raise AssertionError(path)


ORDERS: dict[str, Callable[[int], Any]] = {
    "number": lambda n: n,
    "name": lambda n: (f"Kiosk {n}", n),
    "field:people": lambda n: n,
    "field:score": lambda n: n / 8,
    "field:gap": lambda n: (n % 5 == 0, n),
    "field:mixed": lambda n: (n % 3 != 0, n if n % 3 else 0, str(n) if n % 3 == 0 else "", n),
}


@pytest.mark.parametrize("sort", ORDERS)
def test_pages_hold_every_row_once_in_order_both_ways(layer: Layer, client_as: ClientAs, sort: str) -> None:
    client = client_as("viewer")
    expected = sorted(range(1, 121), key=ORDERS[sort])
    assert walk(client, f"sort={sort}") == expected
    assert walk(client, f"sort=-{sort}") == expected[::-1]


def test_the_page_before_is_the_page_before(layer: Layer, client_as: ClientAs) -> None:
    client = client_as("viewer")
    for sort in ("number", "-field:score", "name"):
        first = page(client, f"/khorramabad/layers/kiosks/?sort={sort}")
        on = re.search(r'href="(\?[^"#]*)#rows" rel="next"', first)
        assert on
        second = page(client, f"/khorramabad/layers/kiosks/{on[1]}")
        back = re.search(r'href="(\?[^"#]*)#rows" rel="prev"', second)
        assert back
        again = page(client, f"/khorramabad/layers/kiosks/{back[1]}")
        assert rows_in(again) == rows_in(first)
        assert 'rel="prev"' not in again


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Kiosk 77", [77]),
        ("کوچک 112", [112]),
        ("بزرگ ۷۷", [77]),
        ("kiosk", 120),
        ("score", []),
        ("%", []),
        ("77'--", [77]),
    ],
)
def test_rows_are_found_by_words_in_names_and_values(layer: Layer, client_as: ClientAs, text: str, found: Any) -> None:
    client = client_as("viewer")
    response = client.get("/khorramabad/layers/kiosks/", {"q": text})
    assert response.status_code == 200
    rows = rows_in(response.content.decode())
    assert rows == found if isinstance(found, list) else len(rows) == 50


def test_a_row_can_be_asked_for_and_begins_its_page(layer: Layer, client: Client) -> None:
    html = page(client, "/khorramabad/layers/kiosks/?row=60&part=table")
    assert rows_in(html)[0] == 60
    assert "<html" not in html
    assert re.search(
        r'<tr data-number="60" data-lon="48.306000" data-lat="33.456000" data-box="[^"]+" class="is-chosen"', html
    )
    page(client, "/khorramabad/layers/kiosks/?row=121", status=404)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("sort=nothing", 404), ("sort=field:nothing", 404), ("sort=field:", 404), ("sort=-", 404), ("after=x", 400), ("after=%00", 400),
        ("after=W10", 400), (f"after={cursor_of('x', 1)}", 400), (f"sort=name&after={cursor_of(5, 1)}", 400),
        (f"after={cursor_of(True, 1)}", 400), (f"sort=name&after={cursor_of('a' + chr(0), 1)}", 400), ("after=WzEsLTFd", 400),
        (f"sort=field:score&after={cursor_of({'a': [1]}, 1)}", 200), (f"sort=field:score&after={cursor_of(None, 1)}", 200),
        ("row=x", 400), ("row=99999999999", 400), ("release=0", 404), ("release=-1", 400), ("before=W10", 400),
        ("sort=field:x'%3B--", 404),
    ],
)  # fmt: skip
def test_odd_tables_are_refused_or_answered_never_a_fault(
    layer: Layer, client: Client, query: str, status: int
) -> None:
    assert client.get(f"/khorramabad/layers/kiosks/?{query}").status_code == status


def test_values_are_written_as_text_whatever_they_hold(layer: Layer, client: Client) -> None:
    release = layer.releases.get(number=2)
    hostile = "<script>alert(1)</script>"
    Feature.objects.filter(release=release, number=1).update(
        name=hostile,
        attributes={hostile: hostile, "list": [1, {"a": hostile}], "object": {"b": None}, "group": "\u202e x"},
    )
    for path in ("/khorramabad/layers/kiosks/", "/khorramabad/layers/kiosks/rows/1/"):
        response = client.get(path)
        assert response.status_code == 200
        assert hostile not in response.content.decode()
        assert "&lt;script&gt;" in response.content.decode()


# ---- people


def counting(layer: Layer, how: str) -> None:
    if how == "source":
        PopulationSource.objects.filter(city=layer.city).update(layer=layer, field="people")
    elif how == "unit":
        layer.schema = [{"name": "score", "unit": " Persons "}]
        layer.save()


@pytest.mark.parametrize(("how", "field"), [("source", "people"), ("unit", "score")])
def test_small_counts_of_people_are_told_to_nobody_outside(
    layer: Layer, client_as: ClientAs, how: str, field: str
) -> None:
    counting(layer, how)
    outside = client_as("planner_elsewhere")
    html = page(outside, "/khorramabad/layers/kiosks/")
    cells = re.findall(r'<tr data-number="(\d+)".*?</tr>', html, flags=re.S)
    assert cells
    small = re.search(r'<tr data-number="4".*?</tr>', html, flags=re.S)
    assert small
    assert "fewer than 10" in small[0]
    assert f"sort=field%3A{field}" not in html
    assert outside.get(f"/khorramabad/layers/kiosks/?sort=field:{field}").status_code == 404
    row = words(page(outside, "/khorramabad/layers/kiosks/rows/4/"))
    assert re.search(rf"(?i){field} fewer than 10", row)
    if how == "source":
        Feature.objects.filter(release__layer=layer, number=4).update(
            name="few", attributes={"people": 7, "group": "x"}
        )
        assert rows_in(outside.get("/khorramabad/layers/kiosks/", {"q": "few 7"}).content.decode()) == []
        assert rows_in(client_as("viewer").get("/khorramabad/layers/kiosks/", {"q": "few 7"}).content.decode()) == [4]
    inside = page(client_as("viewer"), "/khorramabad/layers/kiosks/")
    assert "fewer than 10" not in inside


def test_the_public_is_not_told_of_single_pixels_of_people(client: Client, client_as: ClientAs, demo_city: Any) -> None:
    people = Layer.objects.get(city=demo_city, code="population")
    people.visibility = "public"
    people.save()
    assert "Minimum" not in words(page(client, "/khorramabad/layers/population/"))
    assert "Minimum" in words(page(client_as("viewer"), "/khorramabad/layers/population/"))


# ---- describing


def said_of(layer: Layer, **changes: Any) -> dict[str, Any]:
    layer.refresh_from_db()
    names = (
        "name_fa",
        "name_en",
        "source",
        "source_fa",
        "owner",
        "licence",
        "description_fa",
        "description_en",
        "purpose",
        "key_field",
    )
    said: dict[str, Any] = {name: getattr(layer, name) for name in names}
    said |= {"theme": layer.theme.code, "visibility": layer.visibility, "renewed_months": layer.renewed_months or ""}
    return said | {"seen": layer_state(layer)} | changes


EDIT = "/khorramabad/layers/kiosks/edit/"


def test_a_description_is_saved_and_shown(layer: Layer, client_as: ClientAs) -> None:
    client = client_as("analyst")
    html = page(client, EDIT)
    fields = re.findall(r'name="field-(\d+)-name" value="([^"]+)"', html)
    index = next(i for i, name in fields if name == "people")
    form = said_of(
        layer, name_en="Kiosks  of papers", renewed_months="۱۲", description_en="What is sold.", visibility="assigned",
        seen_by_roles=["viewer", "agency"],
        **{f"field-{i}-name": name for i, name in fields},
        **{f"field-{index}-title_en": "Inhabitants", f"field-{index}-unit": "people"},
    )  # fmt: skip
    assert client.post(EDIT, form).status_code == 302
    layer.refresh_from_db()
    assert (layer.name_en, layer.renewed_months, layer.visibility) == ("Kiosks of papers", 12, "assigned")
    assert layer.seen_by_roles == ["agency", "viewer"]
    assert [row for row in layer.schema if row["name"] == "people"] == [
        {"name": "people", "type": "integer", "title_en": "Inhabitants", "unit": "people"}
    ]
    assert layers_in(page(client, "/layers/?q=papers")) == {"kiosks"}
    text = words(page(client_as("viewer"), "/khorramabad/layers/kiosks/"))
    assert "Inhabitants" in text
    for name in ("reporter", "anonymous", "planner_elsewhere"):
        page(client_as(name), "/khorramabad/layers/kiosks/", status=404)


def test_what_somebody_else_said_meanwhile_is_shown_and_nothing_is_lost(layer: Layer, client_as: ClientAs) -> None:
    mine = said_of(layer, owner="mine")
    assert client_as("planner").post(EDIT, said_of(layer, owner="theirs", licence="new")).status_code == 302
    client = client_as("analyst")
    client.cookies["django_language"] = "en"
    response = client.post(EDIT, mine)
    text = response.content.decode()
    assert response.status_code == 409
    layer.refresh_from_db()
    assert (layer.owner, layer.licence) == ("theirs", "new")
    assert 'value="mine"' in text
    assert re.search(r"now: <bdi>theirs</bdi>", text)
    assert re.search(r"now: <bdi>new</bdi>", text)
    seen = re.search(r'name="seen" value="([^"]+)"', text)
    assert seen
    assert client.post(EDIT, {**mine, "seen": seen[1]}).status_code == 302
    layer.refresh_from_db()
    assert layer.owner == "mine"


@pytest.mark.parametrize(
    "wrong",
    [
        {"name_fa": ""}, {"name_en": " "}, {"source": ""}, {"theme": "nothing"}, {"visibility": "friends"}, {"renewed_months": "-3"},
        {"renewed_months": "x"}, {"seen_by_roles": ["king"]}, {"name_en": "x" * 201}, {"key_field": "nothing"}, {"purpose": "war"},
        {"description_en": "a\x00b"},
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_and_what_was_typed_stays(
    layer: Layer, client_as: ClientAs, wrong: dict[str, Any]
) -> None:
    before = layer_state(layer)
    client = client_as("analyst")
    response = client.post(EDIT, said_of(layer, owner="typed by me", **wrong))
    assert response.status_code == 400
    assert 'value="typed by me"' in response.content.decode()
    layer.refresh_from_db()
    assert layer_state(layer) == before


def test_titles_too_long_are_refused(layer: Layer, client_as: ClientAs) -> None:
    client = client_as("analyst")
    fields = re.findall(r'name="field-(\d+)-name" value="([^"]+)"', page(client, EDIT))
    form = said_of(layer, **{f"field-{i}-name": name for i, name in fields}, **{"field-0-unit": "x" * 501})
    assert client.post(EDIT, form).status_code == 400
    assert client.post(EDIT, {}).status_code == 400


# ---- putting away


def test_an_archived_layer_leaves_the_lists_and_its_page_stays(layer: Layer, client_as: ClientAs) -> None:
    client, path = client_as("analyst"), "/khorramabad/layers/kiosks/"
    assert client.post(f"{path}archive/", {"do": "archive"}).status_code == 302
    layer.refresh_from_db()
    first = layer.archived_at
    assert first is not None
    client.post(f"{path}archive/", {"do": "archive"})
    layer.refresh_from_db()
    assert layer.archived_at == first
    for name in ("anonymous", "viewer", "analyst"):
        assert "kiosks" not in layers_in(page(client_as(name), "/layers/"))
        assert rows_in(page(client_as(name), path))
    assert "Archived on" in words(page(client_as("viewer"), path))
    assert layers_in(page(client, "/khorramabad/layers/?show=archived")) == {"kiosks"}
    assert layers_in(page(client_as("viewer"), "/khorramabad/layers/?show=archived")) == set()
    assert client.get("/tiles/khorramabad/layers/kiosks.json").status_code == 200
    assert client.post(f"{path}archive/", {"do": "restore"}).status_code == 302
    assert "kiosks" in layers_in(page(client_as("anonymous"), "/layers/"))


def test_buttons_are_for_those_who_may(layer: Layer, client_as: ClientAs) -> None:
    for name, may in {
        "anonymous": False,
        "viewer": False,
        "reporter": False,
        "analyst": True,
        "administrator": True,
    }.items():
        html = page(client_as(name), "/khorramabad/layers/kiosks/")
        assert ("/kiosks/edit/" in html) == may
        assert ("/kiosks/archive/" in html) == may


def test_a_polygon_layer_says_boxes(demo_city: Any, client: Client) -> None:
    made = layer_made(demo_city, "plots", kind="polygon")
    release = release_made(made, 1, 0)
    shape = Polygon.from_bbox((48.3, 33.4, 48.4, 33.5))
    shape.srid = 4326
    Feature.objects.create(release=release, number=1, name="", geometry=shape, attributes={})
    html = page(client, "/khorramabad/layers/plots/")
    assert 'data-box="48.300000,33.400000,48.400000,33.500000"' in html
    assert "Row 1" in words(html)
