"""Migrations on tables that hold something: an empty database takes what one in use refuses."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

BEFORE = """
CREATE SCHEMA before;
SET LOCAL search_path TO before, public;
CREATE TABLE layers_release (id bigint PRIMARY KEY);
CREATE TABLE layers_feature (
    id bigint PRIMARY KEY, release_id bigint NOT NULL, number integer NOT NULL, name varchar(300) NOT NULL,
    geometry geometry(GEOMETRY, 4326) NOT NULL, attributes jsonb NOT NULL
);
INSERT INTO layers_release VALUES (7), (8);
INSERT INTO layers_feature VALUES
    (1, 7, 1, 'پارک', ST_SetSRID(ST_Point(48.36, 33.48), 4326), '{"class": "park"}'),
    (2, 8, 1, '', ST_SetSRID(ST_Point(48.37, 33.49), 4326), '{}');
"""


def test_rows_stored_before_move_to_the_table_of_parts() -> None:
    partitioned = import_module("layers.migrations.0003_catalogue_and_uploads").PARTITIONED
    with connection.cursor() as cursor:
        for statement in (*connection.ops.prepare_sql_script(BEFORE), *connection.ops.prepare_sql_script(partitioned)):
            cursor.execute(statement)
        cursor.execute(
            "SELECT release_id, number, shelf, name, attributes ->> 'class', round(ST_X(geometry_3857)) FROM layers_feature"
        )
        assert sorted(cursor.fetchall()) == [(7, 1, 0, "پارک", "park", 5383411), (8, 1, 0, "", None, 5384524)]
        cursor.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'before' AND tablename ~ 'feature_shared$'")
        found = {name for (name,) in cursor.fetchall()}
    assert found >= {"feature_shared_tile", "feature_shared_release"}
