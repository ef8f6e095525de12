"""Every real file of the development data is read, with exactly the problems it is known to have."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo.core.measuring import area_m2
from layers.reading import Plan, RasterPlan, read_city, read_file, read_raster, read_table, read_vector, summary

ROOT = Path(__file__).resolve().parents[3]

# File, options, rows, kind; all of them load without a remark, but for rows that are really there twice.
CLEAN = [
    ("sao_vicente/bairros_indicadores.geojson", {"name_field": "bairro"}, 30, "polygon"),
    ("sao_vicente/favelas.geojson", {"name_field": "nome"}, 38, "polygon"),
    ("sao_vicente/saude.geojson", {"name_field": "nome"}, 330, "point"),
    ("sao_vicente/transporte_paradas.geojson", {"name_field": "nome"}, 452, "point"),
    ("sao_vicente/transporte_rotas.geojson", {"name_field": "nome"}, 14, "line"),
    ("sao_vicente/areas_verdes.geojson", {"name_field": "nome"}, 181, "polygon"),
    ("sao_vicente/parques_lazer.geojson", {"name_field": "nome"}, 155, "polygon"),
    ("sao_vicente/setores", {"name_field": "CD_SETOR"}, 667, "polygon"),
    ("iran/iran_counties.gpkg", {"name_field": "name_fa"}, 478, "polygon"),
    ("iran/lorestan_counties.geojson", {"name_field": "name_fa"}, 11, "polygon"),
    ("shiraz/residents_points.geojson", {"name_field": "id"}, 2_882, "point"),
    ("shiraz/roads.geojson", {"name_field": "name"}, 35_756, "line"),
    ("tehran_district6/districts_nominatim.geojson", {"name_field": "name"}, 4, "polygon"),
    ("tehran_district6/tehran_city_boundary.geojson", {"name_field": "name"}, 1, "polygon"),
    ("djibouti/buildings_DJI.1.1_1.geojson", {"name_field": "name"}, 3_855, "polygon"),
    ("djibouti/blocks_DJI.1.1_1.csv", {"source_epsg": 4326, "name_field": "block_id"}, 540, "polygon"),
    ("djibouti/complexity_DJI.1.1_1.csv", {"source_epsg": 4326, "name_field": "block_id"}, 196, "polygon"),
    ("porto_alegre/poa_hexgrid.csv", {"name_field": "id"}, 1_227, "point"),
    ("porto_alegre/poa_points_of_interest.csv", {"name_field": "id"}, 15, "point"),
]
DOUBLES = {
    "sao_vicente/setores": {"shortened_names": 1},  # 'Censo_20_1' to 'Censo_20_9'
    "sao_vicente/saude.geojson": {"same_place": 1},  # practices in one house
    "sao_vicente/transporte_paradas.geojson": {"same_place": 1},
    "sao_vicente/areas_verdes.geojson": {"duplicate_geometry": 2},
    "shiraz/residents_points.geojson": {"same_place": 1},
}


@pytest.mark.parametrize(("name", "options", "rows", "kind"), CLEAN, ids=[row[0] for row in CLEAN])
def test_a_clean_file_loads_whole(name: str, options: dict[str, object], rows: int, kind: str, real_data: Path) -> None:
    plan = read_file(real_data / name, expect=kind, **options)
    assert isinstance(plan, Plan)
    assert plan.counts["error"] == plan.counts["repaired"] == {}, summary(plan)
    assert plan.counts["warning"] == DOUBLES.get(name, {}), summary(plan)
    assert (len(plan.rows), plan.n_rows, plan.kind) == (rows, rows, kind)
    assert shapely.is_valid(plan.rows.geometries_4326).all()
    assert any(plan.rows.names)


def test_census_sectors_come_from_another_datum_and_keep_their_people(real_data: Path) -> None:
    plan = read_vector(real_data / "sao_vicente/setores", fields=["hab_setor", "area_setor"])
    assert plan.crs == "EPSG:4674"
    people = plan.rows.columns["hab_setor"]
    assert people.count(None) == 31
    assert all(isinstance(count, int) for count in people if count is not None)
    bairros = read_vector(real_data / "sao_vicente/bairros_indicadores.geojson", fields=["populacao"])
    assert sum(filter(None, people)) == sum(bairros.rows.columns["populacao"])
    published_m2 = 1e6 * np.array(plan.rows.columns["area_setor"])
    np.testing.assert_allclose(area_m2(plan.rows.geometries_4326), published_m2, rtol=1e-4, atol=0.1)


def test_the_census_of_iran_has_35_invalid_areas_that_can_be_mended(real_data: Path) -> None:
    path = real_data / "iran/iran2016census.shp"
    plan = read_vector(path)
    assert plan.counts["error"] == {"invalid_geometry": 35}
    assert len(plan.errors) == 35
    assert all(p.row and p.lon and p.lat and "--repair" in p.remedy for p in plan.errors)
    west, south, east, north = 44, 25, 64, 40
    assert all(west < (p.lon or 0) < east and south < (p.lat or 0) < north for p in plan.errors)
    # Its names were lost before it was written: they are question marks in the file itself.
    assert plan.counts["warning"] == {"lost_letters": 2, "shortened_names": 1}

    mended = read_vector(path, repair=True)
    assert mended.is_loadable
    assert mended.counts["repaired"] == {"invalid_geometry": 35}
    assert len(mended.rows) == 429
    assert shapely.is_valid(mended.rows.geometries_4326).all()
    people = sum(
        sum(values) for name, values in mended.rows.columns.items() if name[:2] in ("ma", "m_", "ml", "fm", "f_")
    )
    assert people == 79_926_270


def test_a_table_without_coordinates_is_refused_with_its_columns(real_data: Path) -> None:
    plan = read_table(real_data / "iran/iran2016census.csv")
    assert [p.code for p in plan.problems] == ["no_coordinates"]


def test_tables_keep_their_numbers(real_data: Path) -> None:
    path = real_data / "porto_alegre/poa_hexgrid.csv"
    plan = read_table(path)
    with path.open(encoding="utf-8", newline="") as file:
        expected = sum(int(row["population"]) for row in csv.DictReader(file))
    assert sum(plan.rows.columns["population"]) == expected


def test_the_elevation_raster_is_read(real_data: Path) -> None:
    plan = read_raster(real_data / "porto_alegre/poa_elevation.tif")
    assert plan.problems == (), summary(plan)
    assert (plan.width, plan.height, plan.epsg, plan.dtype) == (413, 403, 4326, "uint8")
    assert plan.valid_pixels == 413 * 403
    assert plan.minimum is not None
    assert plan.maximum is not None
    assert 0 <= plan.minimum < plan.maximum <= 255
    assert plan.bounds_4326 == pytest.approx((-51.2549, -30.1096, -51.1401, -29.9976), abs=1e-3)


@pytest.mark.parametrize("name", ["porto_alegre/poa_osm.pbf", "tehran_district6/walk_network_overpass.osm"])
def test_openstreetmap_data_ask_for_a_rule(name: str, real_data: Path) -> None:
    plan = read_file(real_data / name)
    assert [p.code for p in plan.problems] == ["several_layers"]
    assert "'roads'" in plan.problems[0].message
    assert "--layer" in plan.problems[0].remedy


def test_every_file_of_sao_vicentes_description_loads_near_the_city(real_data: Path) -> None:
    city = read_city(ROOT / "fixtures" / "cities" / "sao-vicente.toml", data=real_data / "sao_vicente")
    near = (-46.55, -24.05, -46.35, -23.90)
    for layer in city.layers:
        expect = layer.kind if layer.kind != "raster" else None
        plan = read_file(
            layer.file.path, **layer.file.options(), near=near, expect=expect, fields=layer.fields,
            name_field=layer.name_field or None,
        )  # fmt: skip
        doubles = {"same_place", "duplicate_geometry", "duplicate_name", "duplicate_row", "shortened_names"}
        assert {problem.code for problem in plan.problems} <= doubles, summary(plan)
        assert not isinstance(plan, RasterPlan)
    for places in city.places:
        plan = read_file(places.outline.file.path, near=near, expect="polygon", name_field=places.name_fa)
        assert plan.problems == (), summary(plan)
    assert [rule.service for rule in city.supply if rule.layer == "health-units"] == ["clinic"]
