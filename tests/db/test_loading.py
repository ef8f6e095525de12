"""Loading a city: again changes nothing, a changed file changes what it says, a bad file changes nothing and is explained."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import rasterio
import shapely
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.translation import override

from analysis import selectors
from analysis.services import coverage_compute
from config.loading import city_load, description_of
from fixtures.hand_checked_town.town import build
from geo.errors import MahallehError, NotFound
from geo.models import Boundary, Change, ChangeSet, Place
from geo.querysets import system_user
from layers.models import Layer, PopulationSource, Release, Standard, Supply
from tests.environment import ROOT

pytestmark = pytest.mark.django_db

DESCRIPTION = (ROOT / "fixtures" / "hand_checked_town" / "town.toml").read_text(encoding="utf-8")
CITY_PATH = "paper-land/hand-checked-town"


def contents() -> dict[str, tuple[int, str]]:
    """Number and hash of the rows of every table of ours."""
    found = {}
    with connection.cursor() as cursor:
        for app in ("geo", "layers", "analysis", "interventions", "maps"):
            for model in apps.get_app_config(app).get_models():
                table = model._meta.db_table
                # Features are many, and never changed in place: their keys are enough.
                row, key = ("md5(t::text)", "t.id")
                if table == "layers_feature":
                    row, key = "t.number::text", "t.release_id, t.number"
                cursor.execute(
                    f"SELECT count(*), md5(coalesce(string_agg({row}, '' ORDER BY {key}), '')) FROM {table} AS t"
                )
                found[table] = cursor.fetchone()
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The town's files and its description side by side."""
    build(tmp_path)
    (tmp_path / "city.toml").write_text(DESCRIPTION, encoding="utf-8")
    return tmp_path


def load(folder: Path) -> Place:
    return city_load(folder / "city.toml")


def described(folder: Path, *changes: tuple[str, str]) -> None:
    """Change the description; each old text must be there."""
    text = DESCRIPTION
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (folder / "city.toml").write_text(text, encoding="utf-8")


def write_geojson(path: Path, *features: tuple[Any, dict[str, Any]]) -> None:
    rows = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": shape if isinstance(shape, dict) else shapely.geometry.mapping(shape),
        }
        for shape, properties in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")


# ---------------------------------------------------------------- a city, first and again


def test_what_a_description_makes(folder: Path) -> None:
    city = load(folder)
    assert city.path == CITY_PATH
    assert city.is_illustrative
    assert Place.objects.get(path="paper-land").kind == "country"
    assert {p.code: p.kind for p in city.children.all()} == dict.fromkeys("abcd", "neighbourhood") | {"s": "settlement"}
    assert Boundary.objects.current().get(place=city).source == "Union of its places: Hand-checked town"
    assert {layer.code: layer.kind for layer in city.layers.all()} == {
        "population": "raster", "clinic": "point", "water-mains": "line", "park": "polygon",
        "streets": "line", "elevation": "raster",
    }  # fmt: skip
    assert (city.travel_data.roads.code, city.travel_data.elevation.code) == ("streets", "elevation")
    assert not city.layers.get(code="population").is_published
    assert {s.service.code: s.layer.code for s in Supply.objects.filter(city=city)} == {
        "clinic": "clinic", "water": "water-mains", "park": "park",
    }  # fmt: skip
    assert PopulationSource.objects.get(city=city).layer.code == "population"
    assert Standard.objects.get(city=city, service__code="water").value == 100
    assert selectors.index_of(city).cell_m == 20


