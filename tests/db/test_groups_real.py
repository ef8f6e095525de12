"""Women, children and older people as a census counted them: the counties of Lorestan, against sums over the census."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from analysis.caching import caches_clear
from analysis.measures.answers import groups_answer
from analysis.measures.groups import groups_compute
from analysis.services import coverage_compute
from config.loading import city_load
from fixtures.khorramabad.writing import Table, write_table
from geo.querysets import system_user

pytestmark = pytest.mark.django_db

DESCRIPTION = """format = 1

[[chain]]
kind = "country"
code = "census-land"
name_fa = "سرزمین سرشماری"
name_en = "Census Land"

[city]
code = "lorestan"
name_fa = "لرستان"
name_en = "Lorestan"

[[places]]
kind = "neighbourhood"
file = "counties.fgb"
code = "code"
name_fa = "name"
name_en = "name"
source = "Census 2016"
certainty = "surveyed"
valid_from = 2016-11-01
repair = true

[[layers]]
code = "census"
theme = "population"
file = "counties.fgb"
repair = true
name_fa = "سرشماری"
name_en = "Census"
source = "Census 2016"

[[layers]]
code = "hospital"
theme = "health"
file = "hospital.fgb"
name_fa = "بیمارستان"
name_en = "Hospital"
source = "Assumed"

[[supply]]
service = "hospital"
layer = "hospital"

[population]
layer = "census"
field = "people"
groups = { women = "women", children = "children", older = "older" }

[analysis]
cell_m = 1000

[standards]
hospital = 40000
"""
LORESTAN = "لرستان"
KHORRAMABAD = (48.3558, 33.4878)


def test_groups_of_a_census_are_counted_and_covered_as_the_census_has_them(real_data: Path, tmp_path: Path) -> None:
    """Groups are shares of each county: within one all have the same coverage, and in the province they have not."""
    meta, _, wkb, columns = pyogrio.raw.read(real_data / "iran" / "iran2016census.shp")
    of = dict(zip(meta["fields"].tolist(), columns, strict=True))
    with (real_data / "iran" / "iran2016census.csv").open(encoding="utf-8-sig", newline="") as file:
        province = next(int(row["province_code"]) for row in csv.DictReader(file) if row["province_name"] == LORESTAN)
    here = np.flatnonzero(of["prvnc_c"].astype(int) == province)  # their names are lost in this file
    assert here.size == 11
    ages = {
        sex: [name for name in of if name.startswith(starts)]
        for sex, starts in (("m", ("mal_", "m_", "ml_")), ("f", ("fml_", "f_", "fm_")))
    }
    assert len(ages["m"]) == len(ages["f"]) == 21

    def added(names: list[str]) -> np.ndarray:
        return np.sum([of[name][here].astype(np.int64) for name in names], axis=0)

    people = added(ages["m"] + ages["f"])
    assert people.sum() == 1_760_649
    groups = {
        "women": added(ages["f"]),
        "children": added(ages["m"][:3] + ages["f"][:3]),
        "older": added(ages["m"][13:] + ages["f"][13:]),
    }
    assert ages["f"][2:3] + ages["f"][13:14] == ["f_10-14", "f_65-69"]
    shapes = shapely.from_wkb(wkb[here])
    codes = np.array([f"c{row}" for row in here], dtype=object)
    columns_now = {"code": codes, "name": codes, "people": people, **groups}
    write_table(tmp_path / "counties.fgb", Table("Unknown", shapely.make_valid(shapes), columns_now, in_degrees=True))
    hospital = np.array([shapely.Point(*KHORRAMABAD)], dtype=object)
    write_table(tmp_path / "hospital.fgb", Table("Point", hospital, {"name": codes[:1]}, in_degrees=True))
    (tmp_path / "city.toml").write_text(DESCRIPTION, encoding="utf-8")
    caches_clear()
    city = city_load(tmp_path / "city.toml")

    found = groups_compute(city=city, user=system_user())
    everybody = coverage_compute(city=city, user=system_user())
    row = {place.code: number for number, place in enumerate(found.basis.places)}
    order = [row[code] for code in codes]
    assert set(found.groups) == set(groups)
    for number, group in enumerate(found.groups):
        # Counties overlap and gape by slivers where their outlines were drawn apart.
        np.testing.assert_allclose(found.population[number][order], groups[group], rtol=2e-3)
        assert found.city_people[number] == pytest.approx(groups[group].sum(), rel=1e-3)
        share = everybody.values.population_share[order, 0]
        np.testing.assert_allclose(found.population_share[number][order, 0], share, atol=5e-3)
        expected = float(share @ groups[group]) / groups[group].sum()
        assert found.city_share[number, 0] == pytest.approx(expected, abs=2e-3)
        np.testing.assert_allclose(
            found.uncovered_people[number][order, 0], groups[group] * (1 - share), rtol=0.02, atol=200
        )
    assert 0 < everybody.values.population_share[:, 0].min() + 1e-9 < everybody.values.population_share[:, 0].max()
    of_group = dict(zip(found.groups, found.city_share[:, 0], strict=True))
    assert len({round(float(share), 4) for share in of_group.values()}) == 3  # each lives where it lives
    rows = groups_answer(found).rows()
    assert {one["group"] for one in rows["city"]} == set(groups)
