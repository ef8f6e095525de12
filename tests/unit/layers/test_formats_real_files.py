"""Every file of real data is recognised, and read whole or refused for what is really wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from layers.reading import Plan, RasterPlan, read_file, summary

#: What is wrong with each, by the options that are needed to read it at all; nothing for the others.
DEFECTS: dict[str, tuple[dict[str, object], dict[str, int]]] = {
    "iran/iran2016census.shp": ({}, {"invalid_geometry": 35}),
    "iran/iran2016census.csv": ({}, {"no_coordinates": 1}),  # joins by the name of a county
    "djibouti/blocks_DJI.1.1_1.csv": ({"source_epsg": 4326}, {}),
    "djibouti/complexity_DJI.1.1_1.csv": ({"source_epsg": 4326}, {}),
    "porto_alegre/poa_osm.pbf": ({"layer": "roads"}, {}),
    "tehran_district6/walk_network_overpass.osm": ({"layer": "walking-network"}, {}),
}
PARTS = {".dbf", ".shx", ".prj", ".cpg", ".md"}


def test_every_real_file_is_read_or_its_defect_named(real_data: Path) -> None:
    paths = [path for path in sorted(real_data.rglob("*")) if path.is_file() and path.suffix not in PARTS]
    assert len(paths) >= 20
    assert {str(path.relative_to(real_data)) for path in paths} >= DEFECTS.keys()
    for path in paths:
        options, defects = DEFECTS.get(str(path.relative_to(real_data)), ({}, {}))
        plan = read_file(path, **options)
        assert plan.counts["error"] == defects, summary(plan)
        assert isinstance(plan, RasterPlan) or defects or len(plan.rows) > 0


def test_names_shortened_for_a_shapefile_are_told(real_data: Path) -> None:
    """The age groups of the census are columns, the names of which R abbreviated; those of the sectors were cut."""
    for name, words in {
        "iran/iran2016census.shp": "'prvnc_n', 'cnty_nm'",
        "sao_vicente/setores": "'Censo_20_1'",
    }.items():
        plan = read_file(real_data / name, repair=True)
        (problem,) = [problem for problem in plan.problems if problem.code == "shortened_names"]
        assert words in problem.message
        assert problem.severity == "warning"
        assert plan.is_loadable


def test_leaving_one_age_group_out_gives_a_wrong_total(real_data: Path) -> None:
    """All of the 42 columns together are the people of Iran; that no field is cut off is checked by their sum."""
    plan = read_file(real_data / "iran/iran2016census.shp", repair=True)
    assert isinstance(plan, Plan)
    ages = [name for name in plan.rows.fields if name not in ("prvnc_n", "cnty_nm", "prvnc_c", "cnty_cd")]
    assert len(ages) == 42
    total = sum(sum(filter(None, plan.rows.columns[name])) for name in ages)
    assert total == pytest.approx(79_926_270)
    women = sum(sum(filter(None, plan.rows.columns[name])) for name in ages if name.startswith("f"))
    assert women == pytest.approx(39_427_828)
