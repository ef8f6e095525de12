"""The census of Iran joined by name to the counties of OpenStreetMap: who finds whom, what is left on both sides, how many people that is."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from geo.models import Place
from layers.models import Feature, Layer
from layers.services.uploads import upload_change, upload_create, upload_store
from tests.db.bringing import received, worked

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_files_left")]

MEN, WOMEN = 40_498_442, 39_427_828
LORESTAN, KHORRAMABAD = 1_760_649, 506_471
#: Counties of the census that OpenStreetMap has otherwise or not at all, with their people.
ALONE = {
    "آذربایجان شرقی": ["مراغه"], "اصفهان": ["بوئین میاندشت"], "خراسان رضوی": ["بینالود"], "خوزستان": ["هفتگل"],
    "گلستان": ["علی آباد"], "گیلان": ["تالش"], "لرستان": ["پلدختر", "دوره"],
}  # fmt: skip
#: What they are called there. Pol-e Dokhtar is not there at all; only Mamulan is, which was a part of it.
PAIRS = {
    "مراغه": "شهرستان ویژه مراغه", "بوئین میاندشت": "شهرستان بوئین و میاندشت", "بینالود": "شهرستان طرقبه شاندیز",
    "هفتگل": "شهرستان هفتکل", "علی آباد": "شهرستان علی آباد کتول", "تالش": "شهرستان طوالش", "دوره": "شهرستان چگنی",
}  # fmt: skip


@pytest.fixture
def country(db: None) -> Place:
    """A place of the kind that layers belong to."""
    return Place.objects.create(kind="city", code="iran-whole", name_fa="ایران", name_en="Iran")


@pytest.fixture
def counties(country: Place, real_data: Path, personas: dict[str, Any]) -> Layer:
    upload = upload_create(
        city=country, author=personas["administrator"], received=received(real_data / "iran/iran_counties.gpkg"),
        new_layer=described("counties", "شهرستان‌ها", "Counties"), options={"name_field": "name"},
        reference_date=date(2025, 1, 1),
    )  # fmt: skip
    upload = worked(upload)
    upload = worked(upload_store(upload, upload.version))
    assert upload.layer is not None, upload.problem
    return upload.layer


def described(code: str, name_fa: str, name_en: str) -> dict[str, str]:
    return {"code": code, "theme": "health", "name_fa": name_fa, "name_en": name_en, "source": "Census 2016"}


def test_the_census_joined_to_the_counties_of_openstreetmap(
    country: Place, counties: Layer, real_data: Path, personas: dict[str, Any]
) -> None:
    path = real_data / "iran/iran2016census.csv"
    people = by_county(path)
    assert (len(people), sum(people.values())) == (429, MEN + WOMEN)

    options = {"code_field": "county_name", "join_layer": "counties", "sum_fields": ["male", "female"]}
    upload = upload_create(
        city=country, author=personas["administrator"], received=received(path), options=options,
        new_layer=described("census", "سرشماری", "Census"), reference_date=date(2016, 10, 21),
    )  # fmt: skip
    upload = worked(upload)
    report = upload.report
    found = report["joining"]
    lonely = {name for names in ALONE.values() for name in names}
    lost = sum(n for (_, county), n in people.items() if county in lonely)

    # Rows of 21 ages each: 421 counties found theirs, 8 did not, and OpenStreetMap has 57 that the census has not.
    assert not report["is_loadable"]
    assert report["counts"]["error"] == {"not_in_layer": 8 * 21}
    assert (found["rows"], found["matched"], found["unmatched"]) == (429 * 21, 421 * 21, 8 * 21)
    assert (found["features"], found["features_used"], found["features_without"]) == (478, 421, 57)
    assert {one["name"]: one["rows"] for one in found["rows_listed"]} == dict.fromkeys(lonely, 21)
    assert not any(one["several"] for one in found["rows_listed"]), "No name is that of two counties."
    without = {one["name"] for one in found["features_listed"]}
    assert {"شهرستان طوالش", "شهرستان چگنی", "شهرستان هفتکل"} <= without
    assert not any("پلدختر" in name.replace(" ", "").replace("\u200c", "") for name in without)
    close = {one["name"]: [near["name"] for near in one["close"]] for one in found["rows_listed"]}
    assert close["هفتگل"][0] == "شهرستان هفتکل"

    # What is lost is seen as people.
    totals = {one["field"]: one for one in found["totals"]}
    assert (totals["male"]["all"], totals["female"]["all"]) == (MEN, WOMEN)
    assert totals["male"]["matched"] + totals["female"]["matched"] == MEN + WOMEN - lost
    assert lost == 835_384

    # Names that are other words are said by a person; what is then still lost is one county, and is seen as such.
    paired = options | {"pairs": PAIRS, "leave_out": True}
    upload = worked(upload_change(upload, upload.version, options=paired))
    assert upload.report["is_loadable"], upload.report["problems"][:3]
    upload = worked(upload_store(upload, upload.version))
    assert upload.release is not None, upload.problem
    gone = {(p, c): n for (p, c), n in people.items() if c in lonely - PAIRS.keys()}
    assert gone == {("لرستان", "پلدختر"): 73_744}
    assert upload.release.quality["problems"]["repaired"] == {"row_left_out": 21}
    stored: Counter[str] = Counter()
    for one in Feature.objects.of(upload.release):
        stored[one.attributes["province_name"]] += one.attributes["male"] + one.attributes["female"]
        if one.attributes["county_name"] == "خرم آباد":
            assert one.attributes["male"] + one.attributes["female"] == KHORRAMABAD
    assert stored.total() == MEN + WOMEN - sum(gone.values())
    assert stored["لرستان"] == LORESTAN - sum(n for (province, _), n in gone.items() if province == "لرستان")
    assert upload.release.row_count == 428
    assert upload.release.how["pairs"] == PAIRS
    assert {p["code"] for p in upload.release.warnings if p["severity"] == "warning"} == {"differing_values"}


def test_the_areas_of_the_census_are_told_to_be_broken_and_mended_where_asked(
    country: Place, real_data: Path, personas: dict[str, Any], tmp_path: Path
) -> None:
    packed = tmp_path / "census.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted((real_data / "iran").glob("iran2016census.[dps]*")):
            archive.write(part, part.name)
    upload = upload_create(
        city=country, author=personas["administrator"], received=received(packed),
        new_layer=described("areas", "محدوده‌ها", "Areas"), reference_date=date(2016, 10, 21),
    )  # fmt: skip
    upload = worked(upload)
    report = upload.report
    assert not report["is_loadable"]
    assert report["counts"]["error"] == {"invalid_geometry": 35}
    assert report["counts"]["warning"] == {"lost_letters": 2, "shortened_names": 1}
    (shortened,) = [problem for problem in report["problems"] if problem["code"] == "shortened_names"]
    assert "'prvnc_n', 'cnty_nm'" in shortened["message"]
    assert sum(problem["code"] == "invalid_geometry" for problem in report["problems"]) == 35

    upload = worked(upload_change(upload, upload.version, options={"repair": True}))
    upload = worked(upload_store(upload, upload.version))
    assert upload.release is not None, upload.problem
    assert upload.release.row_count == 429
    assert upload.release.quality["problems"]["repaired"] == {"invalid_geometry": 35}
    ages = [
        {name: n for name, n in one.attributes.items() if name[:2] in ("ma", "m_", "ml", "fm", "f_")}
        for one in Feature.objects.of(upload.release)
    ]
    assert {len(one) for one in ages} == {42}
    assert sum(sum(one.values()) for one in ages) == MEN + WOMEN
    # That a column is missing shows in nothing but the sum, which is why sums are told.
    assert sum(sum(one.values()) - one["ml_>100"] for one in ages) < MEN + WOMEN


def by_county(path: Path) -> Counter[tuple[str, str]]:
    """Count people of each province and county, from the rows by age."""
    found: Counter[tuple[str, str]] = Counter()
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            found[row["province_name"], row["county_name"]] += int(row["male"]) + int(row["female"])
    assert sum(n for (province, _), n in found.items() if province == "لرستان") == LORESTAN
    assert found["لرستان", "خرم آباد"] == KHORRAMABAD
    return found
