"""Migrations on tables that hold something: an empty database takes what one in use refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import pytest
from django.contrib.gis.geos import LineString, Point
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from geo.models import Place

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


def test_a_network_in_use_keeps_what_it_held() -> None:
    """The tables of the first migration, filled, and the second run over them, in a schema of their own."""
    loader = MigrationExecutor(connection).loader
    first, second = (loader.get_migration("interventions", name) for name in ("0001_initial", "0002_network"))
    place = Place.objects.create(kind="country", code="held", name_fa="ک", name_en="Held")
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA before")
        cursor.execute("SET LOCAL search_path TO before, public")
    with connection.schema_editor() as editor:
        first.apply(loader.project_state(("interventions", first.name), at_end=False), editor)
    old = loader.project_state(("interventions", second.name), at_end=False)

    def model(name: str) -> Any:
        return old.apps.get_model("interventions", name)

    named = {"name_fa": "علي آباد", "name_en": "Ali"}
    sector = model("Sector").objects.create(code="held", **named)
    organisation = model("Organisation").objects.create(place_id=place.pk, code="held-1", kind="ngo", **named)
    programme = model("Programme").objects.create(place_id=place.pk, code="held", **named)
    round_ = model("Round").objects.create(place_id=place.pk, programme=programme, number=1, **named)
    due_at = datetime(2026, 12, 21, 20, 29, 59, tzinfo=UTC)
    model("Phase").objects.create(round=round_, kind="needs", due_at=due_at)
    said = {"round": round_, "place_id": place.pk, "sector": sector, "organisation": organisation, "approach": "social"}
    for text, point in (("كوچهٔ اول", Point(48.36, 33.48, srid=4326)), ("بدون نقطه", None)):
        model("Need").objects.create(**said, text_fa=text, severity=3, people_affected=5, point=point)
    model("Proposal").objects.create(round=round_, organisation=organisation, title_fa="طرح", cost_irr=5)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.schema_editor() as editor:
        new = second.apply(old.clone(), editor).apps
    marked, unmarked = new.get_model("interventions", "Need").objects.order_by("pk")
    assert (marked.geometry.coords, unmarked.geometry) == ((48.36, 33.48), None)
    assert (marked.search_text, marked.version, marked.women_affected) == ("کوچه اول", 1, None)
    assert None not in (marked.ticket, unmarked.ticket)
    assert marked.ticket != unmarked.ticket
    phase = new.get_model("interventions", "Phase").objects.get()
    assert (phase.due_at, phase.first_due_at) == (due_at, due_at)
    held = new.get_model("interventions", "Organisation").objects.get()
    assert (held.state, held.search_name) == ("approved", "علی اباد ali held 1")
    offer = new.get_model("interventions", "Proposal").objects.get()
    assert (offer.state, offer.version, offer.own_funding_irr, offer.effect) == ("draft", 1, 0, {})

    marked.geometry = LineString((48.36, 33.48), (48.37, 33.49), srid=4326)
    marked.save()
    log = new.get_model("interventions", "LogEntry").objects
    log.create(subject="need", subject_id=marked.pk, event="report", place_id=place.pk)
    for change in (lambda: log.update(event="confirm"), lambda: log.all().delete()):
        with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
            change()
    assert log.get().event == "report"
