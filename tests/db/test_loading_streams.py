"""A city's layers are stored as they are read: memory holds a batch of them, and all faults are told at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.loading import city_load
from geo.errors import MahallehError
from geo.models import Place
from layers import reading
from layers.models import Feature, Layer
from tests.db.test_loading import folder

__all__ = ["folder"]

pytestmark = pytest.mark.django_db


def test_only_places_are_read_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole: list[str] = []
    read_rows = reading.read_rows

    def read(path: Path, *args: Any, **options: Any) -> Any:
        whole.append(path.stem)
        return read_rows(path, *args, **options)

    monkeypatch.setattr(reading, "read_rows", read)
    said: list[str] = []
    city = city_load(folder / "city.toml", say=said.append)
    assert set(whole) == {"neighbourhoods", "settlements"}
    for layer in city.layers.exclude(kind="raster"):
        release = layer.releases.get()
        assert Feature.objects.of(release).count() == release.row_count > 0
        assert any(line.startswith(release.file_name) for line in said)
        assert f"Stored {layer.code}, release 1." in said
    assert city.layers.get(code="population").purpose == Layer.Purpose.POPULATION


def test_what_a_layer_is_for_stays_as_somebody_said(folder: Path) -> None:
    city = city_load(folder / "city.toml")
    Layer.objects.filter(city=city, code="park").update(purpose=Layer.Purpose.FACILITIES)
    city_load(folder / "city.toml")
    assert city.layers.get(code="park").purpose == Layer.Purpose.FACILITIES


@pytest.mark.parametrize("spoilt", [("clinic", "park"), ("neighbourhoods", "park"), ("population", "clinic", "park")])
def test_all_faults_are_told_and_the_first_is_raised(spoilt: tuple[str, ...], folder: Path) -> None:
    files = [next(path for path in folder.iterdir() if path.stem == stem) for stem in spoilt]
    for path in files:
        path.write_bytes(b"spoilt " * 20)
    said: list[str] = []
    with pytest.raises(MahallehError) as raised:
        city_load(folder / "city.toml", say=said.append)
    assert files[0].name in str(raised.value)
    for path in files:
        assert any(line.startswith(path.name) and "error" in line for line in said), path.name
    assert sum(line.startswith("Stored") for line in said) <= 2  # what comes before, and is taken back
    assert not Place.objects.filter(path__startswith="paper-land").exists()
