"""The table that a large release has of its own goes with it, in the same transaction; what is left over is swept."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models import ProtectedError

from geo.models import Place
from layers import partitions
from layers.models import Feature, Layer, Release
from layers.partitions import partitions_sweep
from layers.services import LayerSpec, layer_put, rows_to_copy
from tests.db.test_releases import houses, stored
from tests.db.test_releases import partitions as attached

pytestmark = pytest.mark.django_db
ROWS = 60


@pytest.fixture
def layer(demo_city: Place, monkeypatch: pytest.MonkeyPatch) -> Layer:
    """Make a layer in a service where few rows are many."""
    monkeypatch.setattr(rows_to_copy, "OWN_SHELF_ROWS", ROWS)
    return layer_put(LayerSpec(demo_city, "housing", "some-houses", "polygon", "خانه‌ها", "Houses", "A survey"))


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~ '^layers_feature_[0-9]+$'")
        return {name for (name,) in cursor.fetchall()}


def test_a_release_goes_with_its_table(layer: Layer, tmp_path: Path) -> None:
    before, parts = tables(), attached()
    large = stored(layer, houses(tmp_path / "a.gpkg", ROWS))
    small = stored(layer, houses(tmp_path / "b.gpkg", ROWS - 1))
    assert (large.shelf, small.shelf) == (large.pk, 0)
    assert tables() == before | {f"layers_feature_{large.pk}"}
    with pytest.raises(ProtectedError):  # a layer with releases stays
        layer.delete()
    large.delete()
    assert (tables(), attached()) == (before, parts)
    assert Feature.objects.of(small).count() == ROWS - 1
    small.delete()
    layer.delete()
    assert tables() == before


def test_many_releases_go_with_their_tables(layer: Layer, tmp_path: Path) -> None:
    before = tables()
    for n in range(3):
        stored(layer, houses(tmp_path / f"{n}.gpkg", ROWS + n))
    assert len(tables() - before) == 3
    deleted, _ = layer.releases.filter(number__lt=3).delete()
    assert deleted == 2  # the rows went with their tables
    assert len(tables() - before) == 1
    assert Release.objects.filter(layer=layer).delete()[0] == 1
    assert tables() == before


def test_what_is_taken_back_leaves_the_table(layer: Layer, tmp_path: Path) -> None:
    release = stored(layer, houses(tmp_path / "a.gpkg", ROWS))
    kept = release.pk
    with transaction.atomic():
        release.delete()
        assert not Feature.objects.filter(release=kept).exists()
        transaction.set_rollback(True)
    assert Feature.objects.of(Release.objects.get(pk=kept)).count() == ROWS


def test_a_table_without_its_release_is_swept(layer: Layer, tmp_path: Path) -> None:
    before = tables()
    kept, lost = (stored(layer, houses(tmp_path / f"{n}.gpkg", ROWS + n)) for n in range(2))
    with connection.cursor() as cursor:  # as whoever deletes it in the database alone
        cursor.execute("DELETE FROM layers_feature WHERE release_id = %s", [lost.pk])
        cursor.execute("DELETE FROM layers_release WHERE id = %s", [lost.pk])
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert partitions_sweep() == 1
    assert tables() == before | {f"layers_feature_{kept.pk}"}
    assert Feature.objects.of(kept).count() == ROWS
    assert partitions_sweep() == 0


def test_nobody_waits_for_a_table_that_is_being_read(
    layer: Layer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are deleted then, and the table is dropped when it is free."""
    monkeypatch.setattr(partitions, "_WAIT", "100ms")
    settings = connection.get_connection_params()
    where = {key: settings[key] for key in ("dbname", "host", "user", "port", "password") if settings.get(key)}
    table = "layers_feature_987654321"
    with psycopg.connect(**where, autocommit=True) as other:
        other.execute(f"CREATE TABLE {table} (number integer)")
        try:
            other.execute("BEGIN")
            other.execute(f"SELECT * FROM {table}")
            with transaction.atomic():
                assert partitions_sweep() == 0
                assert table in tables()
                assert partitions.partitions_drop([987654321]) == 0
                other.execute("COMMIT")
                assert partitions_sweep() == 1
                assert table not in tables()
                transaction.set_rollback(True)  # which lets go of the lock
        finally:
            other.execute(f"DROP TABLE IF EXISTS {table}")
