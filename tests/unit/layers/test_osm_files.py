"""OpenStreetMap files into layers: points, lines and areas by a rule, of small files and of real extracts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyproj
import pytest
import shapely

from layers.reading import Plan, read_file, summary
from layers.reading.arrow_layers import open_batches
from layers.reading.limits import DEFAULT
from layers.reading.osm_rules import rules_of
from layers.reading.plan import RefusedError
from layers.reading.source import open_source

GEOD = pyproj.Geod(ellps="WGS84")
NODES = {1: (48.30, 33.40), 2: (48.31, 33.40), 3: (48.31, 33.41), 4: (48.30, 33.41),
         5: (48.303, 33.403), 6: (48.306, 33.403), 7: (48.306, 33.406), 8: (48.303, 33.406), 9: (48.32, 33.42)}  # fmt: skip


def tags(**values: str) -> str:
    return "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in values.items())


def way(number: int, nodes: list[int], **values: str) -> str:
    return f'<way id="{number}">' + "".join(f'<nd ref="{n}"/>' for n in nodes) + tags(**values) + "</way>"


def write(path: Path, *elements: str, node_tags: dict[int, dict[str, str]] | None = None) -> Path:
    nodes = "".join(
        f'<node id="{n}" lat="{lat}" lon="{lon}">{tags(**(node_tags or {}).get(n, {}))}</node>'
        for n, (lon, lat) in NODES.items()
    )
    path.write_text(
        f'<?xml version="1.0" encoding="UTF-8"?><osm version="0.6">{nodes}{"".join(elements)}</osm>', encoding="utf-8"
    )
    return path


def rows(path: Path, layer: str, **options: Any) -> dict[str, tuple[shapely.Geometry, dict[str, Any]]]:
    plan = read_file(path, layer=layer, **options)
    assert isinstance(plan, Plan)
    assert plan.is_loadable, summary(plan)
    attributes = list(plan.rows.attributes())
    return {a["osm_id"]: (g, a) for g, a in zip(plan.rows.geometries_4326, attributes, strict=True)}


def test_areas_become_points_inside_them_where_the_rule_wants_points(tmp_path: Path) -> None:
    """A ring-shaped hospital has its centre outside of itself."""
    path = write(
        tmp_path / "a.osm",
        way(1, [1, 2, 3, 4, 1], amenity="clinic", name="درمانگاه شهید چمران", opening_hours="Sa-We 08:00-14:00"),
        way(2, [1, 2, 3, 4, 1]),
        way(3, [5, 6, 7, 8, 5]),
        '<relation id="7"><member type="way" ref="2" role="outer"/><member type="way" ref="3" role="inner"/>'
        + tags(type="multipolygon", amenity="hospital", capacity__beds="120", name="بیمارستان", name__en="Hospital")
        + "</relation>",
        way(4, [1, 9], amenity="clinic"),
        node_tags={9: {"amenity": "clinic", "name": "Nine"}},
    )
    clinics = rows(path, "clinic")
    assert set(clinics) == {"node/9", "way/1"}
    assert shapely.get_coordinates(clinics["node/9"][0])[0] == pytest.approx(NODES[9], abs=1e-9)
    point, attributes = clinics["way/1"]
    assert shapely.box(48.30, 33.40, 48.31, 33.41).contains(point)
    assert attributes["name"] == "درمانگاه شهید چمران"
    assert attributes["opening_hours"] == "Sa-We 08:00-14:00"
    (hospital,) = rows(path, "hospital").values()
    hole = shapely.box(48.303, 33.403, 48.306, 33.406)
    assert not hole.intersects(hospital[0])
    assert hospital[1]["capacity"] == 120
    assert hospital[1]["name_en"] == "Hospital"
    plan = read_file(path, layer="clinic")
    assert [(p.code, p.severity) for p in plan.problems if p.code == "left_out"] == [("left_out", "warning")]
    assert "1 open ways" in next(p.message for p in plan.problems if p.code == "left_out")


def test_relations_become_areas_with_their_holes(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.osm",
        way(2, [1, 2, 3], barrier="wall"),
        way(3, [3, 4, 1]),
        way(4, [5, 6, 7, 8, 5], natural="water"),
        '<relation id="7"><member type="way" ref="2" role="outer"/><member type="way" ref="3" role="outer"/>'
        '<member type="way" ref="4" role="inner"/>' + tags(type="multipolygon", leisure="park") + "</relation>",
    )
    ((key, (area, _)),) = rows(path, "park").items()
    assert key == "relation/7"
    expected = shapely.difference(shapely.box(48.30, 33.40, 48.31, 33.41), shapely.box(48.303, 33.403, 48.306, 33.406))
    assert area.equals(expected)
    assert set(rows(path, "water-bodies")) == {"way/4"}


def test_closed_ways_are_lines_or_areas_as_the_rule_wants(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.osm",
        way(1, [1, 2, 3, 4, 1], highway="residential", building="yes"),  # GDAL gives it as an area
        way(2, [5, 6, 7, 8, 5], highway="residential", junction="roundabout"),  # and this as a line
        way(3, [1, 2, 3, 4, 1], sport="soccer", wall="brick"),
    )
    roads = rows(path, "roads")
    assert {key: geometry.geom_type for key, (geometry, _) in roads.items()} == {
        "way/1": "LineString", "way/2": "LineString",
    }  # fmt: skip
    assert all(geometry.is_closed for geometry, _ in roads.values())
    own = rules_of('format = 1\n[[rules]]\ncode = "islands"\ngeometry = "polygon"\nwhere = { junction = "*" }\n')
    with open_source(path, DEFAULT, rules=own) as source, open_batches(source, "islands", limits=DEFAULT) as opened:
        (batch,) = opened.batches
    assert batch.column("osm_id").to_pylist() == ["way/2"]
    area = shapely.from_wkb(batch.column("wkb_geometry")[0].as_py())
    assert area.equals(shapely.box(48.303, 33.403, 48.306, 33.406))


def test_only_the_attributes_asked_for_are_given(tmp_path: Path) -> None:
    path = write(tmp_path / "a.osm", way(1, [1, 2], highway="residential", width="6", name="خیابان"))
    ((_, attributes),) = rows(path, "roads").values()
    assert attributes == {"osm_id": "way/1", "name": "خیابان", "class": "residential", "width_m": 6.0}
    plan = read_file(path, layer="roads", fields=["class"], name_field="name")
    assert plan.rows.names == ("خیابان",)
    assert list(plan.rows.attributes()) == [{"class": "residential"}]


def test_a_way_without_its_nodes_is_left_out_and_not_invented(tmp_path: Path) -> None:
    """Extracts are often cut so: a way of which no node is there has no place."""
    path = write(tmp_path / "a.osm", way(1, [1, 2], highway="primary"), way(2, [101, 102], highway="primary"))
    plan = read_file(path, layer="roads", repair=True)
    assert [a["osm_id"] for a in plan.rows.attributes()] == ["way/1"]


def test_an_unknown_rule_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.osm", way(1, [1, 2], highway="primary"))
    (problem,) = read_file(path, layer="raods").errors
    assert problem.code == "no_such_layer"
    with open_source(path, DEFAULT) as source, pytest.raises(RefusedError), open_batches(source, "x", limits=DEFAULT):
        pass


# Real extracts


def length_km(plan: Plan) -> float:
    return sum(GEOD.geometry_length(line) for line in plan.rows.geometries_4326) / 1000


def test_the_walking_network_of_tehran_is_whole(real_data: Path) -> None:
    path = real_data / "tehran_district6" / "walk_network_overpass.osm"
    text = path.read_text(encoding="utf-8")
    ways = {f"way/{number}" for number in re.findall(r'<way id="(\d+)"', text)}
    assert len(ways) == 6_913
    every = read_file(path, layer="streets-and-paths", near=(51.37, 35.68, 51.44, 35.75))
    assert isinstance(every, Plan)
    assert every.is_loadable, summary(every)
    assert set(every.rows.columns["osm_id"]) == ways
    assert length_km(every) == pytest.approx(925, abs=0.5)
    walking = read_file(path, layer="walking-network", near=(51.37, 35.68, 51.44, 35.75))
    assert isinstance(walking, Plan)
    # One way, a tunnel for buses, says itself that nobody may walk there.
    (left,) = ways - set(walking.rows.columns["osm_id"])
    assert 'k="foot" v="no"' in text.partition(f'<way id="{left[4:]}"')[2].partition("</way>")[0]
    assert walking.kind == "line"
    assert "خیابان" in " ".join(str(name) for name in walking.rows.columns["name"])


def test_the_extract_of_porto_alegre_gives_roads_and_facilities(real_data: Path) -> None:
    path = real_data / "porto_alegre" / "poa_osm.pbf"
    expected = {"roads": ("line", 12_400), "walking-network": ("line", 15_200), "bus-stop": ("point", 1_054),
                "stations": ("point", 36), "buildings": ("polygon", 19), "park": ("polygon", 2)}  # fmt: skip
    for layer, (kind, about) in expected.items():
        plan = read_file(path, layer=layer, near=(-51.27, -30.27, -51.01, -29.93), repair=True)
        assert isinstance(plan, Plan)
        assert plan.is_loadable, summary(plan)
        assert plan.kind == kind
        assert len(plan.rows) == pytest.approx(about, rel=0.01)
        keys = plan.rows.columns["osm_id"]
        assert len(set(keys)) == len(keys)
    assert [p.code for p in read_file(path, layer="mosques").errors] == ["no_rows"]
