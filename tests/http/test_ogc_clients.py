"""Real clients against a real server: GDAL's OAPIF driver and OWSLib read, filter and page; OWSLib writes what GDAL has made.

GDAL's driver only reads. What QGIS sends when it writes is sent here as it stands in its source: `Content-Crs` without
brackets, every property of the feature, and the header ``If-Match`` from an “API header” authentication.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import owslib.ogcapi
import pyogrio
import pytest
import requests
import shapely
from django.db import connections
from owslib.ogcapi.features import Features
from owslib.util import Authentication

from config.cluster import ROLE, bin_dir
from geo.core.crs import project
from geo.models import Boundary
from tests.environment import CLUSTER, ROOT, VAR

pytestmark = pytest.mark.django_db  # or the test database, which the server's is a copy of, would not be made

PASSWORD = "a-password-for-tests-only"  # noqa: S105
CITY = "khorramabad"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
DATABASE = "mahalleh_ogc_clients"


@pytest.fixture(scope="module")
def service(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The address of the landing page, served by gunicorn from a copy of the test database with the demo city in it."""
    with django_db_blocker.unblock():
        source = connections["default"].settings_dict["NAME"]
        connections.close_all()  # a database that is in use cannot be copied
    psql = [
        str(bin_dir() / "psql"),
        "-X",
        "-q",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        str(CLUSTER.socket_dir),
        "-U",
        ROLE,
        "postgres",
        "-c",
    ]
    subprocess.run([*psql, f"CREATE DATABASE {DATABASE} TEMPLATE {source}"], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        **os.environ, "DATABASE_URL": CLUSTER.url(DATABASE), "MAHALLEH_ENV": "development",
        "MAHALLEH_SERVING": "1",
    }  # fmt: skip
    log = VAR / "ogc-clients.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--worker-class", "gthread",
             "--threads", "4", "--workers", "1", "--log-level", "warning", "--no-control-socket"],
            cwd=ROOT, env=environment, stdout=out, stderr=out,
        )  # fmt: skip
    try:
        for _ in range(600):
            assert server.poll() is None, log.read_text()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2).read()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/ogc"
        assert "Traceback" not in log.read_text()
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)
        subprocess.run([*psql, f"DROP DATABASE {DATABASE} WITH (FORCE)"], check=True)


@pytest.fixture(scope="module")
def stored(service: str, django_db_blocker: Any) -> geopandas.GeoDataFrame:
    """The boundaries in force, read from the database without the service."""
    with django_db_blocker.unblock():
        rows = list(Boundary.objects.current().select_related("place").order_by("place__path"))
        frame = geopandas.GeoDataFrame(
            {
                "id": [row.place.path.replace("/", ".") for row in rows],
                "code": [row.place.code for row in rows],
                "kind": [row.place.kind for row in rows],
                "name_fa": [row.place.name_fa for row in rows],
            },
            geometry=[shapely.from_wkb(bytes(row.geometry.wkb)) for row in rows],
            crs=4326,
        )
        connections.close_all()
    return frame


@pytest.fixture
def gdal(service: str) -> Callable[..., geopandas.GeoDataFrame]:
    """Return a function that reads the collection with GDAL's OAPIF driver."""

    def read(**options: Any) -> geopandas.GeoDataFrame:
        return pyogrio.read_dataframe(f"OAPIF:{service}", layer="boundaries", **options)

    return read


def settlements(stored: geopandas.GeoDataFrame) -> list[str]:
    """Identifiers of the demo city's informal settlements."""
    return [row.id for row in stored.itertuples() if row.kind == "settlement" and f".{CITY}." in row.id]


# ---------------------------------------------------------------- GDAL


def test_gdal_reads_all_boundaries(service: str, gdal: Callable[..., Any], stored: geopandas.GeoDataFrame) -> None:
    info = pyogrio.read_info(f"OAPIF:{service}", layer="boundaries")
    assert info["features"] == len(stored)
    assert 'AUTHORITY["OGC","CRS84"]' in info["crs"]
    assert info["geometry_type"] == "MultiPolygon"
    types = dict(zip(info["fields"], info["dtypes"], strict=True))
    assert types["version"].startswith("int")
    assert types["valid_from"].startswith("datetime")
    read = gdal().sort_values("id").reset_index(drop=True)
    expected = stored.sort_values("id").reset_index(drop=True)
    assert list(read["id"]) == list(expected["id"])
    assert list(read["name_fa"]) == list(expected["name_fa"])
    assert all(shapely.equals_exact(read.geometry.array, expected.geometry.array))


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_gdal_pages(gdal: Callable[..., Any], stored: geopandas.GeoDataFrame, size: int) -> None:
    read = gdal(PAGE_SIZE=str(size))
    assert sorted(read["id"]) == sorted(stored["id"])