def test_sources_are_kept_in_both_languages(folder: Path) -> None:
    first = 'source = "Hand-checked town"'
    described(
        folder,
        (
            f'layer = "population"\n{first}\nreference_date = 2025-09-23',
            'layer = "population"\nsource = "Counted by hand"\nreference_date = 2020-01-02',
        ),
        (first, f'{first}\nsource_fa = "شهرک دست‌سنجیده"'),
        ("water = 100", 'water = { threshold_m = 100, source = "A guide", source_fa = "یک راهنما" }'),
    )
    city = load(folder)
    result = coverage_compute(city=city, user=system_user())
    rows = {service.code: service for service in result.services}
    with override("fa"):
        assert {layer.source_text for layer in city.layers.all()} == {"شهرک دست‌سنجیده"}
        assert rows["water"].source_text == "شهرک دست‌سنجیده"
        assert rows["water"].standard_source_text == "یک راهنما"
        assert rows["clinic"].standard_source_text == f"{city.name_fa}: توصیف شهر"
        # The numbers have a source of their own, without a Persian text: the layer's would say something else.
        assert result.population is not None
        assert result.population.source_text == "Counted by hand"
        assert result.population.reference_date == date(2020, 1, 2)
    with override("en"):
        assert rows["water"].source_text == "Hand-checked town"
        assert rows["water"].standard_source_text == "A guide"
        assert rows["clinic"].standard_source_text == f"{city.name_en}: city description"


def test_loading_again_changes_nothing(folder: Path) -> None:
    load(folder)
    before = contents()
    load(folder)
    assert contents() == before


def test_the_planner_is_told_of_many_rows_and_not_of_few(folder: Path) -> None:
    """Looking through the features of all cities takes longer than loading a town."""

    def told() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            load(folder)
        asked_of = [sql if isinstance(sql, str) else sql.as_string() for sql in (query["sql"] for query in asked)]
        return [sql for sql in asked_of if sql.startswith("ANALYZE")]

    assert told() == []
    centre = shapely.centroid(shapely.from_wkb(pyogrio.raw.read(folder / "park.fgb")[2][0]))
    clinics = [(shapely.Point(centre.x + i * 1e-7, centre.y), {"name_fa": f"درمانگاه {i}"}) for i in range(1_200)]
    write_geojson(folder / "clinics.geojson", *clinics)
    described(folder, ('file = "clinic.fgb"', 'file = "clinics.geojson"'))
    assert told() == ['ANALYZE "layers_feature" ("shelf", "release_id", "geometry_3857")']


def test_loading_the_demo_city_again_changes_nothing(demo_city: Place, demo_files: Path) -> None:
    before = contents()
    city_load(ROOT / "fixtures" / "cities" / "khorramabad.toml", data=demo_files)
    assert contents() == before


def test_loading_sao_vicente_again_changes_nothing(sao_vicente: Place, real_data: Path) -> None:
    before = contents()
    city_load(ROOT / "fixtures" / "cities" / "sao-vicente.toml", data=real_data / "sao_vicente")
    assert contents() == before


def test_the_folder_names_the_description(folder: Path, real_data: Path) -> None:
    """`load_city FOLDER` takes the folder's own description, or the project's of that name."""
    assert description_of(folder, None) == (folder / "city.toml", folder)
    shipped = ROOT / "fixtures" / "cities" / "sao-vicente.toml"
    assert description_of(real_data / "sao_vicente", None) == (shipped, real_data / "sao_vicente")
    with pytest.raises(NotFound, match="No description"):
        description_of(folder / "..", None)
    with pytest.raises(NotFound, match="no such file"):
        description_of(folder / "nowhere", None)


# ---------------------------------------------------------------- a changed file


def redrawn(folder: Path, code: str, shape: Callable[[Any], Any]) -> None:
    """Redraw one neighbourhood in the file."""
    path = folder / "neighbourhoods.fgb"
    meta, _, wkb, fields = pyogrio.raw.read(path)
    columns = dict(zip(meta["fields"], fields, strict=True))
    shapes = shapely.from_wkb(wkb)
    row = list(columns["code"]).index(code)
    shapes[row] = shape(shapes[row])
    pyogrio.raw.write(
        path, shapely.to_wkb(shapes), fields, meta["fields"], geometry_type="Polygon", crs="EPSG:4326", driver="FlatGeobuf"
    )  # fmt: skip


