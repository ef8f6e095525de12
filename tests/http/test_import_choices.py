"""What helps a person to choose: where points would fall in each system, how texts would read, which standard field is meant."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from pyproj import Transformer

from layers.models import Layer
from layers.selectors import city_bounds
from tests.db.bringing import worked
from tests.http.bringing import NEW, brought, form_of, page_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]


def choice_of(page: str, value: str) -> str:
    """Return what stands on the page of one way of reading."""
    found = re.search(
        rf'<label class="choice[^>]*><input type="radio" name="crs" value="{value}".*?</label>', page, re.S
    )
    assert found, value
    return found[0]


# Reference systems


def test_each_candidate_shows_where_points_would_fall(analyst: Client, demo_city: Any) -> None:
    to_utm = Transformer.from_crs(4326, 32639, always_xy=True)
    at = [to_utm.transform(48.30 + 0.0003 * i, 33.45 + 0.0002 * i) for i in range(400)]
    text = "name,x,y\n" + "\n".join(f"a{i},{x:.1f},{y:.1f}" for i, (x, y) in enumerate(at))
    upload = brought(analyst, text.encode(), "wells.csv")
    candidates = upload.report["crs"]["candidates"]
    assert candidates[0]["epsg"] == 32639
    west, south, east, north = city_bounds(demo_city) or (0, 0, 0, 0)
    points = candidates[0]["points"]
    assert 50 < len(points) <= 100
    assert points[0] == pytest.approx((48.30, 33.45), abs=1e-4)
    assert points[-1] == pytest.approx((48.42, 33.53), abs=0.005), "spread over all of it"
    inside = sum(west <= lon <= east and south <= lat <= north for lon, lat in points)
    assert inside / len(points) > 0.5
    drawn = choice_of(page_of(analyst, upload), "32639:0:1")
    assert re.search(r'<path class="city" d="M[\d. L-]{100,}', drawn), "the outline, not a box"
    n_drawn = drawn.count('<circle class="in"') + drawn.count('<path class="out"')
    beyond = re.search(r"(\d+) points lie beyond", drawn)
    assert n_drawn + int(beyond[1] if beyond else 0) == len(points)


def test_a_wrong_system_is_shown_beside_the_one_that_fits(analyst: Client) -> None:
    to_utm = Transformer.from_crs(4326, 32639, always_xy=True)
    x, y = to_utm.transform(48.35, 33.48)
    rows = "\n".join(f"a{i},{x + 20 * i:.1f},{y + 20 * i:.1f}" for i in range(60))
    upload = brought(analyst, f"name,x,y\n{rows}".encode(), "wells.csv")
    said = form_of(page_of(analyst, upload)) | {"crs": "other", "epsg": "32638", "do": "examine"}
    assert analyst.post(f"/imports/{upload.pk}/", said).status_code == 302
    upload = worked(upload)
    assert len(upload.report["crs"]["points"]) > 30
    page = page_of(analyst, upload)
    assert "points lie beyond the small map" in choice_of(page, "32638:0:1")
    assert '<circle class="in"' in choice_of(page, "32639:0:1")


def test_nothing_is_drawn_where_nothing_is_to_be_chosen(analyst: Client) -> None:
    upload = brought(analyst, b"name,lon,lat\na,48.35,33.48\n", "wells.csv")
    assert upload.report["crs"]["candidates"] == upload.report["crs"]["points"] == []
    assert 'class="dots"' not in page_of(analyst, upload)


# Encodings

PERSIAN = "نام,lon,lat\nپارک شهر,48.35,33.48\nگلشن,48.36,33.49\nپارک شهر,48.37,33.49\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("parks.csv", PERSIAN),
        (
            "parks.geojson",
            '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"نام":"پارک شهر","x":"گلشن"},'
            '"geometry":{"type":"Point","coordinates":[48.35,33.48]}}]}',
        ),
    ],
)
def test_texts_are_shown_as_they_would_read_in_each_encoding(analyst: Client, name: str, text: str) -> None:
    upload = brought(analyst, text.encode("cp1256"), name)
    encoding = upload.report["encoding"]
    samples = encoding["samples"]
    assert encoding["candidates"] == ["utf-8", "cp1256", "cp1252", "iso8859-6", "cp720"]
    assert set(samples) == set(encoding["candidates"])
    assert samples["cp1256"] == ["نام", "پارک شهر", "گلشن"]
    assert all("\ufffd" in one for one in samples["utf-8"])
    assert samples["cp1252"] == [one.encode("cp1256").decode("cp1252", errors="replace") for one in samples["cp1256"]]
    page = page_of(analyst, upload)
    part = page[page.index('data-part="encoding"') : page.index("</details>", page.index('data-part="encoding"'))]
    assert part.count('<span class="sample" dir="auto">پارک شهر</span>') == 1
    assert "Persian and Arabic Windows" in part
    assert part.count("Letters cannot be read in it") >= 1

    # A wrong choice is refused, and one may still choose by sight.
    said = form_of(page) | {"encoding": "utf-8", "do": "examine"}
    analyst.post(f"/imports/{upload.pk}/", said)
    upload = worked(upload)
    assert not upload.report["is_loadable"]
    assert upload.report["encoding"]["samples"]["cp1256"][1] == "پارک شهر"
    said = form_of(page_of(analyst, upload)) | {"encoding": "cp1256", "do": "examine"}
    analyst.post(f"/imports/{upload.pk}/", said)
    upload = worked(upload)
    assert upload.report["is_loadable"], upload.report["problems"]
    assert "پارک شهر" in str(upload.report["preview"])


def test_an_encoding_by_another_name_is_one_choice(analyst: Client) -> None:
    upload = brought(analyst, PERSIAN.encode("cp1256"), "parks.csv")
    said = form_of(page_of(analyst, upload)) | {"encoding": "windows-1256", "do": "examine"}
    analyst.post(f"/imports/{upload.pk}/", said)
    page = page_of(analyst, worked(upload))
    assert 'value="windows-1256"' not in page
    assert 'value="cp1256" checked' in page


@pytest.mark.parametrize(
    "content",
    [PERSIAN.encode(), b"name,lon,lat\na,48.35,33.48\n", PERSIAN.encode("utf-8-sig"), PERSIAN.encode("utf-16")],
)
def test_there_is_nothing_to_choose_of_text_that_is_plain(analyst: Client, content: bytes) -> None:
    upload = brought(analyst, content, "parks.csv")
    assert upload.report["is_loadable"], upload.report["problems"]
    assert upload.report["encoding"]["samples"] == {}
    assert 'class="sample"' not in page_of(analyst, upload)


# Standard fields


def test_standard_fields_are_suggested_and_never_forced(analyst: Client) -> None:
    text = "نام,lon,lat,ظرفيت,ساعت كار,رنگ\nکلینیک ۱,48.35,33.48,۱۲,8-14,سبز\n"
    upload = brought(analyst, text.encode(), "clinics.csv", **NEW)
    suggested = {one["name"]: (one["standard"] or {}).get("name") for one in upload.report["fields"]}
    assert {name: suggested[name] for name in ("نام", "ظرفیت", "ساعت کار", "رنگ")} == {
        "نام": "name_fa", "ظرفیت": "capacity", "ساعت کار": "opening_hours", "رنگ": None,
    }  # fmt: skip
    assert {rule["name"] for rule in upload.mapping} >= {"نام", "ظرفیت", "ساعت کار"}, "as the file has them"
    page = page_of(analyst, upload)
    assert page.count("Could be the standard field") == 3
    assert 'data-name="capacity" data-type="number"' in page
    said = form_of(page)
    number = [one["name"] for one in upload.report["fields"]].index("ظرفیت")
    analyst.post(f"/imports/{upload.pk}/", said | {f"name-{number}": "capacity", "do": "examine"})
    upload = worked(upload)
    assert "Standard field:" in page_of(analyst, upload)
    analyst.post(f"/imports/{upload.pk}/", form_of(page_of(analyst, upload)) | {"do": "store"})
    assert worked(upload).state == "stored"
    layer = Layer.objects.get(city__code="khorramabad", code="test-clinics")
    assert [(row["name"], row["title_en"]) for row in layer.schema] == [("capacity", "Capacity")]


def test_what_a_new_layer_stands_for_decides_what_is_suggested(analyst: Client) -> None:
    text = "قطر لوله,lon,lat\n300,48.35,33.48\n"
    general = brought(analyst, text.encode(), "pipes.csv")
    assert general.report["fields"][0]["standard"] is None
    network = brought(analyst, text.encode(), "pipes.csv", **(NEW | {"purpose": "network", "theme": "utilities"}))
    standard = network.report["fields"][0]["standard"]
    assert (standard["name"], standard["unit"]) == ("diameter_mm", "mm")
    assert "(<bdi>mm</bdi>)" in page_of(analyst, network)


def test_namesakes_without_a_place_are_no_doubles_somewhere(analyst: Client) -> None:
    """Rows far from the city have no place; what they share is their name alone."""
    rows = "\n".join("کیوسک,-51.2,-30.0" for _ in range(3))
    upload = brought(analyst, f"name,lon,lat\n{rows}\n".encode(), "kiosks.csv")
    assert upload.state == "examined", upload.problem
    assert "duplicate_name" not in upload.report["counts"]["warning"]