def test_gdal_filters_by_box(gdal: Callable[..., Any], stored: geopandas.GeoDataFrame) -> None:
    quarters = stored[stored["kind"] == "neighbourhood"]
    box = tuple(shapely.box(*quarters.geometry.iloc[3].bounds).buffer(-1e-4).bounds)
    read = gdal(bbox=box)
    expected = stored[shapely.intersects(stored.geometry.array, shapely.box(*box))]
    assert 0 < len(expected) < len(stored)
    assert sorted(read["id"]) == sorted(expected["id"])


@pytest.mark.parametrize(
    ("where", "column", "values"),
    [
        ("kind = 'settlement'", "kind", ["settlement"]),
        (f"city = '{CITY}' AND kind = 'district'", "kind", ["district"]),
        ("kind = 'settlement' OR kind = 'district'", "kind", ["settlement", "district"]),
        ("kind IN ('settlement')", "kind", ["settlement"]),
        ("kind LIKE 'sett%'", "kind", ["settlement"]),
    ],
)
def test_gdal_filters_by_attribute(
    gdal: Callable[..., Any], stored: geopandas.GeoDataFrame, where: str, column: str, values: list[str]
) -> None:
    read = gdal(where=where)
    expected = stored[stored[column].isin(values)]
    if CITY in where:
        expected = expected[expected["id"].str.contains(f".{CITY}.", regex=False)]
    assert len(expected) > 0
    assert sorted(read["id"]) == sorted(expected["id"])


def test_gdal_asks_the_service_to_filter(service: str, gdal: Callable[..., Any], tmp_path: Path) -> None:
    """Equality reaches the service as a parameter, which GDAL finds in the definition of the service."""
    log = tmp_path / "gdal.log"
    before = {name: pyogrio.get_gdal_config_option(name) for name in ("CPL_DEBUG", "CPL_LOG")}
    program = (
        "import pyogrio; pyogrio.set_gdal_config_options({'CPL_DEBUG': 'HTTP,OAPIF', 'CPL_LOG': %r}); "
        "print(len(pyogrio.read_dataframe(%r, layer='boundaries', where=\"kind = 'settlement'\")))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program % (str(log), f"OAPIF:{service}")], check=True, capture_output=True, text=True
    )
    assert int(done.stdout) > 0
    assert "kind=settlement" in log.read_text()
    assert before == {name: pyogrio.get_gdal_config_option(name) for name in before}


@pytest.mark.parametrize("epsg", [4326, 3857, 32639])
def test_gdal_reads_in_other_reference_systems(
    gdal: Callable[..., Any], stored: geopandas.GeoDataFrame, epsg: int
) -> None:
    read = gdal(CRS=f"EPSG:{epsg}", where=f"city = '{CITY}'").sort_values("id")
    assert read.crs.to_authority() == (
        ("OGC", "CRS84") if epsg == 4326 else ("EPSG", str(epsg))
    )  # to GDAL they are the same
    expected = stored.set_index("id").loc[list(read["id"])]
    drawn = project(expected.geometry.to_numpy(), 4326, epsg)
    apart = shapely.hausdorff_distance(read.geometry.to_numpy(), drawn)
    assert np.max(apart) < (1e-9 if epsg == 4326 else 1e-3)
    quarter = read[read["kind"] == "neighbourhood"].iloc[0]
    near = gdal(CRS=f"EPSG:{epsg}", bbox=tuple(quarter.geometry.representative_point().buffer(1e-6).bounds))
    assert quarter["id"] in set(near["id"])


def test_gdal_sees_drafts_with_a_name_and_password_alone(service: str, stored: geopandas.GeoDataFrame) -> None:
    made = write(service, "POST", "items", NEW)
    assert made.status_code == 201, made.text
    address = f"OAPIF:{service}/collections/boundaries?status=draft"
    seen = pyogrio.read_dataframe(address, layer="boundaries", USERPWD=f"planner:{PASSWORD}")
    assert made.json()["id"] in set(seen["id"])
    assert set(seen["status"]) == {"draft"}
    assert len(pyogrio.read_dataframe(address, layer="boundaries")) == 0
    with pytest.raises(pyogrio.errors.DataSourceError):
        pyogrio.read_dataframe(address, layer="boundaries", USERPWD="planner:wrong")


