"""Every file of real data as the service takes it in: the report of its examination names its real defects, and no others."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from geo.models import Place
from layers.models import Upload
from layers.services.uploads import folder_remove, upload_create
from tests.db.bringing import received, worked

pytestmark = pytest.mark.django_db

#: What each needs to be read at all.
OPTIONS: dict[str, dict[str, Any]] = {
    "djibouti/blocks_DJI.1.1_1.csv": {"source_epsg": 4326},
    "djibouti/complexity_DJI.1.1_1.csv": {"source_epsg": 4326},
    "porto_alegre/poa_osm.pbf": {"layer": "roads"},
    "tehran_district6/walk_network_overpass.osm": {"layer": "walking-network"},
}
ERRORS = {
    "iran/iran2016census.shp": {"invalid_geometry": 35},
    "iran/iran2016census.csv": {"no_coordinates": 1},  # its rows are joined: `test_iran_joined`
}
WARNINGS = {
    # Its names were lost before it was written, and those of its columns were shortened.
    "iran/iran2016census.shp": {"lost_letters": 2, "shortened_names": 1},
    "sao_vicente/setores/Densidade_demografica_2022.shp": {"shortened_names": 1},
    "sao_vicente/saude.geojson": {"same_place": 1},  # practices in one house
    "sao_vicente/transporte_paradas.geojson": {"same_place": 1},
    "sao_vicente/areas_verdes.geojson": {"duplicate_geometry": 2},
    "shiraz/residents_points.geojson": {"same_place": 1},
}
PARTS = {".dbf", ".shx", ".prj", ".cpg", ".md"}


def packed(path: Path, folder: Path) -> Path:
    """Give a file as it is brought: a shapefile in a zip with its parts."""
    if path.suffix != ".shp":
        return path
    made = folder / f"{path.stem}.zip"
    with zipfile.ZipFile(made, "w") as archive:
        for part in sorted(path.parent.glob(f"{path.stem}.*")):
            if part.suffix in PARTS | {".shp"}:
                archive.write(part, part.name)
    return made


def test_the_report_of_every_real_file_names_its_defects(
    db: None, real_data: Path, personas: dict[str, Any], tmp_path: Path
) -> None:
    city = Place.objects.create(kind="city", code="anywhere", name_fa="هرجا", name_en="Anywhere")
    paths = [path for path in sorted(real_data.rglob("*")) if path.is_file() and path.suffix not in PARTS]
    names = {path: str(path.relative_to(real_data)) for path in paths}
    assert set(names.values()) >= OPTIONS.keys() | ERRORS.keys() | WARNINGS.keys()
    for path, name in names.items():
        upload = worked(
            upload_create(
                city=city, author=personas["administrator"], received=received(packed(path, tmp_path)),
                options=OPTIONS.get(name, {}),
            )
        )  # fmt: skip
        folder_remove(upload.pk)
        assert upload.state == Upload.State.EXAMINED, (name, upload.problem)
        counts = upload.report["counts"]
        assert counts["error"] == ERRORS.get(name, {}), name
        assert upload.report["is_loadable"] is (name not in ERRORS), name
        if path.suffix not in (".pbf", ".osm", ".tif", ".csv"):
            assert counts["warning"] == WARNINGS.get(name, {}), name
        assert upload.report["n_rows"] > 0 or name in ERRORS, name
        Upload.objects.filter(pk=upload.pk).delete()