def test_a_changed_boundary_makes_a_new_edition_and_ends_the_old(folder: Path) -> None:
    city = load(folder)
    before = {b.place.code: b for b in Boundary.objects.current().filter(place__parent=city)}
    redrawn(folder, "b", lambda shape: shapely.buffer(shape, -0.001))
    described(folder, ("valid_from = 2025-09-23", "valid_from = 2026-03-21"))
    load(folder)
    editions = list(Boundary.objects.filter(place__path=f"{CITY_PATH}/b").order_by("version"))
    assert [e.version for e in editions] == [1, 2]
    assert [e.status for e in editions] == ["approved", "approved"]
    assert [str(e.valid.lower) for e in editions] == ["2025-09-23", "2026-03-21"]
    assert str(editions[0].valid.upper) == "2026-03-21"
    assert editions[1].valid.upper is None
    assert editions[0].geometry.equals_exact(before["b"].geometry)
    for code in "acds":
        kept = Boundary.objects.get(place__path=f"{CITY_PATH}/{code}")
        assert (kept.pk, kept.valid) == (before[code].pk, before[code].valid)


def test_a_correction_for_the_same_day_withdraws_the_old(folder: Path) -> None:
    load(folder)
    redrawn(folder, "b", lambda shape: shapely.buffer(shape, -0.001))
    load(folder)
    editions = Boundary.objects.filter(place__path=f"{CITY_PATH}/b").order_by("version")
    assert [e.status for e in editions] == ["withdrawn", "approved"]
    assert Boundary.objects.current().filter(place__path=f"{CITY_PATH}/b").count() == 1


def test_a_changed_layer_makes_one_new_release(folder: Path) -> None:
    city = load(folder)
    before = {layer.code: layer.releases.count() for layer in city.layers.all()}
    centre = shapely.centroid(shapely.from_wkb(pyogrio.raw.read(folder / "park.fgb")[2][0]))
    write_geojson(folder / "clinics.geojson", (centre, {"name_fa": "درمانگاه نو"}))
    described(folder, ('file = "clinic.fgb"', 'file = "clinics.geojson"'))
    load(folder)
    after = {layer.code: layer.releases.count() for layer in city.layers.all()}
    assert after == before | {"clinic": 2}
    release = Release.objects.filter(layer__city=city, layer__code="clinic").latest().get()
    assert (release.number, release.row_count, release.file_name) == (2, 1, "clinics.geojson")
    assert release.features.get().name == "درمانگاه نو"


def test_changed_people_are_another_release_and_the_old_raster_stays(folder: Path) -> None:
    city = load(folder)
    old = Release.objects.filter(layer__city=city, layer__code="population").latest().get()
    with rasterio.open(folder / "population.tif", "r+") as file:
        file.write(file.read(1) * 2, 1)
    load(folder)
    new = Release.objects.filter(layer__city=city, layer__code="population").latest().get()
    assert new.number == 2
    assert new.raster.total == pytest.approx(2 * old.raster.total)
    assert coverage_compute(city=city, user=system_user()).people_total == pytest.approx(37_500, abs=1)
    for release in (old, new):
        with rasterio.open(settings.RASTER_DIR / release.raster.file) as file:
            assert file.read(1).sum() == pytest.approx(release.raster.total)


def test_changed_words_change_no_data(folder: Path) -> None:
    city = load(folder)
    before = contents()
    described(folder, ('name_en = "Clinic"', 'name_en = "Health post"'))
    load(folder)
    after = contents()
    assert {table for table in before if before[table] != after[table]} == {"layers_layer"}
    assert city.layers.get(code="clinic").name_en == "Health post"


# ---------------------------------------------------------------- a description that names less than before