def test_gdal_copies_the_collection_into_a_file(service: str, tmp_path: Path, stored: geopandas.GeoDataFrame) -> None:
    meta, table = pyogrio.read_arrow(f"OAPIF:{service}", layer="boundaries")
    file = tmp_path / "copy.gpkg"
    pyogrio.write_arrow(
        table, file, driver="GPKG", layer="boundaries", crs="EPSG:4326", geometry_type="MultiPolygon",
        geometry_name=meta["geometry_name"] or "wkb_geometry",
    )  # fmt: skip
    copied = pyogrio.read_dataframe(file)
    assert sorted(copied["code"]) == sorted(stored["code"])
    areas = [shapely.area(frame.geometry.array).sum() for frame in (copied, stored)]
    assert areas[0] == pytest.approx(areas[1], rel=1e-9)


# ---------------------------------------------------------------- OWSLib


@pytest.fixture
def owslib_client(service: str) -> Iterator[Callable[..., Features]]:
    """Return a function that gives an OWSLib client; it keeps headers in a module, which is put back afterwards."""
    headers = dict(owslib.ogcapi.REQUEST_HEADERS)

    def client(name: str = "", **more: str) -> Features:
        signed = Authentication(username=name, password=PASSWORD) if name else None
        return Features(service, auth=signed, headers=more or None)

    yield client
    owslib.ogcapi.REQUEST_HEADERS.clear()
    owslib.ogcapi.REQUEST_HEADERS.update(headers)


def test_owslib_finds_its_way(owslib_client: Callable[..., Features]) -> None:
    client = owslib_client()
    assert client.api()["openapi"].startswith("3.0")
    assert "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core" in client.conformance()["conformsTo"]
    assert client.feature_collections() == ["boundaries"]
    assert client.collection("boundaries")["title"]
    assert "kind" in client.collection_queryables("boundaries")["properties"]
    assert "kind" in client.collection_schema("boundaries")["properties"]


def test_owslib_reads_filters_and_pages(owslib_client: Callable[..., Features], stored: geopandas.GeoDataFrame) -> None:
    client = owslib_client()
    first = client.collection_items("boundaries", limit=5)
    assert first["numberMatched"] == len(stored)
    seen, offset = [], 0
    while True:
        page = client.collection_items("boundaries", limit=40, offset=offset, city=CITY)
        seen += [feature["id"] for feature in page["features"]]
        offset += 40
        if not any(link["rel"] == "next" for link in page["links"]):
            break
    in_city = [identifier for identifier in stored["id"] if f".{CITY}" in identifier]
    assert sorted(seen) == sorted(identifier for identifier in in_city if not identifier.endswith("-county"))
    point = stored[stored["kind"] == "neighbourhood"].geometry.iloc[0].representative_point()
    found = client.collection_items(
        "boundaries", filter=f"kind = 'neighbourhood' AND S_INTERSECTS(geometry, POINT({point.x} {point.y}))"
    )
    assert found["numberMatched"] == 1
    boxed = client.collection_items("boundaries", bbox=[point.x, point.y, point.x, point.y], datetime_="2026-06-01")
    assert found["features"][0]["id"] in {feature["id"] for feature in boxed["features"]}
    single = client.collection_item("boundaries", found["features"][0]["id"])
    assert single["geometry"] == found["features"][0]["geometry"]


NEW = {
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [[[48.30, 33.40], [48.303, 33.40], [48.303, 33.403], [48.30, 33.40]]]},
    "properties": {
        "code": "by-a-client", "city": CITY, "kind": "settlement", "name_fa": "ساخته", "name_en": "Made", "source": "walk",
    },
}  # fmt: skip


