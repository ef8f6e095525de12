"""Measures over HTTP: who may ask, what outsiders are told, workbooks, and what cannot be."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from analysis.caching import caches_clear
from analysis.disclosure import SMALL_COUNT
from geo.models import Place
from layers.models import Feature, Layer

pytestmark = pytest.mark.django_db

V1 = "/api/v1/cities/khorramabad"
MEASURES = {
    "coverage": "?service=clinic&service=water",
    "access": "?service=clinic&service=hospital&decay=e2sfca&per-1000=2",
    "land": "?service=park",
    "equity": "?service=clinic",
    "curves": "?service=clinic&steps=4&nearest=1",
    "utility": "?of=water&service=water",
    "frequency": "?service=bus-stop",
}


def strict(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON.")

    return json.loads(text, parse_constant=refuse)


def sheets_of(content: bytes) -> dict[str, list[list[Any]]]:
    """Read a workbook: texts as they are, numbers as floats, by the name of the sheet."""
    main = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names = [one.get("name") for one in ElementTree.fromstring(book.read("xl/workbook.xml")).iter(f"{main}sheet")]  # noqa: S314
        found = {}
        for number, name in enumerate(names, start=1):
            rows = []
            text = book.read(f"xl/worksheets/sheet{number}.xml")
            assert b"<f>" not in text
            for row in ElementTree.fromstring(text).iter(f"{main}row"):  # noqa: S314
                cells: dict[str, Any] = {}
                for cell in row.iter(f"{main}c"):
                    letters = "".join(c for c in cell.get("r", "") if c.isalpha())
                    plain = "".join(cell.itertext())
                    cells[letters] = plain if cell.get("t") == "inlineStr" else float(plain)
                rows.append(list(cells.values()))
            found[str(name)] = rows
    return found


def test_every_measure_for_insiders_and_outsiders(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    """The same rows for both; of outsiders, small counts are kept back and named."""
    for measure, query in MEASURES.items():
        inside = client_as("planner").get(f"{V1}/{measure}{query}")
        outside = Client().get(f"{V1}/{measure}{query}")
        assert inside.status_code == outside.status_code == 200, (measure, inside.content[:300])
        known, told = strict(inside.content), strict(outside.content)
        assert known["measure"] == measure
        assert known["tables"].keys() == told["tables"].keys()
        assert inside["Cache-Control"] == "private, no-cache"
        assert known["inputs"]["boundaries"]["count"] == 298
        for name, rows in known["tables"].items():
            for row, shown in zip(rows, told["tables"][name], strict=True):
                assert "withheld" not in row
                for column in shown.get("withheld", []):
                    assert shown[column] is None
                few = [
                    column
                    for column, value in shown.items()
                    if known["units"].get(name, {}).get(column) == "people" and value and value < SMALL_COUNT
                ]
                assert all(shown[column] < 0.005 for column in few), (measure, name, shown)


def test_access_adds_up_and_names_what_was_used(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    told = strict(client_as("planner").get(f"{V1}/access{MEASURES['access']}").content)
    services = {row["code"]: row for row in told["tables"]["services"]}
    assert services.keys() == {"clinic", "hospital"}
    for code, row in services.items():
        assert row["decay"] == "e2sfca"
        assert row["limit_m"] == pytest.approx(2_500)
        assert row["capacity_field"] == "capacity"
        assert (row["standard"], row["standard_scope"]) == (2, "asked")
        assert row["city_per_1000"] * told["people"] / 1000 == pytest.approx(row["reached_capacity"], rel=1e-9)
        facilities = [one for one in told["tables"]["facilities"] if one["service"] == code]
        assert sum(one["capacity"] for one in facilities) == pytest.approx(row["capacity"])
        places = [one for one in told["tables"]["places"] if one["service"] == code]
        assert len(places) == 298
        assert all(0 <= one["unmet_people"] <= one["population"] + 1e-6 for one in places)


def test_workbooks_have_a_codebook_and_no_formulas(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    hospital = Layer.objects.get(city=demo_city, code="hospital").releases.get()
    first = Feature.objects.of(hospital).order_by("number").first()
    assert first is not None
    Feature.objects.of(hospital).filter(number=first.number).update(name='=HYPERLINK("http://example.org";"x")')
    caches_clear()
    for measure in ("access", "coverage"):
        response = client_as("planner").get(f"{V1}/{measure}?service=hospital&format=xlsx")
        assert response.status_code == 200
        assert response["Content-Disposition"] == f'attachment; filename="khorramabad-{measure}.xlsx"'
        sheets = sheets_of(response.content)
        book = sheets["codebook"]
        fields = {(row[1], row[2]) for row in book[1:] if row[0] == "field"}
        for name, rows in sheets.items():
            if name != "codebook":
                assert {(name, field) for field in rows[0]} <= fields
        said = {row[2]: row[3] for row in book[1:] if row[0] == "data"}
        assert said["measure"] == measure
        assert said["suppression"] == "none"
        assert said["travel"]
    assert len(sheets["matrix"]) == 299
    texts = [cell for row in sheets_of(_of(client_as, "access"))["facilities"] for cell in row if isinstance(cell, str)]
    caches_clear()
    assert '=HYPERLINK("http://example.org";"x")' in texts  # a text, as the layer has it, and no formula


def _of(client_as: Callable[[str], Client], measure: str) -> bytes:
    return bytes(client_as("planner").get(f"{V1}/{measure}?service=hospital&format=xlsx").content)


def test_isochrones_and_nearest_facilities(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    planner = client_as("planner")
    query = f"{V1}/isochrone?of=clinic&number=1&limit=800"
    inside, outside = strict(planner.get(query).content), strict(Client().get(query).content)
    assert inside["type"] == "Feature"
    assert inside["geometry"]["type"] == "MultiPolygon"
    assert inside["geometry"] == outside["geometry"]
    assert inside["properties"]["people"] > 0
    assert outside["properties"]["people"] is None
    lon, lat = inside["properties"]["lon"], inside["properties"]["lat"]
    found = strict(planner.get(f"{V1}/nearest?lon={lon}&lat={lat}&service=clinic&service=water").content)
    (clinic,) = found["services"]
    assert clinic["number"] == 1
    assert clinic["distance_m"] < 15  # from the middle of the cell


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("access?decay=no", 400, "bad_decay"),
        ("access?limit=nan", 400, "bad_number"),
        ("access?capacity=all", 400, "bad_capacity"),
        ("access?service=water", 400, "not_for_utilities"),
        ("access?service=park&format=xlsx&per-1000=0", 400, "bad_number"),
        ("coverage?format=csv", 400, "bad_format"),
        ("coverage?service=nothing", 404, "unknown_service"),
        ("coverage?programme=nothing", 404, "unknown_programme"),
        ("coverage?travel=by-air", 400, "unknown_travel"),
        ("land?service=clinic", 400, "no_land"),
        ("curves?steps=1e9", 400, "bad_number"),
        ("groups", 400, "no_groups"),
        ("utility?of=clinic", 404, "unknown_service"),
        ("utility?of=water&way=guess", 400, "bad_way"),
        ("utility?of=water&way=zone&layer=clinic", 404, "unknown_layer"),
        ("isochrone?lon=48.35&lat=33.49", 400, "bad_limit"),
        ("isochrone?lon=33.49&lat=48.35&limit=500", 400, "far_from_city"),
        ("isochrone?lon=inf&lat=33.49&limit=500", 400, "bad_number"),
        ("isochrone?of=clinic&number=99999&limit=500", 404, "unknown_facility"),
        ("isochrone?limit=500", 400, "no_goal"),
        ("nearest?lon=48.35", 400, "no_point"),
        ("nearest?lon=50&lat=33.49", 404, "point_outside"),
    ],
)
def test_what_cannot_be_is_refused_with_a_remedy(demo_city: Place, query: str, status: int, code: str) -> None:
    response = Client().get(f"{V1}/{query}")
    assert response.status_code == status, response.content
    problem = strict(response.content)
    assert problem["code"] == code
    assert problem["title"]
    assert problem.get("remedy")


def test_nobody_asks_about_a_hidden_city(demo_city: Place, client_as: Callable[[str], Client]) -> None:
    Place.objects.filter(pk=demo_city.pk).update(is_published=False)
    for measure in ("coverage", "isochrone", "nearest"):
        for name in ("anonymous", "planner_elsewhere"):
            assert client_as(name).get(f"{V1}/{measure}?lon=48.35&lat=33.49&limit=5").status_code == 404
    assert client_as("viewer").get(f"{V1}/coverage?service=clinic").status_code == 200