def left_out(folder: Path, code: str) -> None:
    """Take one neighbourhood out of the file."""
    path = folder / "neighbourhoods.fgb"
    meta, _, wkb, fields = pyogrio.raw.read(path)
    keep = fields[list(meta["fields"]).index("code")] != code
    pyogrio.raw.write(
        path, wkb[keep], [column[keep] for column in fields], meta["fields"],
        geometry_type="Polygon", crs="EPSG:4326", driver="FlatGeobuf",
    )  # fmt: skip


def told(folder: Path) -> list[str]:
    lines: list[str] = []
    city_load(folder / "city.toml", say=lambda line: lines.append(str(line)))
    return [line for line in lines if line.startswith(("Retired", "Kept", "Boundaries"))]


def test_settings_that_are_no_longer_named_are_retired_and_data_stay(folder: Path, demo_city: Place) -> None:
    city = load(folder)
    elsewhere = (Supply.objects.filter(city=demo_city).count(), Standard.objects.filter(city=None).count())
    before = contents()
    described(
        folder,
        ('[[supply]]\nservice = "park"\nlayer = "park"\n', ""),
        ("park = 300", ""),
        ('[population]\nlayer = "population"\nsource = "Hand-checked town"\nreference_date = 2025-09-23\n', ""),
        ('[travel]\nroads = "streets"\nelevation = "elevation"\n', ""),
    )
    assert told(folder) == [
        "Retired the supply of park: no longer in the description.",
        "Retired the standard of park: no longer in the description.",
        "Retired the population source population: no longer in the description.",
        "Retired the data for travel: no longer in the description.",
    ]
    assert set(Supply.objects.filter(city=city).values_list("service__code", flat=True)) == {"clinic", "water"}
    assert set(Standard.objects.filter(city=city).values_list("service__code", flat=True)) == {"clinic", "water"}
    assert not PopulationSource.objects.filter(city=city).exists()
    assert (Supply.objects.filter(city=demo_city).count(), Standard.objects.filter(city=None).count()) == elsewhere
    assert {s.code for s in coverage_compute(city=city, user=system_user()).services} == {"clinic", "water"}
    after = contents()
    for table in ("geo_boundary", "layers_layer", "layers_release", "layers_feature", "layers_raster"):
        assert after[table] == before[table], table
    assert told(folder) == []


def test_a_layer_that_is_no_longer_named_stays_and_is_told(folder: Path) -> None:
    city = load(folder)
    start = DESCRIPTION.index('[[layers]]\ncode = "park"')
    end = DESCRIPTION.index('[[layers]]\ncode = "streets"')
    described(folder, (DESCRIPTION[start:end], ""), ('[[supply]]\nservice = "park"\nlayer = "park"\n', ""))
    assert "Kept, though not in the description: the layers park." in told(folder)
    assert city.layers.get(code="park").releases.count() == 1


def test_a_place_that_is_no_longer_named_ends_on_the_new_day_and_comes_back_when_named_again(folder: Path) -> None:
    city = load(folder)
    path = f"{CITY_PATH}/d"
    everything = (folder / "neighbourhoods.fgb").read_bytes()
    described(folder, ("valid_from = 2025-09-23", "valid_from = 2026-03-21"))
    left_out(folder, "d")
    ended = "Boundaries ended, their places being no longer in the description: 1. Places and editions stay."
    assert told(folder) == [ended]
    (edition,) = Boundary.objects.filter(place__path=path)
    assert (edition.status, str(edition.valid.lower), str(edition.valid.upper)) == (
        "approved", "2025-09-23", "2026-03-21",
    )  # fmt: skip
    assert {p.code for p in coverage_compute(city=city, user=system_user()).places} == set("abcs")
    before = contents()
    assert told(folder) == []
    assert contents() == before
    (folder / "neighbourhoods.fgb").write_bytes(everything)
    assert told(folder) == ["Boundaries put in force again: 1."]
    again = list(Boundary.objects.filter(place__path=path).order_by("version"))
    assert [(str(e.valid.lower), e.version, e.status) for e in again] == [
        ("2025-09-23", 1, "approved"), ("2026-03-21", 2, "approved"),
    ]  # fmt: skip
    assert again[1].geometry.equals_exact(again[0].geometry)
    assert {p.code for p in coverage_compute(city=city, user=system_user()).places} == set("abcds")
    assert told(folder) == []