def write(service: str, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
    """Send a write as the planner, as any program would."""
    return requests.request(
        method, f"{service}/collections/boundaries/{path}", json=body, auth=("planner", PASSWORD), timeout=30,
        headers={"Content-Type": "application/geo+json", **headers},
    )  # fmt: skip


def test_owslib_creates_what_gdal_wrote(owslib_client: Callable[..., Features], service: str, tmp_path: Path) -> None:
    file = tmp_path / "new.geojson"
    frame = geopandas.GeoDataFrame(
        [NEW["properties"] | {"code": "by-gdal"}], geometry=[shapely.box(48.31, 33.40, 48.312, 33.402)], crs=4326
    )
    pyogrio.write_dataframe(frame, file, driver="GeoJSON")
    (feature,) = json.loads(file.read_text())["features"]
    client = owslib_client("planner")
    assert client.collection_item_create("boundaries", feature)
    location = client.response_headers["Location"]
    drafted = owslib_client("planner").collection_item("boundaries", location.rsplit("/", 1)[1])
    assert drafted["properties"]["code"] == "by-gdal"
    assert drafted["properties"]["status"] == "draft"
    assert shapely.geometry.shape(drafted["geometry"]).equals(frame.geometry[0])
    assert requests.get(location, timeout=30).status_code == 404


def test_owslib_replaces_and_removes_with_the_tag_it_read(
    owslib_client: Callable[..., Features], service: str, stored: geopandas.GeoDataFrame
) -> None:
    identifier = settlements(stored)[0]
    client = owslib_client("planner")
    feature = client.collection_item("boundaries", identifier)
    tag = client.response_headers["ETag"]
    assert client.response_headers["Content-Encoding"] == "gzip"  # compressed, and the tag is strong all the same
    assert tag.startswith('"')
    feature["properties"]["source"] = "walked again"
    with pytest.raises(RuntimeError, match="428"):
        client.collection_item_update("boundaries", identifier, feature)
    client.headers["If-Match"] = tag
    assert client.collection_item_update("boundaries", identifier, feature)
    with pytest.raises(RuntimeError, match="412"):
        client.collection_item_update("boundaries", identifier, feature)
    del client.headers["If-Match"]
    client.collection_item("boundaries", identifier)
    client.headers["If-Match"] = client.response_headers["ETag"]
    assert client.collection_item_delete("boundaries", identifier)
    del client.headers["If-Match"]
    still = client.collection_item("boundaries", identifier)
    assert still["properties"]["open_changes"] == 2


def test_owslib_is_told_what_is_wrong(owslib_client: Callable[..., Features]) -> None:
    client = owslib_client()
    with pytest.raises(RuntimeError, match="unknown_queryable"):
        client.collection_items("boundaries", filter="password = 'x'")
    with pytest.raises(RuntimeError, match="401"):
        client.collection_item_create("boundaries", NEW)
    bow_tie = {
        "type": "Polygon",
        "coordinates": [[[48.5, 33.5], [48.6, 33.6], [48.6, 33.5], [48.5, 33.6], [48.5, 33.5]]],
    }
    with pytest.raises(RuntimeError, match=r"longitude 48\.55"):
        owslib_client("planner").collection_item_create("boundaries", NEW | {"geometry": bow_tie})


def test_of_writers_at_once_one_is_taken_and_the_others_are_told(service: str, stored: geopandas.GeoDataFrame) -> None:
    identifier = settlements(stored)[2]
    read = requests.get(f"{service}/collections/boundaries/items/{identifier}", auth=("planner", PASSWORD), timeout=30)
    feature = read.json()

    def put(number: int) -> int:
        body = feature | {"properties": feature["properties"] | {"source": f"writer {number}"}}
        return write(service, "PUT", f"items/{identifier}", body, **{"If-Match": read.headers["ETag"]}).status_code

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(put, range(4)))
    assert statuses == [202, 412, 412, 412]


# ---------------------------------------------------------------- what QGIS sends


def test_the_requests_of_qgis_are_served(service: str, stored: geopandas.GeoDataFrame) -> None:
    identifier = settlements(stored)[1]
    allowed = requests.options(f"{service}/collections/boundaries/items", auth=("planner", PASSWORD), timeout=30)
    assert "POST" in allowed.headers["Allow"]
    one = f"{service}/collections/boundaries/items/{identifier}"
    assert {"PUT", "PATCH", "DELETE"} <= set(
        requests.options(one, auth=("planner", PASSWORD), timeout=30).headers["Allow"].split(", ")
    )
    question = {
        "filter": "((CASEI(\"name_en\") LIKE CASEI('%a%')) AND (\"kind\" = 'settlement'))",
        "filter-lang": "cql2-text",
    }
    assert requests.get(f"{service}/collections/boundaries/items", question, timeout=30).json()["numberMatched"] > 0
    boxed = {
        "filter": "S_INTERSECTS(geometry,BBOX(48,33,49,34))",
        "filter-lang": "cql2-text",
        "filter-crs": f"{EPSG}4326",
    }
    assert requests.get(f"{service}/collections/boundaries/items", boxed, timeout=30).json()["numberMatched"] == 0
    metres = project(shapely.from_geojson(json.dumps(requests.get(one, timeout=30).json()["geometry"])), 4326, 32639)[0]
    patched = write(
        service, "PATCH", f"items/{identifier}", {"geometry": shapely.geometry.mapping(metres.buffer(20))},
        **{"Content-Crs": f"{EPSG}32639", "Content-Type": "application/merge-patch+json", "If-Match": "*"},
    )  # fmt: skip
    assert patched.status_code == 202, patched.text
