"""Guards that need no clock: how often the database is asked, by which index, and how much memory an analysis takes."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from analysis import selectors
from analysis.caching import caches_clear
from analysis.results import Question
from analysis.services import coverage_compute, overlay_compute, priority_compute
from geo.models import Place
from geo.querysets import system_user
from layers.models import Feature, Release, Supply

pytestmark = pytest.mark.django_db

MOST_READS = 12
"""Queries of an analysis besides those for each layer of facilities, however many places there are."""


def queries(job: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        job()
    return [query["sql"] for query in captured.captured_queries]


def test_queries_from_empty_caches_follow_the_layers_alone(demo_city: Place) -> None:
    caches_clear()
    user = system_user()
    n_layers = Supply.objects.filter(city=demo_city).order_by().values("layer").distinct().count()
    asked = queries(lambda: coverage_compute(city=demo_city, user=user))
    assert len(asked) <= MOST_READS + 2 * n_layers
    reads = [sql for sql in asked if 'FROM "layers_feature"' in sql and "STRING_AGG" in sql]
    assert len(reads) == n_layers


def test_a_changed_threshold_reads_no_geometry_of_any_layer(demo_city: Place) -> None:
    priority_compute(city=demo_city, user=system_user())
    question = Question(thresholds_m={"clinic": 777.0}, weights={"park": 3.0})
    asked = queries(lambda: priority_compute(city=demo_city, user=system_user(), question=question))
    assert len(asked) <= MOST_READS
    assert not [sql for sql in asked if "layers_feature" in sql or "layers_raster" in sql]


def test_a_visitor_costs_no_query_more_than_a_few(demo_city: Place) -> None:
    visitor = AnonymousUser()
    priority_compute(city=demo_city, user=visitor)
    assert len(queries(lambda: priority_compute(city=demo_city, user=visitor))) <= MOST_READS


def test_the_slider_costs_few_queries(demo_city: Place) -> None:
    client = Client()
    address = "/api/khorramabad/results"
    assert client.get(address, {"threshold-clinic": "500"}).status_code == 200
    asked = queries(lambda: client.get(address, {"threshold-clinic": "501"}))
    assert len(asked) <= 2 * MOST_READS + 2
    assert not [sql for sql in asked if "layers_feature" in sql]


def test_an_overlay_reads_its_layer_once(demo_city: Place) -> None:
    asked = queries(lambda: overlay_compute(city=demo_city, user=system_user(), subject="bakery"))
    assert len(asked) <= 6
    assert len([sql for sql in asked if 'FROM "layers_feature"' in sql]) == 1


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Every step of a query's plan."""
    return [plan, *(node for part in plan.get("Plans", []) for node in nodes(part))]


def explained(statement: str) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}")
        found = cursor.fetchone()[0]
    return nodes((json.loads(found) if isinstance(found, str) else found)[0]["Plan"])


def test_facilities_are_found_by_an_index(demo_city: Place) -> None:
    """A service's facilities are a few of a table of hundreds of thousands of features."""
    release = Release.objects.filter(layer__city=demo_city, layer__code="clinic").latest().get()
    assert Feature.objects.count() > 100 * release.row_count
    (statement,) = queries(lambda: selectors.facilities_read(release.pk, {}))
    steps = explained(statement)
    assert any(
        "Index" in step["Node Type"] and step["Relation Name"].startswith("layers_feature")
        for step in steps
        if "Relation Name" in step
    )
    assert not [step for step in steps if step["Node Type"] == "Seq Scan"]


@pytest.mark.parametrize("user", [AnonymousUser(), system_user()], ids=["visitor", "system"])
def test_places_are_not_compared_pair_by_pair(demo_city: Place, user: Any) -> None:
    """Without statistics of freshly loaded tables the planner would join places and boundaries by comparing all of them."""
    (statement,) = queries(lambda: selectors.places_read(demo_city, user))
    looked_at = sum(
        step["Actual Loops"]
        * (step["Actual Rows"] + step.get("Rows Removed by Join Filter", 0) + step.get("Rows Removed by Filter", 0))
        for step in explained(statement)
    )
    assert looked_at < 30 * Place.objects.count()


def test_memory_of_a_citys_coverage(demo_city: Place) -> None:
    """All arrays of 16 services at once, and what is needed in between, stay within a quarter of a gigabyte."""
    caches_clear()
    tracemalloc.start()
    try:
        coverage_compute(city=demo_city, user=system_user())
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 256e6
    assert kept < 128e6