def test_a_place_left_out_for_the_same_day_is_withdrawn_not_deleted(folder: Path) -> None:
    load(folder)
    left_out(folder, "d")
    told(folder)
    (edition,) = Boundary.objects.filter(place__path=f"{CITY_PATH}/d")
    assert (edition.status, str(edition.valid.lower)) == ("withdrawn", "2025-09-23")


def test_boundaries_that_people_changed_are_not_ended_by_a_file(folder: Path) -> None:
    city = load(folder)
    change_set = ChangeSet.objects.create(place=city)
    Boundary.objects.filter(place__path=f"{CITY_PATH}/d").update(change_set=change_set)
    left_out(folder, "d")
    assert told(folder) == ["Kept, though not in the description, because a change set made them: d."]
    assert Boundary.objects.current().filter(place__path=f"{CITY_PATH}/d").exists()


def test_a_place_that_people_ended_is_not_put_in_force_by_a_file(folder: Path, django_user_model: Any) -> None:
    city = load(folder)
    edition = Boundary.objects.get(place__path=f"{CITY_PATH}/d")
    reviewer = django_user_model.objects.create_user("test-reviewer")
    change_set = ChangeSet.objects.create(
        place=city, status="approved", valid_from=date(2026, 1, 1), reviewer=reviewer, reviewed_at=timezone.now()
    )
    Change.objects.create(change_set=change_set, place=edition.place, base=edition)
    edition.valid = DateRange(edition.valid.lower, date(2026, 1, 1))
    edition.save()
    assert told(folder) == []
    assert not Boundary.objects.filter(place=edition.place, valid__upper_inf=True).exists()


# ---------------------------------------------------------------- bad files


def point(lon: float = 49.06, lat: float = 33.42) -> shapely.Point:
    return shapely.Point(lon, lat)


def clinics(name: str, write: Callable[[Path], object]) -> Callable[[Path], None]:
    """A town whose clinics are in another file."""

    def prepare(folder: Path) -> None:
        write(folder / name)
        described(folder, ('"clinic.fgb"', f'"{name}"'))

    return prepare


def parks(name: str, write: Callable[[Path], object]) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        write(folder / name)
        described(folder, ('"park.fgb"', f'"{name}"'))

    return prepare


def cut_off(folder: Path) -> None:
    path = folder / "clinic.fgb"
    path.write_bytes(path.read_bytes()[:300])


def negative_people(folder: Path) -> None:
    with rasterio.open(folder / "population.tif", "r+") as file:
        values = file.read(1)
        values[7, 9] = -1
        file.write(values, 1)


def same_code_twice(folder: Path) -> None:
    path = folder / "neighbourhoods.fgb"
    meta, _, wkb, fields = pyogrio.raw.read(path)
    fields[list(meta["fields"]).index("code")][1] = "a"
    pyogrio.raw.write(
        path, wkb, fields, meta["fields"], geometry_type="Polygon", crs="EPSG:4326", driver="FlatGeobuf"
    )  # fmt: skip


def in_another_encoding(folder: Path) -> None:
    (folder / "c.csv").write_bytes("name_fa,lon,lat\nدرمانگاه,49.06,33.42\n".encode("cp1256"))
    described(folder, ('file = "clinic.fgb"', 'file = "c.csv"\nencoding = "utf-8"'))


def without_projection(path: Path) -> None:
    """Write a shapefile that does not say its reference system."""
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array([shapely.Point(320_500, 3_700_500)])), [np.array(["x"], dtype=object)], ["name_fa"],
        geometry_type="Point", crs="EPSG:32639", driver="ESRI Shapefile",
    )  # fmt: skip
    path.with_suffix(".prj").unlink()


