"""Pages of the network take no more queries where there is more; and what judges their plans sees what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connection, transaction

from interventions.services.tallies import tallies_count
from tests.load.network.asking import Question, clients_made, questions
from tests.load.network.building import Size, built
from tests.load.network.measuring import distinct, queries_asked, taken
from tests.load.network.plans import big_tables, described, explained, faults

SCALE = 0.0005
LITTLE = Size(SCALE, places=12, needs=40, proposals=16, actions=20)
MORE = Size(SCALE, places=24, needs=160, proposals=64, actions=80)


@contextmanager
def network(size: Size) -> Iterator[None]:
    """A network of a size, gone afterwards."""
    with transaction.atomic(), connection.cursor() as cursor:
        built(cursor.execute, size)
        cursor.execute("ANALYZE")
        tallies_count()
        yield
        transaction.set_rollback(True)


def asked() -> Iterator[Question]:
    """Every question once, by those who see most; nobody writes in between, which pages of sums then count for some time."""
    for question in questions():
        if question.who in ("public", "supervisor", "reporter"):
            yield replace(question, before=lambda: None) if question.address.startswith("/network/") else question


@pytest.mark.django_db
def test_pages_take_no_more_queries_where_there_is_more() -> None:
    found: list[list[tuple[str, int]]] = []
    for size in (LITTLE, MORE):
        with network(size):
            clients = clients_made()
            found.append([(f"{one.address} {one.who}", len(queries_asked(one, clients))) for one in asked()])
    assert len(found[0]) > 50
    # Both give their questions in one order; the numbers of records in the addresses differ. What the smaller network happens
    # to have none of takes a query more; what is asked of each record takes dozens, as there are four times as many.
    grown = [(name, little, more) for (name, little), (_, more) in zip(*found, strict=True) if more > little + 2]
    assert grown == []


@pytest.mark.django_db
def test_what_a_page_takes_is_told_with_its_plans() -> None:
    with network(LITTLE):
        clients = clients_made()
        page = next(one for one in asked() if one.address.endswith("/needs/") and one.who == "supervisor")
        found = taken(page, clients, lambda: 0.0, 2, planned=True)
        assert found.queries >= len(found.plans) > 5
        assert found.wall_95_ms >= found.wall_ms > 0 < found.python_ms
        assert found.queries_ms == pytest.approx(sum(plan.ms for plan in found.plans))
        assert len(distinct(found.plans)) <= len(found.plans)
        assert any("interventions_need" in described(plan) for plan in found.plans)


@pytest.mark.django_db
def test_wrong_plans_are_seen() -> None:
    with network(LITTLE), connection.cursor() as cursor:
        cursor.execute("SET LOCAL work_mem = '64kB'")
        big = big_tables(900)
        assert {"geo_place", "interventions_need"} <= big
        assert "interventions_sector" not in big
        read = explained("SELECT count(*) FROM interventions_need WHERE text_fa LIKE '%x%'")
        assert faults(read, big) == ("reads all of interventions_need",)
        assert faults(read, frozenset()) == ()
        aside = explained("SELECT * FROM interventions_need ORDER BY search_text, ticket")
        assert any("on the disk" in fault for fault in faults(aside, frozenset()))
        found = explained(f"SELECT * FROM geo_place WHERE path = '{Size.__module__}'")
        assert faults(found, big) == ()
        assert found.indexes
