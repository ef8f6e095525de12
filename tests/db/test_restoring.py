"""A former release brought back: rows, tables of their own and rasters, whole or not at all."""

from __future__ import annotations

import os
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db.models import Sum

from geo.errors import Conflict, Forbidden
from geo.models import Place
from layers.models import Feature, Layer, Raster, Release, Theme
from layers.reading import read_raster
from layers.services.layers import layer_archive
from layers.services.rasters import raster_release_create, raster_sweep
from layers.services.restoring import release_restore, restoring_difference
from layers.services.rows_to_copy import OWN_SHELF_ROWS
from tests.db.bringing import raster_file
from tests.db.test_releases import houses, layer, partitions, stored

__all__ = ["layer"]

pytestmark = pytest.mark.django_db


def rows_of(release: Release) -> list[tuple[Any, ...]]:
    return list(
        Feature.objects.of(release)
        .order_by("number")
        .values_list("number", "name", "geometry", "geometry_3857", "attributes")
    )


def test_rows_come_back_as_they_were_and_nothing_is_lost(
    layer: Layer, tmp_path: Path, personas: dict[str, Any]
) -> None:
    first = stored(layer, houses(tmp_path / "a.gpkg", 20), reference_date=date(2026, 1, 1))
    second = stored(layer, houses(tmp_path / "b.gpkg", 12), reference_date=date(2026, 2, 1))
    before = restoring_difference(first)
    assert (before["against"], before["added"], before["removed"], before["unchanged"]) == (2, 8, 0, 12)

    third = release_restore(first, personas["analyst"], seen=2)
    third.refresh_from_db()
    assert (third.number, third.row_count, third.shelf, third.author) == (3, 20, 0, personas["analyst"])
    assert rows_of(third) == rows_of(first)
    assert third.how == {**first.how, "restored": 1}
    for name in ("reference_date", "content_hash", "file_name", "file_sha256", "fields", "quality", "bounds_4326"):
        assert getattr(third, name) == getattr(first, name), name
    assert third.difference == before
    assert len(rows_of(second)) == 12
    assert [one.number for one in layer.releases.order_by("number")] == [1, 2, 3]

    # And the other way round; then the newest is as the second was.
    fourth = release_restore(second, personas["analyst"], seen=3)
    assert (fourth.number, fourth.difference["removed"]) == (4, 8)
    # A file like the newest is known as such.
    again = stored(layer, houses(tmp_path / "b.gpkg", 12), reference_date=date(2026, 2, 1))
    assert again.number == 4


def test_many_rows_get_a_table_of_their_own(layer: Layer, tmp_path: Path, personas: dict[str, Any]) -> None:
    first = stored(layer, houses(tmp_path / "a.gpkg", OWN_SHELF_ROWS))
    stored(layer, houses(tmp_path / "b.gpkg", 5))
    tables = partitions()
    third = release_restore(first, personas["planner"], seen=2)
    assert third.shelf == third.pk
    assert partitions() == tables | {f"layers_feature_{third.pk}"}
    assert Feature.objects.of(third).count() == Feature.objects.filter(release=third).count() == OWN_SHELF_ROWS
    total = {one.pk: Feature.objects.of(one).aggregate(sum=Sum("number"))["sum"] for one in (first, third)}
    assert total[first.pk] == total[third.pk]
    assert third.difference["added"] == OWN_SHELF_ROWS - 5


def test_a_raster_comes_back_with_its_file_which_is_kept(
    demo_city: Place, tmp_path: Path, personas: dict[str, Any]
) -> None:
    made = Layer.objects.create(
        city=demo_city,
        theme=Theme.objects.get(code="health"),
        code="pixels",
        kind="raster",
        name_fa="ن",
        name_en="n",
        source="s",
    )
    first, _second = (
        raster_release_create(layer=made, plan=read_raster(path), path=path)
        for path in (raster_file(tmp_path / f"{value}.tif", value=value) for value in (1.0, 2.0))
    )
    assert restoring_difference(first) == {}
    third = release_restore(first, personas["analyst"], seen=2)
    there = Raster.objects.get(release=third)
    assert (third.number, there.file, there.total) == (3, first.raster.file, first.raster.total)
    Raster.objects.filter(release=first).delete()
    file = settings.RASTER_DIR / there.file
    os.utime(file, (time.time() - 9_999,) * 2)
    raster_sweep()
    assert file.is_file(), "a release names it still"


@pytest.mark.parametrize(
    ("what", "code"), [("newest", "same_release"), ("stale", "stale_release"), ("archived", "layer_archived")]
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    layer: Layer, tmp_path: Path, personas: dict[str, Any], what: str, code: str
) -> None:
    first = stored(layer, houses(tmp_path / "a.gpkg", 20))
    second = stored(layer, houses(tmp_path / "b.gpkg", 12))
    if what == "archived":
        layer_archive(layer, personas["planner"])
    there = Feature.objects.count()
    with pytest.raises(Conflict) as caught:
        release_restore(second if what == "newest" else first, personas["analyst"], seen=1 if what == "stale" else 2)
    assert caught.value.code == code
    assert layer.releases.count() == 2
    assert Feature.objects.count() == there


@pytest.mark.parametrize("name", ["viewer", "reporter", "supervisor", "planner_elsewhere", "anonymous"])
def test_who_may_not_bring_data_may_not_bring_it_back(
    layer: Layer, tmp_path: Path, personas: dict[str, Any], name: str
) -> None:
    first = stored(layer, houses(tmp_path / "a.gpkg", 20))
    stored(layer, houses(tmp_path / "b.gpkg", 12))
    with pytest.raises(Forbidden):
        release_restore(first, personas[name], seen=2)
    assert layer.releases.count() == 2


def test_the_same_rows_of_another_day_are_brought_back(layer: Layer, tmp_path: Path, personas: dict[str, Any]) -> None:
    first = stored(layer, houses(tmp_path / "a.gpkg", 20), reference_date=date(2026, 1, 1))
    stored(layer, houses(tmp_path / "a.gpkg", 20), reference_date=date(2026, 2, 1))
    third = release_restore(first, personas["analyst"], seen=2)
    assert third.reference_date == date(2026, 1, 1)
    assert third.difference["unchanged"] == 20