BOWTIE = shapely.Polygon([(49.07, 33.42), (49.08, 33.43), (49.08, 33.42), (49.07, 33.43)])
ACROSS = {"type": "Polygon", "coordinates": [[[179.9, 10], [-179.9, 10], [-179.9, 11], [179.9, 11], [179.9, 10]]]}
NAN = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"name_fa":"x"},"geometry":{"type":"Point","coordinates":[NaN,33]}}]}'

BAD: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "missing file": (lambda f: (f / "clinic.fgb").unlink(), ("city.toml", "line 52", "no 'clinic.fgb'", "Check the name.")),
    "cut off": (cut_off, ("clinic.fgb", "cannot be read", "it may be cut off.")),
    "no bytes": (lambda f: (f / "clinic.fgb").write_bytes(b""), ("clinic.fgb", "is empty (0 bytes)", "again.")),
    "no rows": (clinics("c.geojson", write_geojson), ("c.geojson", "has no rows", "Export it again")),
    "axes exchanged": (
        clinics("c.geojson", lambda p: write_geojson(p, (point(), {"name_fa": "x"}), (point(33.42, 49.06), {"name_fa": "y"}))),
        ("c.geojson, row 2", "exchanged", "Exchange them back"),
    ),
    "metres for degrees": (
        clinics("c.geojson", lambda p: write_geojson(p, (point(320_500, 3_700_500), {"name_fa": "x"}))),
        ("c.geojson, row 1", "outside the range of EPSG:4326", "32639"),
    ),
    "no reference system": (clinics("c.shp", without_projection), ("c.shp", "reference system", "32639")),
    "not a number": (clinics("c.geojson", lambda p: p.write_text(NAN)), ("c.geojson, row 1", "NaN", "Draw it, delete the row")),
    "crosses itself": (
        parks("p.geojson", lambda p: write_geojson(p, (BOWTIE, {"name_fa": "x"}))),
        ("p.geojson, row 1, at 49.075, 33.425", "crosses itself", "`repair = true`"),
    ),
    "wrong kind": (parks("p.geojson", lambda p: write_geojson(p, (point(), {"name_fa": "x"}))), ("p.geojson, row 1", "polygon")),
    "antimeridian": (parks("p.geojson", lambda p: write_geojson(p, (ACROSS, {"name_fa": "x"}))), ("p.geojson, row 1", "far from", "right file")),
    "wrong encoding": (in_another_encoding, ("c.csv, row 2", "not in the encoding utf-8", "cp1256")),
    "sixteen bits a letter": (
        clinics("c.csv", lambda p: p.write_bytes("name_fa,lon,lat\nدرمانگاه,49.06,33.42\n".encode("utf-16-le"))),
        ("c.csv", "binary file", "Export it again as CSV"),
    ),
    "mislabelled picture": (
        clinics("c.geojson", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + b"0" * 99)),
        ("c.geojson", "content is a PNG image", "Export it again as GeoJSON"),
    ),
    "mislabelled raster": (
        lambda f: clinics("c.geojson", lambda p: shutil.copy(f / "population.tif", p))(f),
        ("c.geojson", "content is GTiff", "Rename it to .tif"),
    ),
    "negative people": (negative_people, ("population.tif", "row 8", "negative", "Correct the raster")),
    "same code twice": (same_code_twice, ("hand-checked-town/a", "2 places have the code 'a'", "unique codes")),
    "unknown field": (lambda f: described(f, ('code = "code"', 'code = "kode"')), ("neighbourhoods.fgb", "no field 'kode'", "Name one of: code")),
    "unknown service": (lambda f: described(f, ('service = "clinic"', 'service = "klinik"')), ("line 104", "'klinik'", "Did you mean 'clinic'")),
    "unknown theme": (lambda f: described(f, ('theme = "health"', 'theme = "helth"')), ("city.toml", "'helth'", "health")),
    "cell of nothing": (lambda f: described(f, ("cell_m = 20", "cell_m = 0")), ("line 125", "'cell_m' is 0", "from 1 to 1000 metres")),
    "not TOML": (lambda f: described(f, ("format = 1", "format = [")), ("city.toml", "not TOML", "Correct that line")),
}  # fmt: skip


def refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Load, expect status 2, and return what was said."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        call_command("load_city", str(folder / "city.toml"))
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_explained_and_nothing_is_written(
    folder: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    before = contents()
    prepare, said = BAD[what]
    prepare(folder)
    last = refused(folder, capsys).strip().splitlines()[-1]
    for part in said:
        assert part in last
    assert contents() == before
    assert not Place.objects.filter(path__startswith="paper-land").exists()


def test_a_bad_file_leaves_a_loaded_city_as_it_was(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(folder)
    before = contents()
    redrawn(folder, "a", lambda shape: shapely.buffer(shape, -0.002))  # good, and first in line
    write_geojson(folder / "p.geojson", (BOWTIE, {"name_fa": "x"}))
    described(folder, ('"park.fgb"', '"p.geojson"'), ("valid_from = 2025-09-23", "valid_from = 2026-03-21"))
    refused(folder, capsys)
    assert contents() == before


def test_what_fails_only_when_writing_takes_everything_back(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last part of the description fails when all places and layers are already written."""
    before = contents()
    described(folder, ("[standards]", "[weights]\nhospital = 1.0\n\n[standards]"))
    assert "no service 'hospital'" in refused(folder, capsys)
    assert contents() == before


def test_a_file_can_be_repaired_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_geojson(folder / "p.geojson", (BOWTIE, {"name_fa": "x"}))
    described(folder, ('"park.fgb"', '"p.geojson"'))
    call_command("load_city", str(folder / "city.toml"), repair=True)
    assert "1 repaired" in capsys.readouterr().err
    feature = Layer.objects.get(city__path=CITY_PATH, code="park").releases.get().features.get()
    assert feature.geometry.valid
    assert not feature.geometry.empty


def test_heights_are_left_out_with_a_word(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_geojson(folder / "c.geojson", (shapely.Point(49.06, 33.42, 1200.0), {"name_fa": "x"}))
    described(folder, ('"clinic.fgb"', '"c.geojson"'))
    call_command("load_city", str(folder / "city.toml"))
    assert "only x and y are kept" in capsys.readouterr().err
    assert not Layer.objects.get(city__path=CITY_PATH, code="clinic").releases.get().features.get().geometry.hasz


def test_two_million_vertices_are_refused_fast(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turn = np.linspace(0, 2 * np.pi, 2_000_000, endpoint=False)
    radius = 0.005 * (1 + 0.1 * np.sin(50 * turn))
    shape = shapely.Polygon(np.column_stack((49.07 + radius * np.cos(turn), 33.425 + radius * np.sin(turn))))
    pyogrio.raw.write(
        folder / "p.gpkg", shapely.to_wkb(np.array([shape])), [np.array(["x"], dtype=object)], ["name_fa"],
        geometry_type="Polygon", crs="EPSG:4326",
    )  # fmt: skip
    described(folder, ('"park.fgb"', '"p.gpkg"'))
    before = contents()
    started = time.perf_counter()
    last = refused(folder, capsys).strip().splitlines()[-1]
    assert time.perf_counter() - started < 5
    assert "p.gpkg, row 1" in last
    assert "2,000,00" in last
    assert "Simplify it" in last
    assert contents() == before


def test_no_traceback_for_a_folder_without_description(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        call_command("load_city", str(tmp_path))
    assert end.value.code == 2
    assert "No description of this city was found." in capsys.readouterr().err


def test_errors_are_of_our_own_kind(folder: Path) -> None:
    described(folder, ('service = "clinic"', 'service = "klinik"'))
    with pytest.raises(MahallehError) as caught:
        load(folder)
    assert caught.value.status == 400
